"""Ending an organization: it pays for nothing any more, whatever dies on the way, and what it had stays readable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Role, Scope
from billing_app.domain.common.errors import BillingError, UnavailableError
from billing_app.services.access import api_keys, members
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.organizations import children
from billing_app.services.plans import changes, orders, stripe_endings
from billing_app.services.purchases import endings, recurring_changes, saved_cards, top_ups
from billing_app.services.purchases.top_ups import Wanted
from billing_app.services.subscriptions.views_endings import EndingAnswer
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.organizations import endings as store
from tests.support.crashes import survives
from tests.support.shop import PUBLIC_URL
from tests.support.subscriber import MONTH, Subscriber, a_subscriber, days

PACK = "mau-10k-monthly"


def without_trials(document: dict[str, Any]) -> None:
    for plan in document["plans"]:
        plan["trial_days"] = 0


@pytest.fixture
def acme(database: Database) -> Subscriber:
    """On the plan pro with a pack that renews, and a page on which more packs may be bought."""
    subscriber = a_subscriber(database)
    subscriber.change_catalogue(without_trials)
    subscriber.subscribe("pro")
    subscriber.buy(PACK)
    subscriber.hear_all()
    return subscriber


def owner_of(acme: Subscriber, address: str = "acme") -> int:
    with acme.database.reading() as session:
        return organizations.by_address(session, address).pk


def decide(acme: Subscriber, *, at_period_end: bool, address: str = "acme") -> None:
    with acme.database.writing() as session:
        found = organizations.by_address(session, address)
        endings.decide(Context(session, found, acme.now, "ada"), at_period_end=at_period_end, reason="moved on")


def tell(acme: Subscriber) -> str:
    return stripe_endings.notify_stripe_at_once(acme.database.writing, acme.payments, owner_of(acme), acme.clock)


def sweep(acme: Subscriber) -> None:
    stripe_endings.sweep(acme.database.writing, acme.payments, acme.clock)


def look(acme: Subscriber, address: str = "acme") -> EndingAnswer:
    with acme.database.reading() as session:
        return endings.look(Context(session, organizations.by_address(session, address), acme.now))


def at_stripe(acme: Subscriber) -> set[tuple[str, bool]]:
    """How its subscriptions stand there: the status, and whether they end with their period."""
    found = acme.stripe.subscriptions.list({"customer": acme.customer, "status": "all", "limit": 100}).data
    return {(each.status, each.cancel_at_period_end) for each in found}


def active(acme: Subscriber, address: str = "acme") -> bool:
    with acme.database.reading() as session:
        return organizations.by_address(session, address).active


def test_it_shows_what_it_pays_for(acme: Subscriber) -> None:
    acme.start("mau-100")
    view = look(acme)
    assert [(each.kind, each.price_cents) for each in view.pays[:2]] == [("plan", 9_900), ("pack", 1_200)]
    assert view.pays[2].kind == "order"
    assert view.decided_at is None
    assert view.ends_at == max(each.until for each in view.pays if each.until is not None)


def test_it_says_what_is_paid_what_is_tried_and_what_is_owed(database: Database) -> None:
    trying = a_subscriber(database)
    trying.subscribe("essential")
    trying.hear_all()
    view = look(trying)
    assert [(each.state, each.until) for each in view.pays] == [("trial", trying.now + days(14))]
    trying.use_card("pm_card_chargeCustomerFail")
    trying.wait(trying.now + days(15))
    trying.hear_all()
    assert [each.state for each in look(trying).pays] == ["owed"]


def test_now_ends_everything_at_once_and_leaves_what_was_bought(acme: Subscriber) -> None:
    open_page = acme.start("mau-100").session_id
    before = acme.balance("mau")
    decide(acme, at_period_end=False)
    assert tell(acme) == ""
    assert at_stripe(acme) == {("canceled", False)}
    assert acme.stripe.checkout.sessions.retrieve(open_page).status == "expired"
    view = look(acme)
    assert (view.done, view.told, view.pays, active(acme)) == (True, True, (), False)
    assert (acme.plan(), acme.balance("mau"), acme.differences()) == ("free", before, [])


def test_at_the_periods_end_what_is_paid_stays_until_then(acme: Subscriber) -> None:
    decide(acme, at_period_end=True)
    assert tell(acme) == ""
    assert at_stripe(acme) == {("active", True)}
    view = look(acme)
    assert (view.done, view.told, active(acme), acme.plan()) == (False, True, True, "pro")
    acme.wait(view.ends_at + days(1))
    acme.hear_all()
    sweep(acme)
    assert at_stripe(acme) == {("canceled", True)}
    assert (look(acme).done, active(acme), acme.plan(), len(acme.charged())) == (True, False, "free", 2)


def test_it_may_be_taken_back_until_it_is_over(acme: Subscriber) -> None:
    cancelled = acme.stripe.subscriptions.list({"customer": acme.customer}).data[0].id
    acme.stripe.subscriptions.update(cancelled, {"cancel_at_period_end": True})
    decide(acme, at_period_end=True)
    tell(acme)
    with acme.database.writing() as session:
        endings.withdraw(Context(session, organizations.by_address(session, "acme"), acme.now, "ada"))
    tell(acme)
    assert at_stripe(acme) == {("active", True), ("active", False)}, "what had been cancelled before stays so"
    assert look(acme).decided_at is None
    decide(acme, at_period_end=False)
    with pytest.raises(BillingError) as refused, acme.database.writing() as session:
        endings.withdraw(Context(session, organizations.by_address(session, "acme"), acme.now, "ada"))
    assert refused.value.code == "organization_ended"


@pytest.mark.both_databases
@pytest.mark.parametrize("at_period_end", [True, False])
def test_whatever_dies_on_the_way_it_ends(acme: Subscriber, at_period_end: bool) -> None:
    def work() -> None:
        decide(acme, at_period_end=at_period_end)
        tell(acme)

    for write in (4, 9, 14, 19, 25):
        with acme.database.writing() as session:
            row = store.ending(session, owner_of(acme))
            if row is not None:
                session.delete(row)
        if survives(acme.database, write, work):
            break
        with acme.database.reading() as session:
            decided = store.ending(session, owner_of(acme)) is not None
        if not decided:
            assert at_stripe(acme) == {("active", False)}, "nothing is done that was not decided"
            decide(acme, at_period_end=at_period_end)
        acme.now += days(0.01)
        sweep(acme)
        assert at_stripe(acme) == ({("active", True)} if at_period_end else {("canceled", False)})
        assert look(acme).told
        if not at_period_end:
            break


def test_when_stripe_does_not_answer_a_job_goes_on(acme: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise UnavailableError("Stripe cannot be reached now.", code="payments_unreachable")

    decide(acme, at_period_end=False)
    with monkeypatch.context() as patched:
        patched.setattr(acme.payments, "end_now", away)
        assert tell(acme) == "Stripe cannot be reached now."
    assert (look(acme).told, look(acme).error) == (False, "Stripe cannot be reached now.")
    acme.now += days(0.01)
    sweep(acme)
    assert (at_stripe(acme), look(acme).told, look(acme).error) == ({("canceled", False)}, True, "")


def test_a_payment_that_was_on_its_way_buys_nothing_that_goes_on(acme: Subscriber) -> None:
    """A page that was paid as the organization ended begins a subscription: that ends, too."""
    started = acme.start("emails-10k-monthly")
    acme.pay(started.session_id)
    decide(acme, at_period_end=False)
    tell(acme)
    acme.hear_all()
    acme.now += days(0.01)
    sweep(acme)
    assert {status for status, _ in at_stripe(acme)} == {"canceled"}
    assert acme.balance("emails") == 10_000, "what was paid is theirs"


def test_what_is_over_can_be_charged_for_nothing(acme: Subscriber) -> None:
    decide(acme, at_period_end=False)
    tell(acme)
    wanted = Wanted(True, 1_000, "mau-10k", 1, 100_000, consent=True)
    event = ReportedEvent("mau", None, "someone", acme.now)

    def inside(work: Callable[[Any, Any], object]) -> object:
        with acme.enter() as visit:
            return work(visit.session, visit.organization)

    tries: dict[str, Callable[[], object]] = {
        "packs": lambda: acme.start("mau-100"),
        "plan": lambda: orders.start(acme.enter, acme.payments, "pro", MONTH, PUBLIC_URL),
        "card": lambda: saved_cards.begin(acme.enter, acme.payments, PUBLIC_URL),
        "resume": lambda: changes.resume(acme.enter, acme.payments),
        "keep": lambda: changes.uncancel(acme.enter, acme.payments),
        "top-up": lambda: inside(lambda s, o: top_ups.put(Context(s, o, acme.now), "mau", wanted)),
        "invitation": lambda: inside(
            lambda s, o: members.invite(Context(s, o, acme.now, "ada"), "kim@example.org", Role.MEMBER)
        ),
        "key": lambda: inside(lambda s, o: api_keys.create(s, o.pk, "k", [Scope.READ], "ada", acme.now)),
        "usage": lambda: inside(lambda s, o: reporting.report(Context(s, o, acme.now), [event])),
    }
    for name, attempt in tries.items():
        with pytest.raises(BillingError) as refused:
            attempt()
        assert refused.value.code == "organization_inactive", name


def test_while_it_ends_nothing_new_is_bought(acme: Subscriber) -> None:
    decide(acme, at_period_end=True)
    tell(acme)
    with acme.database.reading() as session:
        pack = store.packs(session, owner_of(acme))[0].id
    tries: list[Callable[[], object]] = [
        lambda: acme.start("mau-100"),
        lambda: changes.uncancel(acme.enter, acme.payments),
        lambda: recurring_changes.change(acme.enter, acme.payments, pack, 2),
    ]
    for attempt in tries:
        with pytest.raises(BillingError) as refused:
            attempt()
        assert refused.value.code == "organization_ending"


class TestParts:
    @pytest.fixture
    def north(self, acme: Subscriber) -> Subscriber:
        """A part of acme that pays for itself, as a customer of its own."""
        with acme.database.writing() as session:
            above = organizations.by_address(session, "acme")
            children.create(Context(session, above, acme.now, "ada"), name="North", address="north")
        part = Subscriber(acme.database, address="north", key=acme.key)
        part.subscribe("essential")
        return part

    def test_a_deactivated_part_does_not_go_on_paying(self, acme: Subscriber, north: Subscriber) -> None:
        with acme.database.writing() as session:
            above, part = organizations.by_address(session, "acme"), organizations.by_address(session, "north")
            children.set_active(Context(session, above, acme.now, "ada"), part, False)
        sweep(acme)
        assert (at_stripe(north), at_stripe(acme)) == ({("active", True)}, {("active", False)})
        with acme.database.writing() as session:
            above, part = organizations.by_address(session, "acme"), organizations.by_address(session, "north")
            children.set_active(Context(session, above, acme.now, "ada"), part, True)
        sweep(acme)
        assert at_stripe(north) == {("active", False)}

    def test_parts_end_with_it(self, acme: Subscriber, north: Subscriber) -> None:
        assert [(part.address, [each.kind for each in part.pays]) for part in look(acme).parts] == [("north", ["plan"])]
        decide(acme, at_period_end=False)
        assert tell(acme) == ""
        assert at_stripe(north) == at_stripe(acme) == {("canceled", False)}
        assert (active(acme, "north"), look(acme, "north").done) == (False, True)
