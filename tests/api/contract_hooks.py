"""What schemathesis must know of us: which refusals say that the document is wrong, and that its numbers are coarse."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

from billing_app.domain.credits.facts import MAX_QUANTITY

MALFORMED = {"invalid_fields", "malformed_request"}

OF_THE_CALENDAR = ("moments lie between 1970 and 2200.", "is not a moment of the calendar.")
"""`date-time` has no words for a range, nor for leap seconds that were none."""


@schemathesis.hook
def filter_case(application: Any, case: Any) -> bool:
    """Leaves out numbers just past the largest quantity: it compares as floats and believes them to be within."""
    return not _too_large(case.body)


@schemathesis.check
def what_the_document_allows_is_well_formed(ctx: Any, response: Any, case: Any) -> None:
    """Data of the documented form may be refused by a rule, but never as malformed.

    What a shape says about several members together ("Value error") is in its description: JSON Schema has no words.
    Where requests use each other's answers, a path holds what another had sent or got, be it well formed or not.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.headers.get("content-type", [""])[0] == "application/problem+json":
        said = response.json()
        linked = case.meta.phase.name is TestPhase.STATEFUL
        rules = [
            each["detail"].startswith("Value error")
            or each["detail"].endswith(OF_THE_CALENDAR)
            or (linked and each["field"].startswith("path."))
            for each in said.get("errors") or []
        ]
        assert said["code"] not in MALFORMED or (rules and all(rules)), said


@schemathesis.check
def what_is_no_event_is_rejected(ctx: Any, response: Any, case: Any) -> None:
    """Of usage, what the document does not allow is refused as a whole or told event by event, and never counted."""
    wrong = case.meta is not None and case.meta.generation.mode.is_negative
    if wrong and case.path.endswith("/usage") and response.status_code == 202 and case.body:
        said = response.json()
        sent = case.body.get("events", []) if isinstance(case.body, dict) else case.body
        known = len(said["rejected"]) + len(said["duplicates"]) + said["accepted"]
        assert known == (len(sent) if isinstance(sent, list) and sent else 1), said
        assert said["rejected"] or _only_not_the_body(case), said


@schemathesis.check
def what_is_no_consume_is_refused(ctx: Any, response: Any, case: Any) -> None:
    """A consume that the document does not allow is refused; of many by itself, with a result that says so."""
    wrong = case.meta is not None and case.meta.generation.mode.is_negative
    if wrong and case.path.endswith("/consume") and response.status_code == 200 and not _only_not_the_body(case):
        assert isinstance(case.body, dict) and "consumes" in case.body, case.body
        results = response.json()["results"]
        assert len(results) == len(case.body["consumes"]), results
        assert any(each["code"] == "invalid_fields" for each in results), results


def _only_not_the_body(case: Any) -> bool:
    return not case.meta.is_negative_at(ParameterLocation.BODY)


def _too_large(value: object) -> bool:
    if isinstance(value, dict):
        return any(_too_large(each) for each in value.values())
    if isinstance(value, list):
        return any(_too_large(each) for each in value)
    return isinstance(value, int) and MAX_QUANTITY < abs(value) < MAX_QUANTITY + 2**12
