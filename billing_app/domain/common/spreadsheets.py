"""What a spreadsheet does with a text: some it computes, whoever wrote them."""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so is taken for a formula. A reason, a name and an e-mail address are texts that others write."""


def harmless(text: str) -> str:
    """The text with an apostrophe before it where it would be computed."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


BYTE_ORDER_MARK = "\ufeff"
"""What a CSV file begins with: without it Excel takes UTF-8 for the code page of its country. Readers skip it."""
