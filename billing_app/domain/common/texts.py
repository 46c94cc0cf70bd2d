"""Texts that people write about what they do, without control characters: PostgreSQL cannot store a NUL."""

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
