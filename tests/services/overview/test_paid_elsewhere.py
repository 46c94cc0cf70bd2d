"""What a sub-organization without a plan of its own is shown, and what stays with the payer (decision 16)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.catalogue import PlanPrices
from billing_app.domain.common.access import Role
from billing_app.services.access import sessions, users
from billing_app.services.common import organizations
from billing_app.services.common import payers as paying
from billing_app.services.common.context import Context
from billing_app.services.credits import explaining, grants, history, statements
from billing_app.services.operators import read_customer
from billing_app.services.organizations import children
from billing_app.services.overview import frame, overview, read_usage
from billing_app.services.overview.views import BannerKind
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.plans import changes, read
from billing_app.services.subscriptions import subscriptions
from billing_app.services.usage import consumption, plans_in_force, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.settings import Settings
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization
from tests.support.builders import NOON, a_user, an_organization, the_catalogue
from tests.support.subscriber import Subscriber, a_subscriber, days

LATER = NOON + timedelta(hours=2)
MEMBER = "mo@north.example"
SETTINGS = Settings(_env_file=None)


@pytest.fixture
def family(database: Database) -> Database:
    """acme on Pro pays for north, for east below it, and for south; everybody used some e-mails."""
    the_catalogue(database)
    with database.writing() as session:
        acme = an_organization(session, "acme")
        grants.change_plan(Context(session, acme, NOON - timedelta(days=60)), "pro", reason="a test")
        ada = a_user(session, "ada@acme.example", member_of=acme)
        for address, parent in (("north", "acme"), ("east", "north"), ("south", "acme")):
            above = organizations.by_address(session, parent)
            children.create(Context(session, above, NOON, ada.email), name=address.title(), address=address)
        person = a_user(session, MEMBER)
        users.join(session, at(session, "north").pk, person, Role.ADMIN, NOON)
        soon = NOON + timedelta(days=20)
        grants.grant(
            Context(session, acme, NOON),
            grants.NewGrant("emails", 500, source="operator", source_key="one", reason="Sorry", expires_at=soon),
        )
        for address, quantity in (("acme", 400), ("north", 70), ("east", 5), ("south", 25)):
            reporting.report(Context(session, at(session, address), NOON), [ReportedEvent("emails", quantity, at=NOON)])
            reporting.report(
                Context(session, at(session, address), NOON), [ReportedEvent("mau", subject=f"of {address}", at=NOON)]
            )
            reporting.report(
                Context(session, at(session, address), NOON), [ReportedEvent("storage", quantity * 10, at=NOON)]
            )
    return database


def at(session: Session, address: str) -> Organization:
    return organizations.by_address(session, address)


def frame_of(session: Session, email: str, address: str) -> FrameView:
    user = users.by_email(session, email)
    token = sessions.start(session, user, NOON).token
    session.flush()
    access = sessions.authorize(session, sessions.identify(session, token, NOON), address, NOON)
    return frame.organization_frame(session, access, SETTINGS, NOON)


def test_the_overview_is_the_payers_with_the_own_part_beside_it(family: Database) -> None:
    with family.reading() as session:
        ours, theirs = (
            overview.overview(Context(session, at(session, each), LATER), "emails") for each in ("acme", "north")
        )
    assert theirs.payer_name == "acme"
    figures = [(meter.metric.id, meter.used, meter.allowance, meter.left) for meter in theirs.meters]
    assert figures == [(meter.metric.id, meter.used, meter.allowance, meter.left) for meter in ours.meters]
    own = {each.metric.id: (each.used, each.whole) for each in theirs.own}
    assert (own["emails"], own["mau"], own["storage"]) == ((75, 500), (2, 4), (750, 5_000))
    assert [month.own for month in theirs.months][-2:] == [0, 75]
    assert (ours.payer_name, ours.own, ours.months[-1].own) == ("", (), None)
    assert theirs.ever_used


def test_what_the_payer_bought_owes_and_is_called_by_others_is_not_told(family: Database) -> None:
    with family.writing() as session:
        acme = at(session, "acme")
        subscriptions.record_past_due(
            Context(session, acme, LATER), past_due=True, at=NOON, reason="The card was not charged"
        )
    with family.reading() as session:
        north = at(session, "north")
        ours = overview.overview(Context(session, at(session, "acme"), LATER))
        theirs = overview.overview(Context(session, north, LATER))
        told = repr(
            [
                theirs,
                read_usage.usage(Context(session, north, LATER), "emails"),
                history.as_items(history.history(Context(session, north, LATER))),
                statements.balances(Context(session, north, LATER)),
                read.plan_view(Context(session, north, LATER), SETTINGS),
            ]
        )
    assert BannerKind.PAST_DUE in {banner.kind for banner in ours.banners}
    assert BannerKind.PAST_DUE not in {banner.kind for banner in theirs.banners}
    assert "Sorry" in repr(ours.ending)
    assert (theirs.spent, theirs.ending, theirs.unposted) == ((), (), ())
    assert "Sorry" not in told
    assert "south" not in told.casefold()


def test_sources_are_its_own_and_all_others_in_one_line(family: Database) -> None:
    with family.reading() as session:
        seen = {
            each: read_usage.usage(Context(session, at(session, each), LATER), "emails").sources
            for each in ("acme", "north", "east")
        }
    named = {each: [(source.name, source.used) for source in sources] for each, sources in seen.items()}
    assert named["acme"] == [("acme", 400), ("North", 70), ("South", 25), ("East", 5)]
    assert named["north"] == [("North", 70), ("East", 5), ("", 425)]
    assert named["east"] == [("East", 5), ("", 495)]


def test_balances_and_history_over_http_are_the_payers_with_the_own_part(family: Database) -> None:
    with family.reading() as session:
        ours, theirs = (statements.balances(Context(session, at(session, each), LATER)) for each in ("acme", "north"))
        months = history.as_items(history.history(Context(session, at(session, "north"), LATER), metric="emails"))
        before = statements.balances(Context(session, at(session, "north"), LATER), as_of=NOON - timedelta(days=1))
    assert [(each.metric, each.used, each.allowance, each.credits) for each in theirs] == [
        (each.metric, each.used, each.allowance, each.credits) for each in ours
    ]
    assert {each.metric: each.own_used for each in theirs}["emails"] == 75
    assert [each.own_used for each in ours] == [each.used for each in ours]
    assert (months[-1].used, months[-1].own_used, months[-1].burned_from) == (500, 75, ())
    assert {each.used for each in before} == {0}


def test_grants_ledger_and_explanation_are_its_own_books(family: Database) -> None:
    with family.reading() as session:
        north = at(session, "north")
        assert statements.grants(Context(session, north, LATER)) == []
        assert statements.ledger(Context(session, north, NOON), 10) == []
        assert explaining.explain(Context(session, north, LATER), "emails", LATER).left == 0
        assert explaining.explain(Context(session, at(session, "acme"), LATER), "emails", LATER).left == 500


def test_before_its_first_plan_a_part_has_none_and_never_the_default_one(family: Database) -> None:
    with family.reading() as session:
        assert plans_in_force.plans(session, at(session, "north").pk).held_at(LATER) is plans_in_force.NOTHING
        (emails,) = (
            each
            for each in overview.overview(Context(session, at(session, "north"), LATER)).meters
            if each.metric.id == "emails"
        )
        payers = plans_in_force.plans(session, at(session, "acme").pk).held_at(LATER)
        assert emails.allowance == payers.allowance("emails")


def test_the_plan_is_named_without_what_its_holder_pays(family: Database) -> None:
    with family.reading() as session:
        ours, theirs = (
            read.plan_view(Context(session, at(session, each), LATER), SETTINGS) for each in ("acme", "north")
        )
    assert (theirs.plan.name, theirs.payer_name, theirs.above_name) == (ours.plan.name, "acme", "acme")
    assert theirs.plan.prices == PlanPrices(None, None)
    assert ours.plan.prices != PlanPrices(None, None)
    assert (ours.payer_name, ours.above_name) == ("", "")
    assert [use.used for use in theirs.limits] == [use.used for use in ours.limits]
    assert not any(plan.default for plan in theirs.plans)


def test_who_may_see_the_payer_is_led_there_and_nobody_else_is(family: Database) -> None:
    with family.writing() as session:
        member, buyer = a_user(session, "both@north.example"), a_user(session, "pays@north.example")
        a_user(session, "op@example.org", operator=True)
        for person, role in ((member, Role.MEMBER), (buyer, Role.BILLING)):
            users.join(session, at(session, "acme").pk, person, role, NOON)
            users.join(session, at(session, "north").pk, person, Role.MEMBER, NOON)
        seen = {
            email: frame_of(session, email, "north").payer
            for email in (MEMBER, "both@north.example", "pays@north.example", "op@example.org")
        }
        assert frame_of(session, "ada@acme.example", "acme").payer is None
    assert {payer.name for payer in seen.values() if payer} == {"acme"}
    assert [(payer.visible, payer.may_buy) for payer in seen.values() if payer] == [
        (False, False), (True, False), (True, True), (True, True),
    ]  # fmt: skip


def test_what_changes_at_the_payer_is_told_to_who_looks_at_a_part(family: Database) -> None:
    with family.writing() as session:
        before = frame_of(session, MEMBER, "north").payer
        reporting.report(Context(session, at(session, "south"), LATER), [ReportedEvent("emails", 1, at=NOON)])
        after = frame_of(session, MEMBER, "north").payer
    assert before is not None and after is not None
    assert after.revision > before.revision


def test_operators_see_whose_plan_it_is(family: Database) -> None:
    with family.reading() as session:
        ours, theirs = (
            read_customer.customer(session, each, "", None, LATER, selling=True) for each in ("acme", "north")
        )
    assert (theirs.plan_name, theirs.payer, theirs.payer_name) == (ours.plan_name, "acme", "acme")
    assert theirs.standings == ours.standings
    assert (theirs.grants, ours.payer) == ((), "")


class TestTheEndOfAPlanOfItsOwn:
    """subscriptions.py and `end_plan` agree: who is above pays again, never the default plan (rule 14)."""

    def test_credits_rest_and_the_payer_pays_from_that_moment(self, family: Database) -> None:
        ended = LATER + timedelta(days=3)
        with family.writing() as session:
            north = at(session, "north")
            grants.change_plan(Context(session, north, LATER), "pro", reason="subscribed")
            grants.grant(
                Context(session, north, LATER),
                grants.NewGrant("emails", 50, source="operator", source_key="own", reason="Welcome"),
            )
            assert paying.payer(session, north, LATER).address == "north"
            assert paying.payer(session, at(session, "east"), LATER).address == "north"
            children.end_plan(Context(session, north, ended, "stripe"), reason="The subscription ended")
            assert paying.payer(session, north, ended).address == "acme"
            assert paying.payer(session, at(session, "east"), ended).address == "acme"
            assert plans_in_force.plans(session, north.pk).held_at(ended) is plans_in_force.NOTHING
            shell = frame_of(session, MEMBER, "north")
            consumption.consume(Context(session, north, ended), "emails", 10)
            (own,) = statements.grants(Context(session, north, ended))
            theirs = {each.metric: each for each in statements.balances(Context(session, north, ended))}["emails"]
        assert shell.payer is not None
        assert own.left == 50
        assert (theirs.used, theirs.own_used) == (510, 85)

    @pytest.mark.parametrize("way", ["cancelled", "paused"])
    def test_a_subscription_that_ends_or_rests_leaves_the_payer_and_not_the_default_plan(
        self, database: Database, way: str
    ) -> None:
        acme = a_subscriber(database)
        with database.writing() as session:
            group = an_organization(session, "group")
            grants.change_plan(Context(session, group, NOON), "pro", reason="a test")
            tree.add_parent(session, at(session, "acme"), group.pk, acme.now, acme.now)
        acme.subscribe("essential")
        assert self.payers(acme) == ("acme", "essential", "")
        if way == "paused":  # a trial is not paused
            acme.wait(acme.now + days(20))
            acme.hear_all()
        acme.act(changes.cancel if way == "cancelled" else changes.pause)
        acme.wait(acme.now + days(60))
        acme.hear_all()
        assert self.payers(acme) == ("group", "", "group")
        if way == "paused":
            acme.act(changes.resume)
            assert self.payers(acme) == ("acme", "essential", "")
        assert acme.differences() == []

    def payers(self, subscriber: Subscriber) -> tuple[str, str, str]:
        """Who pays now, the plan of its own, and who the plan page says pays."""
        with subscriber.database.reading() as session:
            organization = at(session, "acme")
            view = read.plan_view(Context(session, organization, subscriber.now), SETTINGS)
            found = paying.payer(session, organization, subscriber.now)
        assert view.above_name == "group"
        return found.address, subscriber.plan(), view.payer_name
