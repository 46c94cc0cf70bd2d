"""Plays a scenario through the services, the clock standing at each step's `at`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.catalogue import to_document
from billing_app.domain.common.errors import BillingError, FactRefusedError
from billing_app.domain.credits.facts import DEFAULT_PRIORITY, DisputeStatus
from billing_app.scenarios import expectations
from billing_app.scenarios.document import Scenario
from billing_app.scenarios.steps import moment
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.credits.grants import ONE_YEAR
from billing_app.services.usage import consumption, entitlements, recounts, reporting
from billing_app.services.usage.consumption import ReservationState
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters

Step = Mapping[str, Any]

EXHAUSTED = "credits_exhausted"
"""What `error` may say of a consume of which nothing was accepted, in the place of `accepts`."""


class Player:
    """One scenario on one fresh database. `failures` has a line for each expectation that was not met."""

    def __init__(self, scenario: Scenario, database: Database) -> None:
        """Makes the scenario's catalogue and organization."""
        self.scenario = scenario
        self.database = database
        self.failures: list[str] = []
        started = min([scenario.anchor, *(step["moment"] for step in scenario.steps)])
        with database.writing() as session:
            versions.load(session, to_document(scenario.catalog), started, "scenario")
            organizations.create(session, started, address="scenario", name="Scenario", anchor=scenario.anchor)
            # The first plan has always been held (fine point 3): a first step that changes it ends it, not undoes it.
            grants.change_plan(
                Context(session, self._organization(session), started),
                scenario.plan,
                at=started - timedelta(days=1),
                reason="scenario",
            )

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
        return organizations.by_address(session, "scenario")

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


def _moment(step: Step, field: str) -> datetime | None:
    """The moment in `field`, None where it is absent or null."""
    text = step.get(field)
    return None if text is None else moment(text)


def _quantity(value: Any) -> int:
    """A quantity as the file says it. Raises FactRefusedError `invalid_quantity` for what is not a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise FactRefusedError(f"A quantity is a whole number, not {value!r}.", code="invalid_quantity")
    return value


def _optional_quantity(step: Step) -> int | None:
    return None if step.get("quantity") is None else _quantity(step["quantity"])


def _grant(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    expires_at: Any = ONE_YEAR if "expires_at" not in step else _moment(step, "expires_at")
    grants.grant(
        Context(session, organization, step["moment"]),
        grants.NewGrant(
            step["metric"],
            _quantity(step["quantity"]),
            source="purchase" if step.get("price_cents") else "operator",
            source_key=step["id"],
            reason=f"Grant {step['id']}",
            id=step["id"],
            effective_at=_moment(step, "effective_at"),
            expires_at=expires_at,
            priority=step.get("priority", DEFAULT_PRIORITY),
            paid_cents=step.get("price_cents") or 0,
            currency="usd",
            backdated=step.get("backdated", "effective_at" in step),
        ),
    )
    return []


def _use(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    event = reporting.ReportedEvent(
        metric=step["metric"],
        quantity=_optional_quantity(step),
        subject=step.get("subject"),
        at=_moment(step, "occurred_at") or step["moment"],
        id=step.get("key"),
    )
    report = reporting.report(Context(session, organization, step["moment"]), [event])
    for rejected in report.rejected:
        raise BillingError(rejected.detail, code=rejected.code)
    return []


def _consume(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    consumed = consumption.consume(
        Context(session, organization, step["moment"]),
        step["metric"],
        _quantity(step["quantity"]),
        mode=consumption.Mode(step.get("mode", "reject")),
        key=step.get("key"),
        strict=False,
    )
    if step.get("error") == EXHAUSTED and not consumed.accepted:
        raise consumption.exhausted(step["metric"], step["quantity"], consumed)
    return expectations.differences({"accepts": consumed.accepted}, {"accepts": step.get("accepts", consumed.accepted)})


def _reserve(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    timeout_s = step.get("timeout_s", consumption.DEFAULT_TIMEOUT_S)
    consumption.reserve(
        Context(session, organization, step["moment"]),
        step["metric"],
        _quantity(step["quantity"]),
        timeout_s=timeout_s,
        reservation_id=_free_name(session, organization, step),
    )
    return []


def _names(session: Session, organization: Organization, step: Step) -> list[str]:
    """The reservations that a file calls by one name, oldest first, and the name that the next one would have."""
    owner, names = organization.pk, [step["id"]]
    while meters.reservation(session, owner, names[-1]) is not None:
        names.append(f"{step['id']}#{len(names) + 1}")
    return names


def _free_name(session: Session, organization: Organization, step: Step) -> str:
    """A name may be used again once its reservation has ended; while it is open, it is the same reservation."""
    *taken, free = _names(session, organization, step)
    latest = meters.reservation(session, organization.pk, taken[-1]) if taken else None
    ended = latest is None or consumption.status(latest, step["moment"]) is not ReservationState.OPEN
    return free if ended else taken[-1]


def _latest_name(session: Session, organization: Organization, step: Step) -> str:
    return [step["id"], *_names(session, organization, step)[:-1]][-1]


def _confirm(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    name = _latest_name(session, organization, step)
    consumption.confirm(Context(session, organization, step["moment"]), name, quantity=_optional_quantity(step))
    return []


def _release(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    consumption.release(Context(session, organization, step["moment"]), _latest_name(session, organization, step))
    return []


def _recount(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    recounts.post(Context(session, organization, step["moment"]))
    return []


def _void(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    grants.void(Context(session, organization, step["moment"]), step["grant"], reason="scenario")
    return []


def _refund(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    source_key = f"refund:{number}"
    grants.refund(
        Context(session, organization, step["moment"]), step["grant"], step["refunded_cents"], source_key=source_key
    )
    return []


def _dispute(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    grants.dispute(
        Context(session, organization, step["moment"]),
        step["grant"],
        DisputeStatus(step["status"]),
        source_key=f"dispute:{number}",
        amount_cents=step.get("amount_cents"),
    )
    return []


def _change_plan(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    grants.change_plan(Context(session, organization, step["moment"]), step["plan"], reason="scenario")
    return []


def _check(session: Session, organization: Organization, step: Step, number: int) -> list[str]:
    now, subject = step["moment"], step.get("subject")
    told = {metric: _quantity(value) for metric, value in step.get("quantities", {}).items()}
    each = _optional_quantity(step)
    if "action" in step:
        if each is not None:
            needs = versions.current(session, now).action(step["action"]).metrics
            told = dict.fromkeys(needs, each) | told
        answer = entitlements.check_action(
            Context(session, organization, now), step["action"], quantities=told, subject=subject
        )
    else:
        quantity = told.get(step["metric"], 1 if each is None else each)
        answer = entitlements.check_metric(
            Context(session, organization, now), step["metric"], quantity=quantity, subject=subject
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
