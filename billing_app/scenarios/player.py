"""Plays a scenario through the services, the clock standing at each step's `at`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.catalog import to_document
from billing_app.domain.credits import DEFAULT_PRIORITY, DisputeStatus
from billing_app.domain.errors import BillingError
from billing_app.scenarios import expectations
from billing_app.scenarios.document import Scenario, optional_moment
from billing_app.services import catalog, consumption, credits, entitlements, orgs, recounts, usage
from billing_app.services.credits import ONE_YEAR
from billing_app.store.tables.orgs import Organization

Step = Mapping[str, Any]


class Player:
    """One scenario on one fresh database. `failures` has a line for each expectation that was not met."""

    def __init__(self, scenario: Scenario, database: Database) -> None:
        """Makes the scenario's catalogue and organization."""
        self.scenario = scenario
        self.database = database
        self.failures: list[str] = []
        started = min([scenario.anchor, *(step["moment"] for step in scenario.steps)])
        with database.writing() as session:
            catalog.load(session, to_document(scenario.catalog), started, "scenario")
            orgs.create(session, started, address="scenario", name=scenario.name, anchor=scenario.anchor)
            credits.change_plan(session, self._organization(session), scenario.plan, started, reason="scenario")

    def play(self) -> list[str]:
        """Plays every step, each in a transaction of its own, and answers the failures."""
        for number, step in enumerate(self.scenario.steps, start=1):
            self._play(number, step)
        return self.failures

    def state(self) -> dict[str, Any]:
        """The final state of every metric, as `expect` would see it."""
        if not self.scenario.steps:
            return {}
        now = self.scenario.steps[-1]["moment"]
        with self.database.writing() as session:
            organization = self._organization(session)
            return {
                metric: expectations.observe(session, organization, self.scenario.catalog, metric, now)
                for metric in self.scenario.catalog.metric_ids
            }

    def _organization(self, session: Session) -> Organization:
        return orgs.by_address(session, "scenario")

    def _play(self, number: int, step: Step) -> None:
        verb, now = step["do"], step["moment"]
        wanted = step.get("error")
        try:
            with self.database.writing() as session:
                organization = self._organization(session)
                if verb == "expect":
                    lines = expectations.compare(session, organization, self.scenario.catalog, step, now)
                else:
                    lines = VERBS[verb](session, organization, step, number)
        except BillingError as error:
            lines = [] if error.code == wanted else [f"refused with {error.code}: {error.detail}"]
            if wanted is not None and error.code != wanted:
                lines = [f"error: expected {wanted}, got {error.code}"]
        else:
            if wanted is not None and not lines:
                lines = [f"error: expected {wanted}, but it was accepted"]
        self.failures += [f"step {number} at {step['at']} ({verb}): {line}" for line in lines]


def _grant(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    expires_at: Any = ONE_YEAR if "expires_at" not in step else optional_moment(step, "expires_at")
    credits.grant(
        session,
        organization,
        step["metric"],
        step["quantity"],
        step["moment"],
        source="purchase" if step.get("price_cents") else "operator",
        source_key=step["id"],
        reason=f"Grant {step['id']}",
        grant_id=step["id"],
        effective_at=optional_moment(step, "effective_at"),
        expires_at=expires_at,
        priority=step.get("priority", DEFAULT_PRIORITY),
        paid_cents=step.get("price_cents") or 0,
        currency="usd",
    )
    return []


def _use(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    event = usage.ReportedEvent(
        metric=step["metric"],
        quantity=step.get("quantity"),
        subject=step.get("subject"),
        at=optional_moment(step, "occurred_at") or step["moment"],
        id=step.get("key"),
    )
    report = usage.report(session, organization, [event], step["moment"])
    for rejected in report.rejected:
        raise BillingError(rejected.detail, code=rejected.code)
    return []


def _consume(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    consumed = consumption.consume(
        session,
        organization,
        step["metric"],
        step["quantity"],
        step["moment"],
        mode=consumption.Mode(step.get("mode", "reject")),
        key=step.get("key"),
    )
    return expectations.differences({"accepts": consumed.accepted}, {"accepts": step.get("accepts", consumed.accepted)})


def _reserve(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    timeout_s = step.get("timeout_s", consumption.DEFAULT_TIMEOUT_S)
    consumption.reserve(
        session, organization, step["metric"], step["quantity"], step["moment"],
        timeout_s=timeout_s, reservation_id=step["id"],
    )  # fmt: skip
    return []


def _confirm(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    consumption.confirm(session, organization, step["id"], step["moment"], quantity=step.get("quantity"))
    return []


def _release(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    consumption.release(session, organization, step["id"], step["moment"])
    return []


def _recount(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    recounts.post(session, organization, step["moment"])
    return []


def _void(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    credits.void(session, organization, step["grant"], step["moment"], reason="scenario")
    return []


def _refund(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    source_key = f"refund:{number}"
    credits.refund(session, organization, step["grant"], step["refunded_cents"], step["moment"], source_key=source_key)
    return []


def _dispute(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    credits.dispute(
        session, organization, step["grant"], DisputeStatus(step["status"]), step["moment"],
        source_key=f"dispute:{number}", amount_cents=step.get("amount_cents"),
    )  # fmt: skip
    return []


def _change_plan(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    credits.change_plan(session, organization, step["plan"], step["moment"], reason="scenario")
    return []


def _check(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    now, subject = step["moment"], step.get("subject")
    if "action" in step:
        quantities = step.get("quantities")
        answer = entitlements.check_action(
            session, organization, step["action"], now, quantities=quantities, subject=subject
        )
    else:
        quantity = step.get("quantity", 1)
        answer = entitlements.check_metric(
            session, organization, step["metric"], now, quantity=quantity, subject=subject
        )
    found: dict[str, Any] = {"allowed": answer.allowed}
    wanted: dict[str, Any] = {"allowed": step.get("allowed", answer.allowed)}
    if "blocking" in step:
        found["blocking"] = sorted(blocking.metric for blocking in answer.blocking)
        wanted["blocking"] = sorted(step["blocking"])
    return expectations.differences(found, wanted)


VERBS: dict[str, Callable[[Session, Organization, Step, int], list[str]]] = {
    "grant": _grant,
    "use": _use,
    "consume": _consume,
    "reserve": _reserve,
    "confirm": _confirm,
    "release": _release,
    "recount": _recount,
    "void": _void,
    "refund": _refund,
    "dispute": _dispute,
    "change_plan": _change_plan,
    "check": _check,
}
