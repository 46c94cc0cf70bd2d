"""Which fields each step of a scenario has, and what is wrong with those of a file (credits.md, Scenarios).

Quantities are not judged here: one that cannot be meant is refused when its step is played, as any other caller's is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from billing_app.domain.catalogue.fields import MISSING, Fields, Reading, shown, suggestion
from billing_app.domain.common import moments
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.credits.accounts import GrantAccount
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.services.usage.consumption import Mode

REMARKS = ("source", "note", "comment")
"""Fields that a reader may write anywhere, and that mean nothing."""

OF_A_GRANT = tuple(name for name in GrantAccount.__dataclass_fields__ if name != "id")
OF_A_MONTH = ("used", "burned", "uncovered", "expired")
OF_A_METRIC = (
    "left", "burned", "expired", "held", "debt", "deficit", "uncovered", "used", "included", "grants", "months",
    "ledger_sum", "state", "thresholds",
)  # fmt: skip
"""What `expect` may ask for."""


class Form(NamedTuple):
    """The fields that a step must have and may have."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


FORMS = {
    "grant": Form(("id", "metric", "quantity"), ("expires_at", "effective_at", "priority", "price_cents", "backdated")),
    "use": Form(("metric",), ("quantity", "key", "subject", "occurred_at")),
    "consume": Form(("metric", "quantity"), ("mode", "key", "accepts")),
    "reserve": Form(("id", "metric", "quantity"), ("timeout_s",)),
    "confirm": Form(("id",), ("metric", "quantity")),
    "release": Form(("id",), ("metric", "quantity")),
    "recount": Form(),
    "void": Form(("grant",)),
    "refund": Form(("grant", "refunded_cents")),
    "dispute": Form(("grant", "status"), ("amount_cents",)),
    "change_plan": Form(("plan",)),
    "check": Form((), ("action", "metric", "quantity", "quantities", "subject", "allowed", "blocking")),
    "expect": Form(("metric",), OF_A_METRIC),
}

TEXTS = ("id", "metric", "key", "subject", "grant", "plan", "action")
MOMENTS = ("effective_at", "expires_at", "occurred_at")
WHOLE = ("priority", "price_cents", "refunded_cents", "amount_cents", "timeout_s")
WORDS = {"status": tuple(DisputeStatus), "mode": tuple(Mode)}
LONGEST = 255


def moment(text: str) -> datetime:
    """An RFC 3339 moment, aware and in UTC. Raises ValueError."""
    try:
        return moments.moment(text)
    except InvalidError as refusal:
        raise ValueError(refusal.detail) from None


def read_moment(fields: Fields, name: str) -> datetime | None:
    """The moment of a field; None where it is absent or null, or after noting that it is none."""
    text = fields.value(name)
    if text is MISSING or text is None:
        return None
    try:
        return moment(text)
    except (TypeError, ValueError, OverflowError):
        fields.wrong(name, f"must be a moment like 2024-01-31T00:00:00Z, not {shown(text)}")
    return None


def read_steps(reading: Reading, given: Any) -> tuple[Mapping[str, Any], ...]:
    """The steps of a document, each with its `moment`; what is wrong is noted as `step 3.metric`."""
    if given is MISSING:
        return ()
    if not isinstance(given, list):
        reading.wrong("steps", f"must be a list, not {shown(given)}")
        return ()
    steps: list[Mapping[str, Any]] = []
    latest: datetime | None = None
    for number, step in enumerate(given, start=1):
        at = _read_step(reading, step, f"step {number}")
        if at is None:
            continue
        if latest is not None and at < latest:
            reading.wrong(f"step {number}.at", f"{step['at']} is before the step above it; `at` never falls")
        latest = at
        steps.append({**step, "moment": at})
    return tuple(steps)


def _read_step(reading: Reading, step: Any, path: str) -> datetime | None:
    """The moment of one step, whose mistakes are noted."""
    verb = step.get("do") if isinstance(step, Mapping) else None
    form = FORMS.get(verb) if isinstance(verb, str) else None
    if isinstance(step, Mapping) and "do" in step and form is None:
        reading.wrong(f"{path}.do", f"there is no step {shown(verb)}; {suggestion(str(verb), FORMS)}")
        return None
    required, optional = form or Form()
    fields = Fields(
        reading, step, path, required=("at", "do", *required), optional=(*optional, "error", *REMARKS), noun="field"
    )
    if not isinstance(step, Mapping):
        return None
    for name in (each for each in (*TEXTS, "error") if step.get(each) is not None):
        _text(fields, name)
    for name in MOMENTS:
        read_moment(fields, name)
    for name in (each for each in WHOLE if step.get(each) is not None):
        fields.whole(name, least=-(2**63))
    for name, words in WORDS.items():
        if name in step and step[name] not in words:
            fields.wrong(name, f"must be one of {', '.join(words)}, not {shown(step[name])}")
    if verb == "check":
        _read_check(fields, step)
    if verb == "expect":
        _read_expectation(fields, step)
    return read_moment(fields, "at") if step.get("at") is not None else None


def _text(fields: Fields, name: str) -> None:
    """Any text will do, but it must be one: keys and subjects belong to whoever sends them."""
    value = fields.value(name)
    if not isinstance(value, str):
        fields.wrong(name, f"must be a text, not {shown(value)}")
    elif not 1 <= len(value) <= LONGEST:
        fields.wrong(name, f"has {len(value)} characters; 1 to {LONGEST} are allowed")


def _read_check(fields: Fields, step: Mapping[str, Any]) -> None:
    if ("action" in step) == ("metric" in step):
        fields.wrong("metric", "a check names an action or a metric, one of them")
    if not isinstance(step.get("quantities", {}), Mapping):
        fields.wrong("quantities", f"must be an object, not {shown(step['quantities'])}")
    if "allowed" in step:
        fields.flag("allowed")
    if not _is_texts(step.get("blocking", [])):
        fields.wrong("blocking", "must be a list of metrics")


def _read_expectation(fields: Fields, step: Mapping[str, Any]) -> None:
    """A misspelt figure would be an expectation that can't fail."""
    grants, months = step.get("grants", {}), step.get("months", [])
    if not _is_texts(step.get("thresholds", [])):
        fields.wrong("thresholds", "must be a list of texts like credits.used:75")
    if not isinstance(grants, Mapping):
        fields.wrong("grants", f"must be an object, not {shown(grants)}")
        grants = {}
    for grant_id, wanted in grants.items():
        path = f"{fields.path}.grants.{grant_id}"
        Fields(fields.reading, wanted, path, required=(), optional=(*OF_A_GRANT, *REMARKS), noun="field")
    if not isinstance(months, list):
        fields.wrong("months", f"must be a list, not {shown(months)}")
        months = []
    for index, wanted in enumerate(months):
        path = f"{fields.path}.months[{index}]"
        optional = (*OF_A_MONTH, *REMARKS)
        month = Fields(fields.reading, wanted, path, required=("start",), optional=optional, noun="field")
        if isinstance(wanted, Mapping) and "start" in wanted and read_moment(month, "start") is None:
            month.wrong("start", "must be a moment") if wanted["start"] is None else None


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
