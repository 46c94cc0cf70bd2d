"""Whatever is limited by a number of ours is counted by one at a time: of nine at once no more pass than there is room.

What a plan limits is in test_one_place_left. Each client has database connections of its own, as a web worker has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlmodel import select

from billing_app.db import Database, Session
from billing_app.domain.common.access import Role, Scope
from billing_app.domain.common.errors import BillingError
from billing_app.services.access import api_keys, members, one_time_links, sessions, sign_in_links, sign_up
from billing_app.services.access.sessions import MAX_SESSIONS, Identity
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import gift_cards, grants
from billing_app.services.credits.gift_cards import Redeemed
from billing_app.services.notifications import choices as notification_choices
from billing_app.services.notifications import webhook_endpoints
from billing_app.services.organizations import create
from billing_app.services.purchases import orders
from billing_app.services.usage import consumption, meters
from billing_app.store.access import users as user_store
from billing_app.store.notifications import choices as notifications
from billing_app.store.tables.access import BrowserSession, OneTimeLink, User
from tests.support.builders import NOON, a_user, an_organization, the_catalogue
from tests.support.patience import PATIENCE_SECONDS

CLIENTS = 9

Work = Callable[[Session, int], object]


def at_once(database: Database, work: Work) -> Counter[str]:
    """Every client does its work in a transaction of its own; gives how many heard what."""
    begin = Barrier(CLIENTS)
    url = database.url.render_as_string(hide_password=False)

    def client(number: int) -> str:
        own = Database(url)
        try:
            begin.wait(PATIENCE_SECONDS)
            with own.writing() as session:
                work(session, number)
        except BillingError as refusal:
            return refusal.code
        finally:
            own.close()
        return "made"

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(client, range(CLIENTS)))


@pytest.fixture
def acme(database: Database) -> Database:
    """An organization on a plan with room for members, and its admin Ada."""
    the_catalogue(database)
    with database.writing() as session:
        made = an_organization(session, "acme")
        grants.change_plan(Context(session, made, NOON), "pro")
        a_user(session, member_of=made)
    return database


def test_nine_webhooks_at_once_are_five(acme: Database) -> None:
    def add(session: Session, number: int) -> object:
        organization = organizations.by_address(session, "acme")
        return webhook_endpoints.create(Context(session, organization, NOON, "tests"), f"https://example.com/{number}")

    assert at_once(acme, add) == {"made": webhook_endpoints.MAX_ENDPOINTS, "too_many_webhooks": 4}
    with acme.reading() as session:
        assert len(notifications.endpoints(session, organizations.by_address(session, "acme").pk)) == 5


def test_no_more_people_are_told_than_there_is_room_for(acme: Database) -> None:
    room = 2
    with acme.writing() as session:
        organization = organizations.by_address(session, "acme")
        people = [f"one{number}@example.org" for number in range(notification_choices.MAX_PEOPLE - room)]
        for email in [*people, *(f"more{number}@example.org" for number in range(CLIENTS))]:
            a_user(session, email, member_of=organization)
        for email in people:
            notification_choices.add_person(Context(session, organization, NOON, "tests"), email)

    def add(session: Session, number: int) -> object:
        organization = organizations.by_address(session, "acme")
        return notification_choices.add_person(
            Context(session, organization, NOON, "tests"), f"more{number}@example.org"
        )

    assert at_once(acme, add) == {"made": room, "too_many_people": CLIENTS - room}


def test_nobody_founds_more_organizations_than_one_person_may(acme: Database) -> None:
    room = 2
    with acme.writing() as session:
        ada = user_store.by_email(session, "ada@example.org")
        assert ada is not None
        identity = Identity(ada.id, ada.email, ada.name, operator=False)
        for number in range(create.MAX_OWN - 1 - room):
            create.found(session, NOON, name=f"Held {number}", identity=identity, actor=ada.email)

    def found(session: Session, number: int) -> object:
        return create.found(session, NOON, name=f"New {number}", identity=identity, actor="tests")

    assert at_once(acme, found) == {"made": room, "too_many_organizations": CLIENTS - room}


def test_a_card_for_two_is_redeemed_by_two(acme: Database) -> None:
    with acme.writing() as session:
        for number in range(CLIENTS):
            an_organization(session, f"taker{number}")
        made = gift_cards.create(session, "For two", {"emails": 100}, NOON, max_redemptions=2)
        code = made[0].code

    def redeem(session: Session, number: int) -> Redeemed:
        organization = organizations.by_address(session, f"taker{number}")
        gift_cards.begin(Context(session, organization, NOON))
        return gift_cards.redeem(Context(session, organization, NOON, "tests"), code)

    assert at_once(acme, redeem) == {"made": 2, "gift_card_used_up": CLIENTS - 2}


def test_one_person_has_no_more_sessions_than_the_limit(acme: Database) -> None:
    with acme.writing() as session:
        ada = user_store.by_email(session, "ada@example.org")
        assert ada is not None
        first = sessions.start(session, ada, NOON)
        for number in range(MAX_SESSIONS):
            sessions.start(session, ada, NOON + timedelta(seconds=1 + number))

    def enter(session: Session, number: int) -> object:
        user = user_store.by_email(session, "ada@example.org")
        assert user is not None
        return sessions.start(session, user, NOON + timedelta(hours=1, seconds=number))

    assert at_once(acme, enter) == {"made": CLIENTS}
    with acme.reading() as session:
        assert len(session.exec(select(BrowserSession)).all()) == MAX_SESSIONS
        assert sessions.identify(session, first.token, NOON) is None


def test_one_address_invited_by_nine_at_once_is_one_person(acme: Database) -> None:
    with acme.writing() as session:
        for number in range(CLIENTS):
            an_organization(session, f"host{number}")

    def invite(session: Session, number: int) -> object:
        organization = organizations.by_address(session, f"host{number}")
        if number % 2:
            return members.invite(Context(session, organization, NOON, "tests"), "new@example.org", Role.MEMBER)
        return sign_in_links.create(Context(session, organization, NOON, "tests"), "new@example.org", Role.MEMBER, "")

    assert at_once(acme, invite) == {"made": CLIENTS}


def test_one_address_signed_up_nine_times_at_once_is_one_person_who_is_mailed_three_times(acme: Database) -> None:
    mailed: list[object] = []

    def ask(session: Session, number: int) -> None:
        mailed.append(sign_up.ask(session, "new@example.org", f"New {number}", NOON, "http://console"))

    assert at_once(acme, ask) == {"made": CLIENTS}
    assert len([mail for mail in mailed if mail is not None]) == sign_up.ACCOUNT_ASKS


def test_the_first_operator_is_one(database: Database) -> None:
    with database.writing() as session:
        tokens = [one_time_links.make(session, one_time_links.Kind.SET_UP, NOON) for _ in range(CLIENTS)]

    def set_up(session: Session, number: int) -> object:
        return one_time_links.set_up(session, tokens[number], f"op{number}@example.org", "Op", "hash", NOON)

    assert at_once(database, set_up) == {"made": 1, "link_ended": CLIENTS - 1}
    with database.reading() as session:
        assert len(session.exec(select(User)).all()) == 1


def test_nine_keys_at_once_are_as_many_as_there_is_room_for(acme: Database) -> None:
    room = 2
    with acme.writing() as session:
        owner = organizations.by_address(session, "acme").pk
        for number in range(api_keys.MAX_KEYS - room):
            api_keys.create(session, owner, f"Key {number}", [Scope.READ], "tests", NOON)

    def make(session: Session, number: int) -> object:
        return api_keys.create(session, owner, f"More {number}", [Scope.READ], "tests", NOON)

    assert at_once(acme, make) == {"made": room, "too_many_keys": CLIENTS - room}
    with acme.writing() as session:
        kept = [each for each in api_keys.every(session, owner) if each.revoked_at is None]
        assert len(kept) == api_keys.MAX_KEYS
        api_keys.revoke(session, owner, kept[0].id, NOON)
        api_keys.create(session, owner, "Once more", [Scope.READ], "tests", NOON)


def test_nine_keys_of_the_operator_are_as_many_as_there_is_room_for(acme: Database) -> None:
    room = 3
    with acme.writing() as session:
        for number in range(api_keys.MAX_OPERATOR_KEYS - room):
            api_keys.create(session, None, f"Key {number}", [], "tests", NOON)

    def make(session: Session, number: int) -> object:
        return api_keys.create(session, None, f"More {number}", [], "tests", NOON)

    assert at_once(acme, make) == {"made": room, "too_many_keys": CLIENTS - room}


def test_revoked_keys_do_not_pile_up(acme: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MAX_REVOKED", 3)
    with acme.writing() as session:
        owner = organizations.by_address(session, "acme").pk
        for number in range(8):
            made = api_keys.create(session, owner, f"Key {number}", [Scope.READ], "tests", NOON)
            api_keys.revoke(session, owner, made.id, NOON + timedelta(minutes=number))
        api_keys.create(session, owner, "In use", [Scope.READ], "tests", NOON)
        names = [each.name for each in api_keys.every(session, owner)]
    assert names == ["In use", "Key 7", "Key 6", "Key 5"]


def test_nine_baskets_at_once_are_as_many_as_can_be_paid(acme: Database) -> None:
    room = 2
    with acme.writing() as session:
        organization = organizations.by_address(session, "acme")
        for _ in range(orders.MAX_OPEN_ORDERS - room):
            orders.open_order(Context(session, organization, NOON), [("mau-10k", 1)])

    def order(session: Session, _: int) -> object:
        return orders.open_order(Context(session, organizations.by_address(session, "acme"), NOON), [("mau-10k", 1)])

    assert at_once(acme, order) == {"made": room, "too_many_orders": CLIENTS - room}


def test_nine_reservations_at_once_are_as_many_as_may_be_open(acme: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    room = 2
    monkeypatch.setattr(meters, "MAX_RESERVATIONS", 5)
    with acme.writing() as session:
        organization = organizations.by_address(session, "acme")
        held = [consumption.reserve(Context(session, organization, NOON), "emails", 1) for _ in range(5 - room)]

    def reserve(session: Session, _: int) -> object:
        return consumption.reserve(Context(session, organizations.by_address(session, "acme"), NOON), "emails", 1)

    assert at_once(acme, reserve) == {"made": room, "too_many_reservations": CLIENTS - room}
    with acme.writing() as session:
        organization = organizations.by_address(session, "acme")
        consumption.release(Context(session, organization, NOON), held[0].id)
        consumption.reserve(Context(session, organization, NOON), "emails", 1)


def test_sign_in_links_of_one_person_do_not_pile_up(acme: Database) -> None:
    def make(session: Session, number: int) -> str:
        organization = organizations.by_address(session, "acme")
        now = NOON + timedelta(seconds=number)
        return sign_in_links.create(Context(session, organization, now, "t"), "ada@example.org", Role.ADMIN, "").token

    with acme.writing() as session:
        first = make(session, 0)
        for number in range(1, sign_in_links.MAX_LINKS):
            make(session, number)
    assert at_once(acme, lambda session, number: make(session, 60 + number)) == {"made": CLIENTS}
    with acme.writing() as session:
        assert len(session.exec(select(OneTimeLink)).all()) == sign_in_links.MAX_LINKS
    with acme.writing() as session, pytest.raises(BillingError) as refused:
        sign_in_links.follow(session, first, NOON + timedelta(seconds=70))
    assert refused.value.code == "link_ended"
