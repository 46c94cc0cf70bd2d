"""Portable scenarios played on the reference: what their steps record, and what it says of each expectation.

Thresholds are left to the product; everything else that a step expects is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from billing_app.domain.common.periods import Period
from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.facts import (
    Aggregation,
    Allowance,
    DeficitPolicy,
    Dispute,
    DisputeStatus,
    Grant,
    Policy,
    Refund,
    RefundPolicy,
    Void,
    default_expiry,
)

from .raw import Event, RawHistory, subjects_seen
from .reference import reference_account

Step = dict[str, Any]

DAY_S = 24 * 3600
"""How long a reservation holds unless told otherwise, and at most."""

OF_A_GRANT = ("left", "burned", "expired", "voided", "clawed_back", "held")
OF_A_MONTH = ("used", "burned", "uncovered", "expired")
OF_THE_METRIC = ("left", "burned", "expired", "held", "debt", "deficit", "uncovered", "used", "ledger_sum")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class MetricReading:
    """The facts that the steps so far recorded of one metric."""

    def __init__(self, scenario: Step, metric: Step) -> None:
        self.id: str = metric["id"]
        self.scenario = scenario
        self.aggregation = Aggregation(metric["aggregation"])
        self.anchor = moment(scenario["organization"]["anchor"])
        self.policy = Policy(
            self.anchor,
            DeficitPolicy(metric.get("deficit", "forgive")),
            RefundPolicy(metric.get("refund_shortfall", "debt")),
        )
        # The first plan has always been held (fine point 3), so since before anything happened.
        began = min([self.anchor, *(moment(step["at"]) for step in scenario["steps"])]) - timedelta(days=1)
        self.allowances = {began: self.included(scenario["organization"]["plan"])}
        self.grants: dict[str, Grant] = {}
        self.events: list[Event] = []
        self.actions: list[Void | Refund | Dispute] = []
        self.reserved: dict[str, tuple[datetime, datetime, int]] = {}

    def included(self, plan: str) -> int | None:
        """A metric that the plan does not name is included with 0 (fine point 3)."""
        return self.scenario["plans"][plan].get("included", {}).get(self.id, 0)

    def account(self, at: datetime) -> Account:
        raw = RawHistory(
            anchor=self.anchor,
            aggregation=self.aggregation,
            allowances=tuple(Allowance(since, quantity) for since, quantity in self.allowances.items()),
            grants=tuple(self.grants.values()),
            events=tuple(self.events),
            actions=tuple(self.actions),
            policies=(self.policy,),
        )
        return reference_account(raw, at)

    def reserved_at(self, at: datetime) -> int:
        """A reservation holds in `[opened, opened + timeout)` (fine point 12)."""
        return sum(quantity for opened, until, quantity in self.reserved.values() if opened <= at < until)

    def room(self, account: Account, at: datetime) -> int:
        """What check, consume and reserve may take (fine point 12)."""
        assert account.allowance is not None
        return max(0, max(0, account.allowance - account.used) + account.left - self.reserved_at(at))

    def allows(self, at: datetime, quantity: int, subject: str | None) -> bool:
        """Fine point 13: what is asked depends on how the metric adds up."""
        account = self.account(at)
        if account.allowance is None:
            return True
        if self.aggregation is Aggregation.UNIQUE and subject in self.counted(account.period, at):
            return True
        if self.aggregation is Aggregation.LEVEL:
            quantity = max(0, account.level + quantity - account.used)
        return quantity <= self.room(account, at)

    def counted(self, period: Period, at: datetime) -> set[str]:
        return subjects_seen([event for event in self.events if period.start <= event.at <= at])

    def state(self, at: datetime) -> str:
        """Fine point 11."""
        account = self.account(at)
        if not self.allows(at, 1, None):
            return "blocked"
        over = account.allowance is not None and account.used > account.allowance
        return "using_credits" if over else "ok"


class ScenarioReading:
    """One scenario, step by step."""

    def __init__(self, scenario: Step) -> None:
        self.scenario = scenario
        self.metrics = {metric["id"]: MetricReading(scenario, metric) for metric in scenario["metrics"]}
        self.numbers = count()
        self.keys: set[str] = set()
        self.confirmed: dict[str, int] = {}
        self.released: set[str] = set()

    def differences(self) -> Iterator[str]:
        """What the scenario expects otherwise than the reference says."""
        for number, step in enumerate(self.scenario["steps"], 1):
            at = moment(step["at"])
            if step["do"] == "expect":
                found = self.expect(at, step)
            elif step["do"] == "check" and "error" not in step:
                found = self.check(at, step)
            else:
                found = self.record(at, step)
            for difference in found:
                yield f"step {number} ({step['at']} {step['do']}): {difference}"

    def record(self, at: datetime, step: Step) -> list[str]:
        """Keeps the fact; one that the product refuses is none."""
        if "error" in step or step["do"] == "recount":
            return []
        match step["do"]:
            case "grant":
                self.grant(at, step)
            case "use":
                self.use(at, step)
            case "consume":
                return self.consume(at, step)
            case "reserve" | "confirm" | "release":
                return self.reservation(at, step)
            case "change_plan":
                for metric in self.metrics.values():
                    metric.allowances[at] = metric.included(step["plan"])
            case _:
                self.act(at, step)
        return []

    def grant(self, at: datetime, step: Step) -> None:
        """The same id is the same purchase."""
        metric = self.metrics[step["metric"]]
        effective_at = moment(step.get("effective_at", step["at"]))
        expires_at = default_expiry(effective_at)
        if "expires_at" in step:
            expires_at = moment(step["expires_at"]) if step["expires_at"] else None
        metric.grants.setdefault(
            step["id"],
            Grant(
                id=step["id"],
                quantity=step["quantity"],
                effective_at=effective_at,
                expires_at=expires_at,
                created_at=at,
                priority=step.get("priority", 50),
                paid_cents=step.get("price_cents", 0),
            ),
        )

    def use(self, at: datetime, step: Step) -> None:
        """A key seen before is silently the same event (fine point 15)."""
        metric = self.metrics[step["metric"]]
        key = step.get("key")
        if key in self.keys:
            return
        if key is not None:
            self.keys.add(key)
        metric.events.append(
            Event(moment(step.get("occurred_at", step["at"])), step.get("quantity", 1), step.get("subject"))
        )

    def consume(self, at: datetime, step: Step) -> list[str]:
        """Accepts all or nothing, or what fits; a key seen before replays its first answer (fine point 15)."""
        metric = self.metrics[step["metric"]]
        key = f"consume {step['key']}" if "key" in step else None
        if key in self.keys:
            return []
        if key is not None:
            self.keys.add(key)
        account = metric.account(at)
        fits = step["quantity"] if account.allowance is None else min(step["quantity"], metric.room(account, at))
        accepted = fits if step.get("mode") == "clamp" or fits == step["quantity"] else 0
        metric.events.append(Event(at, step["accepts"]))
        return [] if accepted == step["accepts"] else [f"accepts {accepted}"]

    def reservation(self, at: datetime, step: Step) -> list[str]:
        """Confirm counts as use at its moment; release gives all back (fine point 12), and again is no error (19)."""
        if step["do"] == "reserve":
            metric = self.metrics[step["metric"]]
            until = at + timedelta(seconds=step.get("timeout_s", DAY_S))
            fits = metric.allows(at, step["quantity"], None)
            metric.reserved[step["id"]] = (at, until, step["quantity"])
            return [] if fits else ["does not fit"]
        for metric in self.metrics.values():
            if step["id"] in metric.reserved:
                _, until, quantity = metric.reserved.pop(step["id"])
                if step["do"] == "release":
                    self.released.add(step["id"])
                    return []
                self.confirmed[step["id"]] = step.get("quantity", quantity)
                metric.events.append(Event(at, self.confirmed[step["id"]]))
                return [] if at < until else ["has expired"]
        if step["do"] == "release":
            return [] if step["id"] in {*self.confirmed, *self.released} else ["was never there"]
        if step["id"] not in self.confirmed:
            return ["is not open"]
        again = step.get("quantity", self.confirmed[step["id"]])
        return [] if again == self.confirmed[step["id"]] else ["is closed"]

    def act(self, at: datetime, step: Step) -> None:
        for metric in self.metrics.values():
            if step["grant"] not in metric.grants:
                continue
            action: Void | Refund | Dispute
            match step["do"]:
                case "void":
                    action = Void(at, next(self.numbers), step["grant"])
                case "refund":
                    action = Refund(at, next(self.numbers), step["grant"], step["refunded_cents"])
                case _:
                    cents = step.get("amount_cents")
                    action = Dispute(
                        at, next(self.numbers), step["grant"], DisputeStatus(step["status"]), amount_cents=cents
                    )
            metric.actions.append(action)

    def check(self, at: datetime, step: Step) -> list[str]:
        """An action asks 1 of each of its metrics unless `quantities` says otherwise (fine point 13)."""
        names = [step["metric"]] if "metric" in step else self.scenario["actions"][step["action"]]
        asked = {name: step.get("quantities", {}).get(name, step.get("quantity", 1)) for name in names}
        blocking = sorted(name for name in names if not self.metrics[name].allows(at, asked[name], step.get("subject")))
        if (not blocking) != step["allowed"] or blocking != sorted(step.get("blocking", blocking)):
            return [f"blocking {blocking}"]
        return []

    def expect(self, at: datetime, step: Step) -> Iterator[str]:
        metric = self.metrics[step["metric"]]
        account = metric.account(at)
        said = {name: getattr(account, name) for name in OF_THE_METRIC}
        said |= {"included": account.allowance, "state": metric.state(at)}
        for name, value in said.items():
            if name in step and step[name] != value:
                yield f"{name} is {value}, not {step[name]}"
        for grant_id, wanted in step.get("grants", {}).items():
            for name, value in wanted.items():
                seen = getattr(account.grants[grant_id], name) if name in OF_A_GRANT else None
                if seen != value:
                    yield f"{name} of {grant_id} is {seen}, not {value}"
        months = {month.period.start: month for month in account.months}
        for wanted in step.get("months", []):
            month = months.get(moment(wanted["start"]))
            for name in OF_A_MONTH:
                # Fine point 10: what the running period leaves unpaid is its deficit, not yet uncovered.
                seen = getattr(month, name) if month else 0
                if name in wanted and wanted[name] != seen:
                    yield f"{name} of the month from {wanted['start']} is {seen}, not {wanted[name]}"
