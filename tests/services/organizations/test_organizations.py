"""Members, parts of organizations, limits, overrides, profiles and the audit log, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import BillingError
from billing_app.domain.organizations.limits import Limit
from billing_app.services.access import api_keys, members, one_time_links, sessions
from billing_app.services.common import audit
from billing_app.services.common import organizations as orgs
from billing_app.services.common import payers as paying
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.limits import limits, overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.operators import organizations as operators
from billing_app.services.organizations import children, profiles
from billing_app.services.overview import frame, overview, read_usage
from billing_app.services.overview.views import BannerKind
from billing_app.services.usage import accounts, consumption, entitlements, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.services.verification import verification
from billing_app.settings import Settings
from billing_app.store.tables.organizations import Organization
from tests.support.builders import NOON, a_user, an_organization, the_catalogue

ADMIN = "ada@example.org"


@pytest.fixture
def acme(database: Database) -> Database:
    """acme on the plan pro with Ada as its admin."""
    the_catalogue(database)
    with database.writing() as session:
        organization = an_organization(session, "acme")
        grants.change_plan(Context(session, organization, NOON - timedelta(days=60)), "pro", reason="a test")
        a_user(session, ADMIN, member_of=organization)
    return database


def at(session: Session, address: str = "acme") -> Organization:
    return orgs.by_address(session, address)


def refused(code: str, work: Any, *arguments: Any, **named: Any) -> BillingError:
    with pytest.raises(BillingError) as caught:
        work(*arguments, **named)
    assert caught.value.code == code
    return caught.value


def a_part(session: Session, address: str, parent: str = "acme") -> Organization:
    return children.create(Context(session, at(session, parent), NOON, ADMIN), name=address.title(), address=address)


def actions(session: Session, address: str = "acme") -> list[str]:
    return [entry.action for entry in audit.entries(session, at(session, address).pk, 50)]


class TestMembers:
    def test_an_invitation_is_a_place_taken_and_its_link_lets_in(self, acme: Database) -> None:
        with acme.writing() as session:
            made = members.invite(Context(session, at(session), NOON, ADMIN), "Kim@Example.org", Role.MEMBER)
            assert limits.peek(Context(session, at(session), NOON), Limit.MEMBERSHIPS).used == 2
        token = made.path.partition("token=")[2]
        with acme.writing() as session:
            one_time_links.accept(session, token, NOON, name="Kim", hashed="x")
            found = {member.email: (member.role, member.accepted_at) for member in members.every(session, at(session))}
        assert found == {ADMIN: (Role.ADMIN, NOON), "kim@example.org": (Role.MEMBER, NOON)}
        with acme.reading() as session:
            assert actions(session)[:2] == ["member.joined", "member.invited"]

    def test_inviting_again_replaces_the_link_and_takes_no_second_place(self, acme: Database) -> None:
        with acme.writing() as session:
            first = members.invite(Context(session, at(session), NOON, ADMIN), "kim@example.org", Role.MEMBER)
            second = members.invite(Context(session, at(session), NOON, ADMIN), "kim@example.org", Role.BILLING)
            assert first.path != second.path
            assert limits.peek(Context(session, at(session), NOON), Limit.MEMBERSHIPS).used == 2
            refused(
                "link_ended",
                one_time_links.look,
                session,
                first.path.partition("token=")[2],
                one_time_links.Kind.INVITATION,
                NOON,
            )
            assert (
                one_time_links.look(
                    session, second.path.partition("token=")[2], one_time_links.Kind.INVITATION, NOON
                ).role
                == "billing"
            )

    def test_somebody_always_administers(self, acme: Database) -> None:
        with acme.writing() as session:
            ada = members.every(session, at(session))[0]
            members.invite(Context(session, at(session), NOON, ADMIN), "kim@example.org", Role.ADMIN)
            for role in (Role.MEMBER, Role.BILLING):
                refused("last_admin", members.change_role, Context(session, at(session), NOON, ADMIN), ada.id, role)
            refused("last_admin", members.remove, Context(session, at(session), NOON, ADMIN), ada.id)
            second = a_user(session, "bo@example.org", member_of=at(session))
            members.change_role(Context(session, at(session), NOON, ADMIN), ada.id, Role.MEMBER)
            refused("last_admin", members.remove, Context(session, at(session), NOON, ADMIN), second.id)
            members.remove(Context(session, at(session), NOON, ADMIN), ada.id)
            assert actions(session)[:2] == ["member.left", "member.role_changed"]

    def test_a_taken_back_invitation_opens_nothing(self, acme: Database) -> None:
        with acme.writing() as session:
            made = members.invite(Context(session, at(session), NOON, ADMIN), "kim@example.org", Role.MEMBER)
            members.remove(Context(session, at(session), NOON, ADMIN), made.member.id)
            token = made.path.partition("token=")[2]
            refused("link_ended", one_time_links.accept, session, token, NOON, name="Kim", hashed="x")
            assert limits.peek(Context(session, at(session), NOON), Limit.MEMBERSHIPS).used == 1
            assert actions(session)[0] == "invitation.withdrawn"

    def test_one_of_another_organization_is_not_there(self, acme: Database) -> None:
        with acme.writing() as session:
            stranger = a_user(session, "eve@example.org", member_of=an_organization(session, "globex"))
            for work in (
                lambda: members.remove(Context(session, at(session), NOON, ADMIN), stranger.id),
                lambda: members.change_role(Context(session, at(session), NOON, ADMIN), stranger.id, Role.ADMIN),
            ):
                refused("member_not_found", work)


class TestLimits:
    def test_a_refusal_says_everything(self, acme: Database) -> None:
        with acme.writing() as session:
            overrides.put(
                Context(session, at(session), NOON, "op"), Kind.LIMIT, "memberships", 1, ends_at=None, reason="a test"
            )
            refusal = refused(
                "limit_reached",
                members.invite,
                Context(session, at(session), NOON, ADMIN),
                "kim@example.org",
                Role.MEMBER,
            )
        assert refusal.status == 403
        assert refusal.fields == {
            "name": "memberships",
            "limit": 1,
            "used": 1,
            "requested": 1,
            "plan": "pro",
            "upgrade_url": "/o/acme/plan",
        }
        assert refusal.detail == (
            "The operator has set 1 member in place of what the plan Pro says, and 1 are taken. "
            "Ask the operator for more."
        )

    @pytest.mark.parametrize(("maximum", "fits"), [(0, False), (1, False), (2, True), (None, True)])
    def test_below_the_limit_passes_at_it_does_not(self, acme: Database, maximum: int | None, fits: bool) -> None:
        with acme.writing() as session:
            overrides.put(
                Context(session, at(session), NOON, "op"), Kind.LIMIT, "memberships", maximum, ends_at=None, reason="t"
            )
            assert limits.peek(Context(session, at(session), NOON), Limit.MEMBERSHIPS).fits() is fits
            if fits:
                limits.require(Context(session, at(session), NOON), Limit.MEMBERSHIPS)
            else:
                refused("limit_reached", limits.require, Context(session, at(session), NOON), Limit.MEMBERSHIPS)

    def test_a_census_is_bounded_by_itself(self, acme: Database) -> None:
        with acme.writing() as session:
            limits.require(Context(session, at(session), NOON), Limit.CENSUS, 10_000)
            refusal = refused(
                "census_too_large", limits.require, Context(session, at(session), NOON), Limit.CENSUS, 10_001
            )
        assert (refusal.fields["limit"], refusal.fields["requested"]) == (10_000, 10_001)

    def test_a_smaller_plan_keeps_what_is_there_and_refuses_more(self, acme: Database) -> None:
        with acme.writing() as session:
            for number in range(3):
                members.invite(Context(session, at(session), NOON, ADMIN), f"m{number}@example.org", Role.MEMBER)
            grants.change_plan(Context(session, at(session), NOON, ADMIN), "free")
        with acme.writing() as session:
            assert len(members.every(session, at(session))) == 4
            over = {use.limit: (use.used, use.maximum) for use in limits.exceeded(Context(session, at(session), NOON))}
            assert over == {Limit.MEMBERSHIPS: (4, 2)}
            told = overview.overview(Context(session, at(session), NOON)).banners
            assert [banner.limit_name for banner in told if banner.kind is BannerKind.OVER_LIMIT] == ["members"]
            refused(
                "limit_reached", members.invite, Context(session, at(session), NOON, "a"), "x@example.org", Role.MEMBER
            )

    def test_an_override_ends_by_itself_and_when_it_is_taken_back(self, acme: Database) -> None:
        later = NOON + timedelta(days=3)
        with acme.writing() as session:
            override = {"ends_at": later, "reason": "a promise"}
            overrides.put(Context(session, at(session), NOON, "op"), Kind.LIMIT, "subOrgs", 99, **override)
            found = [
                limits.peek(Context(session, at(session), moment), Limit.SUB_ORGS).maximum for moment in (NOON, later)
            ]
            assert found == [99, 10]
            overrides.put(Context(session, at(session), NOON, "op"), Kind.LIMIT, "subOrgs", None, **override)
            assert limits.peek(Context(session, at(session), NOON), Limit.SUB_ORGS).maximum is None
            overrides.end(Context(session, at(session), NOON, "op"), Kind.LIMIT, "subOrgs")
            assert limits.peek(Context(session, at(session), NOON), Limit.SUB_ORGS).maximum == 10
            assert len(overrides.every(session, at(session))) == 2
            assert actions(session)[:3] == ["override.ended", "override.set", "override.set"]

    @pytest.mark.parametrize(
        ("kind", "name", "value", "reason", "code"),
        [
            (Kind.LIMIT, "chairs", 1, "r", "invalid_override"),
            (Kind.LIMIT, "memberships", -1, "r", "invalid_override"),
            (Kind.LIMIT, "customURL", 2, "r", "invalid_override"),
            (Kind.FEATURE, "whiteLabel", None, "r", "invalid_override"),
            (Kind.VOTING_TYPE, "shouting", 1, "r", "invalid_override"),
            (Kind.LIMIT, "memberships", 1, " ", "reason_required"),
        ],
    )
    def test_what_can_not_be_meant_is_refused(
        self, acme: Database, kind: Kind, name: str, value: int | None, reason: str, code: str
    ) -> None:
        with acme.writing() as session:
            refused(
                code,
                overrides.put,
                Context(session, at(session), NOON, "o"),
                kind,
                name,
                value,
                ends_at=None,
                reason=reason,
            )


class TestParts:
    def test_three_levels_and_no_fourth(self, acme: Database) -> None:
        with acme.writing() as session:
            a_part(session, "north")
            a_part(session, "oslo", "north")
            refused("too_many_levels", children.create, Context(session, at(session, "oslo"), NOON, ADMIN), name="x")
            found = [
                (part.address, part.depth, part.parent) for part in children.below(Context(session, at(session), NOON))
            ]
        assert found == [("north", 1, "acme"), ("oslo", 2, "north")]

    def test_parts_members_and_parts_count_together(self, acme: Database) -> None:
        with acme.writing() as session:
            north = a_part(session, "north")
            a_part(session, "oslo", "north")
            members.invite(Context(session, north, NOON, ADMIN), "kim@example.org", Role.ADMIN)
            members.invite(Context(session, north, NOON, ADMIN), ADMIN, Role.MEMBER)
            used = {use.limit: use.used for use in limits.usage(Context(session, north, NOON))}
        assert (used[Limit.MEMBERSHIPS], used[Limit.SUB_ORGS]) == (2, 2)

    def test_use_of_a_part_counts_on_whoever_pays_and_says_whose_it_was(self, acme: Database) -> None:
        gigabyte = 1_000_000_000
        with acme.writing() as session:
            a_part(session, "north")
            for address, key, mau in (("acme", "1", "phone-1"), ("north", "1", "phone-2"), ("north", "2", "phone-1")):
                report = reporting.report(Context(session, at(session, address), NOON), [
                        ReportedEvent("bandwidth", 5 * gigabyte, at=NOON, id=key),
                        ReportedEvent("mau", subject=mau, at=NOON, id=f"mau-{key}"),
                    ])  # fmt: skip
                assert (report.accepted, report.duplicates, report.rejected) == (2, [], [])
            reporting.report(Context(session, at(session), NOON), [ReportedEvent("storage", 10 * gigabyte, at=NOON)])
            later = NOON + timedelta(minutes=1)
            reporting.report(
                Context(session, at(session, "north"), later), [ReportedEvent("storage", gigabyte, at=later)]
            )
            reporting.report(Context(session, at(session), later), [ReportedEvent("storage", 4 * gigabyte, at=later)])
            again = reporting.report(
                Context(session, at(session, "north"), NOON), [ReportedEvent("bandwidth", 1, id="1")]
            )
            assert [duplicate.differs for duplicate in again.duplicates] == [True]
        with acme.reading() as session:
            shares = {
                metric: {
                    source.address: source.used
                    for source in read_usage.usage(Context(session, at(session), later), metric).sources
                }
                for metric in ("bandwidth", "mau", "storage")
            }
            assert list(verification.verify(Context(session, at(session), later))) == []
        assert shares == {
            "bandwidth": {"north": 10 * gigabyte, "acme": 5 * gigabyte},
            "mau": {"acme": 1, "north": 1},
            "storage": {"acme": 10 * gigabyte},
        }

    def test_a_check_and_consume_of_a_part_ask_the_payer(self, acme: Database) -> None:
        with acme.writing() as session:
            a_part(session, "north")
            included = entitlements.check_metric(Context(session, at(session, "north"), NOON), "emails")
            assert included.allowed
            room = 20_000
            taken = consumption.consume(
                Context(session, at(session, "north"), NOON), "emails", room, mode=consumption.Mode.CLAMP
            )
            refused_now = entitlements.check_metric(Context(session, at(session), NOON), "emails")
            assert not refused_now.allowed
            assert not entitlements.check_metric(Context(session, at(session, "north"), NOON), "emails").allowed
            grants.grant(
                Context(session, at(session), NOON),
                grants.NewGrant("emails", 7, source="operator", source_key="g", reason="t"),
            )
            held = consumption.reserve(Context(session, at(session, "north"), NOON), "emails", 5)
            consumption.confirm(Context(session, at(session, "north"), NOON), held.id, quantity=3)
            sources = read_usage.usage(Context(session, at(session), NOON), "emails").sources
        assert [(source.address, source.used) for source in sources] == [("north", taken.accepted + 3)]

    def test_a_parts_reservation_is_nobody_elses_but_the_payers(self, acme: Database) -> None:
        with acme.writing() as session:
            a_part(session, "north")
            a_part(session, "south")
            held = consumption.reserve(Context(session, at(session, "north"), NOON), "emails", 5)
            refused("reservation_not_found", consumption.confirm, Context(session, at(session, "south"), NOON), held.id)
            consumption.release(Context(session, at(session), NOON), held.id)

    def test_a_plan_of_its_own_is_a_dated_fact(self, acme: Database) -> None:
        """Late use of before goes to whoever paid before."""
        got, lost = NOON + timedelta(days=2), NOON + timedelta(days=4)
        with acme.writing() as session:
            north = a_part(session, "north")
            grants.change_plan(Context(session, north, got, ADMIN), "free")
            children.end_plan(Context(session, north, lost, ADMIN), reason="ended")
            moments = (NOON, got, lost)
            events = [
                ReportedEvent("emails", 1 + n, at=moment + timedelta(hours=1)) for n, moment in enumerate(moments)
            ]
            reporting.report(Context(session, north, lost + timedelta(hours=2)), events)
            payers = [paying.payer(session, north, moment).address for moment in moments]
            ours = read_usage.usage(Context(session, at(session), lost + timedelta(hours=2)), "emails")
            theirs = read_usage.usage(Context(session, north, lost + timedelta(hours=2)), "emails")
            own = accounts.account(session, north, "emails", lost + timedelta(hours=2))
        assert payers == ["acme", "north", "acme"]
        assert [(month.used, month.own) for month in (ours.months[-1], theirs.months[-1])] == [(4, None), (4, 4)]
        assert own.used == 2
        with acme.writing() as session:
            refused("no_parent", children.end_plan, Context(session, at(session), lost, ADMIN), reason="")

    def test_one_with_its_own_plan_counts_for_itself(self, acme: Database) -> None:
        with acme.writing() as session:
            north = a_part(session, "north")
            grants.change_plan(Context(session, north, NOON, ADMIN), "free")
            members.invite(Context(session, north, NOON, ADMIN), "kim@example.org", Role.ADMIN)
            used = {
                each.address: {use.limit: use.used for use in limits.usage(Context(session, each, NOON))}
                for each in (at(session), north)
            }
        assert (used["acme"][Limit.MEMBERSHIPS], used["acme"][Limit.SUB_ORGS]) == (1, 1)
        assert (used["north"][Limit.MEMBERSHIPS], used["north"][Limit.SUB_ORGS]) == (1, 0)

    def test_a_deactivated_part_keeps_its_data_and_allows_nothing(self, acme: Database) -> None:
        with acme.writing() as session:
            north = a_part(session, "north")
            children.set_active(Context(session, at(session), NOON, ADMIN), north, False)
            refused("organization_inactive", entitlements.check_metric, Context(session, north, NOON), "emails")
            refused("organization_inactive", consumption.consume, Context(session, north, NOON), "emails", 1)
            refused(
                "organization_inactive", members.invite, Context(session, north, NOON, "a"), "k@example.org", Role.ADMIN
            )
            refused(
                "organization_inactive", reporting.report, Context(session, north, NOON), [ReportedEvent("emails", 1)]
            )
            assert limits.peek(Context(session, at(session), NOON), Limit.SUB_ORGS).used == 0
            children.set_active(Context(session, at(session), NOON, ADMIN), north, True)
            assert entitlements.check_metric(Context(session, north, NOON), "emails").allowed

    def test_a_part_moves_within_the_tree_and_never_into_itself(self, acme: Database) -> None:
        with acme.writing() as session:
            north, south = a_part(session, "north"), a_part(session, "south")
            a_part(session, "oslo", "north")
            move = lambda part, to: children.move(Context(session, at(session), NOON, ADMIN), part, to)  # noqa: E731
            refused("parent_cycle", move, north, "oslo")
            refused("too_many_levels", move, north, "south")
            move(at(session, "oslo"), "south")
            assert [part.address for part in children.below(Context(session, at(session), NOON))] == [
                "north",
                "south",
                "oslo",
            ]
            assert south.id == at(session, "oslo").parent_id
            refused("suborganization_not_found", move, an_organization(session, "globex"), "globex2")

    def test_credits_are_bought_where_they_count(self, acme: Database) -> None:
        with acme.writing() as session:
            refusal = refused("no_own_plan", paying.require_own_plan, Context(session, a_part(session, "north"), NOON))
        assert refusal.fields["payer"] == "acme"


class TestProfile:
    def test_a_change_is_noted_with_what_it_was(self, acme: Database) -> None:
        with acme.writing() as session:
            profiles.change(
                Context(session, at(session), NOON, ADMIN), {"name": "Acme Ltd", "color": "#0090FF", "country": "pt"}
            )
            entry = audit.entries(session, at(session).pk, 1)[0]
        assert (entry.who, entry.action) == (ADMIN, "organization.changed")
        assert (entry.before["name"], entry.after["name"]) == ("acme", "Acme Ltd")
        assert (entry.after["color"], entry.after["country"]) == ("#0090ff", "PT")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"color": "red"}, {"country": "Portugal"}, {"timezone": "Mars/Base"}, {"logo": "javascript:alert(1)"},
            {"subdomain": "-x"}, {"type": "x" * 101}, {"description": "a\x00b"}, {"address": "other"},
        ],
    )  # fmt: skip
    def test_what_can_not_be_meant_is_refused(self, acme: Database, wrong: dict[str, str]) -> None:
        with acme.writing() as session:
            refused("invalid_profile", profiles.change, Context(session, at(session), NOON, ADMIN), wrong)

    def test_a_web_address_is_one_organizations_and_in_use_where_the_plan_has_one(self, acme: Database) -> None:
        with acme.writing() as session:
            profiles.change(Context(session, at(session), NOON, ADMIN), {"subdomain": "Maps"})
            assert profiles.subdomain_in_use(Context(session, at(session), NOON))
            other = an_organization(session, "globex")
            refused("subdomain_taken", profiles.change, Context(session, other, NOON, ADMIN), {"subdomain": "maps"})
            profiles.change(Context(session, other, NOON, ADMIN), {"subdomain": "globes"})
            assert not profiles.subdomain_in_use(Context(session, other, NOON))
            grants.change_plan(Context(session, other, NOON), "pro")
            assert profiles.subdomain_in_use(Context(session, other, NOON))
            grants.change_plan(Context(session, other, NOON), "free")
            assert other.subdomain == "globes"
            assert not profiles.subdomain_in_use(Context(session, other, NOON))


class TestAudit:
    def test_the_database_keeps_the_log(self, acme: Database) -> None:
        for statement in ("UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries"):
            with pytest.raises(DBAPIError, match="append-only"), acme.writing() as session:
                session.connection().execute(text(statement))

    def test_no_secret_gets_in(self, acme: Database) -> None:
        with acme.writing() as session:
            for name in ("password", "new_secret", "token_hash"):
                with pytest.raises(ValueError, match="secret"):
                    audit.record(session, None, NOON, ADMIN, "x.y", after={name: "x"})
            made = api_keys.create(session, at(session).pk, "Reports", ["read"], ADMIN, NOON)
            invited = members.invite(Context(session, at(session), NOON, ADMIN), "kim@example.org", Role.MEMBER)
            written = str(audit.entries(session, None, 200))
        assert made.secret not in written
        assert invited.path.partition("token=")[2] not in written

    def test_nothing_changed_is_nothing_noted(self, acme: Database) -> None:
        with acme.writing() as session:
            before = len(actions(session))
            profiles.change(Context(session, at(session), NOON, ADMIN), {"name": at(session).name})
            assert len(actions(session)) == before

    def test_pages_of_the_log_meet_and_keys_have_names(self, acme: Database) -> None:
        with acme.writing() as session:
            owner = at(session).pk
            key = api_keys.create(session, owner, "Reports", ["admin"], ADMIN, NOON).id
            for number in range(7):
                audit.record(session, owner, NOON, f"key:{key}", "thing.made", str(number))
            whole = audit.entries(session, owner, 100)
            pages, before = [], None
            while found := audit.entries(session, owner, 3, before=before):
                pages += found
                before = found[-1].place
        assert pages == whole
        assert whole[0].who == "API key Reports"
        with acme.reading() as session:
            made = audit.entries(session, owner, 100, action="api_key")
        assert [entry.action for entry in made] == ["api_key.created"]

    def test_every_change_has_its_entry(self, acme: Database) -> None:
        with acme.writing() as session:
            grants.grant(
                Context(session, at(session), NOON, "op"),
                grants.NewGrant("emails", 5, source="operator", source_key="g", reason="r"),
            )
            key = api_keys.create(session, at(session).pk, "Reports", ["read"], ADMIN, NOON).id
            api_keys.revoke(session, at(session).pk, key, NOON, actor=ADMIN)
            api_keys.revoke(session, at(session).pk, key, NOON, actor=ADMIN)
            found = actions(session)
            console = [entry.action for entry in audit.entries(session, audit.CONSOLE, 10)]
        assert found[:4] == ["api_key.revoked", "api_key.created", "grant.made", "member.joined"]
        assert found[-1] == "plan.changed"
        assert "user.created" in console


class TestShownWithoutAPlan:
    def test_a_part_shows_the_plan_of_whoever_pays_and_its_pages_open(self, acme: Database) -> None:
        with acme.writing() as session:
            north = a_part(session, "north")
            grants.change_plan(Context(session, north, NOON, ADMIN), "free")
            children.end_plan(Context(session, north, NOON, ADMIN), reason="ended")
            op = a_user(session, "op@example.org", operator=True)
            token = sessions.start(session, op, NOON).token
        with acme.reading() as session:
            access = sessions.authorize(session, sessions.identify(session, token, NOON), "north", NOON)
            shown = frame.organization_frame(session, access, Settings(_env_file=None), NOON)
            assert overview.overview(Context(session, access.organization, NOON)).plan_name == "Pro"
            listed = operators.organizations(session, "north", "", NOON).organizations
        assert (shown.organization.plan_name, shown.organization.payer_name) == ("Pro", "acme")
        assert [(line.plan_name, line.payer_name) for line in listed] == [("Pro", "acme")]


def test_all_that_an_organization_is_a_part_of_hears_of_what_its_pages_list(acme: Database) -> None:
    """Names, members and activity of parts stand on the pages of everything above, not of the nearest alone."""

    def revisions() -> list[int]:
        with acme.reading() as session:
            found = orgs.revisions_by_address(session, ["acme", "north", "oslo"])
        return [found["acme"], found["north"], found.get("oslo", 0)]

    with acme.writing() as session:
        a_part(session, "north")
    before = revisions()
    with acme.writing() as session:
        a_part(session, "oslo", "north")
    made = revisions()
    assert [made[0] > before[0], made[1] > before[1]] == [True, True]
    for change in (
        lambda session: profiles.change(Context(session, at(session, "oslo"), NOON, ADMIN), {"name": "Oslo"}),
        lambda session: members.invite(
            Context(session, at(session, "oslo"), NOON, ADMIN), "bo@example.org", Role.MEMBER
        ),
        lambda session: children.set_active(Context(session, at(session), NOON, ADMIN), at(session, "oslo"), False),
        lambda session: profiles.set_active(Context(session, at(session, "oslo"), NOON, ADMIN), True),
        lambda session: children.move(Context(session, at(session), NOON, ADMIN), at(session, "oslo"), "acme"),
    ):
        before = revisions()
        with acme.writing() as session:
            change(session)
        assert all(now > then for now, then in zip(revisions(), before, strict=True)), change
