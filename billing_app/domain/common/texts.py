"""Texts that people write: what they may contain, and what a spreadsheet would do with them."""

from __future__ import annotations

from billing_app.domain.common.errors import InvalidError

MAX_REASON = 500
"""Characters of a reason: it stands in ledgers, mails and the audit log."""


def required_reason(reason: str) -> str:
    """The reason without blanks around it. Raises InvalidError `reason_required`."""
    said = reason.strip()
    if not said or len(said) > MAX_REASON or not said.isprintable():
        raise InvalidError(f"Say why, in 1 to {MAX_REASON} visible characters.", code="reason_required")
    return said


def optional_reason(reason: str) -> str:
    """The same of one that may be left out."""
    return required_reason(reason) if reason.strip() else ""


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so is taken for a formula. A reason, a name and an e-mail address are texts that others write."""


def harmless(text: str) -> str:
    """The text with an apostrophe before it where it would be computed."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


BYTE_ORDER_MARK = "\ufeff"
"""What a CSV file begins with: without it Excel takes UTF-8 for the code page of its country. Readers skip it."""
