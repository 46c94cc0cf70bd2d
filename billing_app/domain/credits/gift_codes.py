"""What the code of a gift card looks like: easy to read aloud and to type, impossible to guess."""

from __future__ import annotations

import unicodedata

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and capitals without those that look or sound alike (0 O, 1 I L, U V)."""

LENGTH = 16
"""16 of 30 characters are 78 bits: at ten guesses a second for a thousand years nobody hits one of a million cards."""

FILLERS = "\u115f\u1160"
"""Letters by their kind that show nothing; the others of this sort are taken for these by NFKC."""

GROUP = 4
HINT = 4
"""Characters at the end by which people tell cards apart; what is before them is still 58 bits."""


def grouped(code: str) -> str:
    """`ABCD-EFGH-JKMN-PQRS`."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def normal(typed: str) -> str | None:
    """The code that somebody typed, without what people put between; None if it cannot be one.

    Blanks, dashes, quotes and invisible characters of any kind are passed over, and wide letters are letters.
    """
    plain = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(each for each in plain if unicodedata.category(each)[0] not in "ZCPSM" and each not in FILLERS)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


def hint(code: str) -> str:
    """What may be shown of a code."""
    return f"...{code[-HINT:]}"
