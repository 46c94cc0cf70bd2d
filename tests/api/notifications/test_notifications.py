"""Choosing who is told of what, making endpoints, and looking at deliveries, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.access import Role, Scope
from billing_app.domain.notifications.kinds import KINDS, kind_ids
from billing_app.gateways.webhooks import HttpWebhookSender, reachable
from billing_app.services.common import organizations
from billing_app.services.notifications import deliveries
from billing_app.services.notifications.deliveries import Courier
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key, a_user, the_catalogue
from tests.support.webhook_receiver import Receiver, running_receiver

N = "/organizations/acme/notifications"
MAILED = [kind.id for kind in KINDS if kind.mailed]


@pytest.fixture
def api(site: Site, database: Database) -> Api:
    """The API of a console that may send to this machine; its clock is the wall's, because signatures grow old."""
    made = Api(site, database, webhook_networks="127.0.0.0/8")
    made.now = clock.now()
    return made


@pytest.fixture
def program(api: Api, ada: str) -> Iterator[httpx.Client]:
    """A program of acme with an admin's key."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        a_user(session, "bill@example.org", member_of=acme, role=Role.BILLING)
        secret, _ = a_key(session, acme, Scope.ADMIN)
    with api.program(secret) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def delivered(api: Api) -> None:
    """What the job does."""
    sender = HttpWebhookSender(reachable(api.settings), 2.0)
    deliveries.deliver(Courier(api.database.writing, api.database.reading, sender, None, clock.now, "http://127.0.0.1"))


def test_the_defaults_are_said_and_can_be_sent_back(program: httpx.Client) -> None:
    said = program.get(N).json()
    assert [kind["id"] for kind in said["kinds"]] == list(kind_ids())
    assert said["choices"] == {
        "roles": {"admin": MAILED, "billing": MAILED, "member": []},
        "people": {},
        "webhooks": {},
    }
    assert said["mail"] is False
    again = program.put(N, json=said["choices"])
    assert (again.status_code, again.json()) == (200, said)


def test_what_is_chosen_is_kept_and_what_is_not_named_stays(program: httpx.Client) -> None:
    changed = {"roles": {"billing": []}, "people": {"ada@example.org": ["credits.expired"]}}
    said = program.put(N, json=changed).json()["choices"]
    assert said["roles"] == {"admin": MAILED, "billing": [], "member": []}
    assert said["people"] == {"ada@example.org": ["credits.expired"]}
    assert program.put(N, json={"people": {}}).json()["choices"]["people"] == {}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"people": {"eve@example.org": []}}, 404, "member_not_found"),
        ({"people": {}, "roles": {"admin": ["no.such"]}}, 422, "unknown_kind"),
        ({"people": {}, "roles": {"operator": []}}, 422, "invalid_fields"),
        ({"people": {}, "webhooks": {"00000000-0000-7000-8000-000000000000": []}}, 404, "webhook_not_found"),
        ({}, 422, "invalid_fields"),
    ],
)
def test_what_cannot_be_meant_is_refused(program: httpx.Client, body: dict, status: int, code: str) -> None:
    answer = program.put(N, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_endpoint_from_its_making_to_its_end(program: httpx.Client, api: Api, receiver: Receiver) -> None:
    made = program.post(f"{N}/webhooks", json={"url": f"{receiver.url}/hooks", "description": "CRM"})
    assert made.status_code == 201
    webhook, secret = made.json()["id"], made.json()["secret"]
    assert secret.startswith("whsec_")
    assert secret not in program.get(N).text
    sent = program.post(f"{N}/webhooks/{webhook}/test")
    assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
    delivered(api)
    assert receiver.received[0].verified(secret)["data"] == {"organization": "acme"}
    seen = program.get(f"{N}/deliveries/{sent.json()['id']}").json()
    assert (seen["state"], seen["kind"], seen["log"][0]["status"]) == ("delivered", "test", 204)
    assert seen["message_id"] == receiver.ids[0]
    assert seen["body"] == receiver.received[0].body
    turned = program.post(f"{N}/webhooks/{webhook}/rotate-secret").json()
    assert turned["secret"] != secret
    assert turned["old_secret_until"] is not None
    assert program.post(f"{N}/deliveries/{seen['id']}/resend").status_code == 202
    delivered(api)
    assert receiver.received[1].verifies(secret)
    assert receiver.received[1].verifies(turned["secret"])
    assert program.delete(f"{N}/webhooks/{webhook}").status_code == 204
    assert program.get(N).json()["webhooks"] == []
    for answer in (
        program.post(f"{N}/webhooks/{webhook}/test"),
        program.post(f"{N}/deliveries/{seen['id']}/resend"),
        program.delete(f"{N}/webhooks/{webhook}"),
    ):
        assert answer.json()["code"] in ("webhook_not_found", "receiver_gone")


def test_deliveries_are_listed_page_by_page(program: httpx.Client, api: Api, receiver: Receiver) -> None:
    webhook = program.post(f"{N}/webhooks", json={"url": receiver.url}).json()["id"]
    made = [program.post(f"{N}/webhooks/{webhook}/test").json()["id"] for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = program.get(f"{N}/deliveries", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert seen == list(reversed(made))
    assert program.get(f"{N}/deliveries", params={"state": "delivered"}).json()["items"] == []
    assert len(program.get(f"{N}/deliveries", params={"webhook": webhook}).json()["items"]) == 5
    assert program.get(f"{N}/deliveries", params={"cursor": "WyJ4Il0"}).json()["code"] == "cursor_not_found"


@pytest.mark.parametrize("url", ["https://10.0.0.1/x", "http://example.com", "https://a:b@example.com", "x"])
def test_an_address_that_is_none_is_refused(program: httpx.Client, url: str) -> None:
    answer = program.post(f"{N}/webhooks", json={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_url")


def test_another_organizations_deliveries_are_not_there(program: httpx.Client, api: Api, receiver: Receiver) -> None:
    webhook = program.post(f"{N}/webhooks", json={"url": receiver.url}).json()["id"]
    sent = program.post(f"{N}/webhooks/{webhook}/test").json()["id"]
    with api.database.writing() as session:
        globex = organizations.create(session, api.now, address="globex")
        secret, _ = a_key(session, globex, Scope.ADMIN)
    with api.program(secret) as other:
        elsewhere = "/organizations/globex/notifications"
        assert other.get(f"{elsewhere}/deliveries").json()["items"] == []
        assert other.get(f"{elsewhere}/deliveries/{sent}").status_code == 404
        assert other.post(f"{elsewhere}/webhooks/{webhook}/rotate-secret").status_code == 404
