"""Who is told of what, and where webhooks may go."""

from __future__ import annotations

from uuid import UUID

import pytest

from billing_app.domain.common.errors import BillingError
from billing_app.domain.notifications.kinds import KINDS, kind_ids
from billing_app.services.access import users
from billing_app.services.common import organizations
from billing_app.services.notifications import choices, webhook_endpoints
from billing_app.services.notifications.choices import Choices
from billing_app.store.access import members
from tests.support.notified import Post


def test_an_endpoint_hears_only_of_what_happens_after_it_was_made(post: Post) -> None:
    post.happens()
    post.passes(seconds=1)
    post.endpoint()
    post.fan_out()
    assert {each.channel for each in post.log()} == {"mail"}


def test_without_a_mail_server_nothing_is_kept_for_later(post: Post) -> None:
    post.mailing = False
    post.goes_out()
    assert post.log() == []


def test_what_is_chosen_holds(post: Post) -> None:
    endpoint = post.endpoint(kinds=["credits.expired"])
    wanted = Choices({"admin": (), "member": ("metric.blocked",)}, {"billing@acme.example": ("metric.blocked",)}, {})
    post.do(choices.write, wanted, at=post.now, actor="ada")
    post.goes_out()
    assert post.postbox.receivers == ["billing@acme.example", "member@acme.example"], "each of them once"
    assert post.receiver.received == []
    post.goes_out("credits.expired")
    assert [each.type for each in post.receiver.received] == ["credits.expired"]
    with post.database.reading() as session:
        read = choices.read(session, organizations.by_address(session, "acme"))
    assert read.webhooks == {endpoint: ("credits.expired",)}
    assert read.people == {"billing@acme.example": ("metric.blocked",)}
    assert read.roles["admin"] == ()
    assert read.roles["billing"] == tuple(kind.id for kind in KINDS if kind.mailed)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Choices({"admin": ("no.such",)}, {}, {}), "unknown_kind"),
        (Choices({"operator": ()}, {}, {}), "unknown_role"),
        (Choices({}, {"eve@example.org": ()}, {}), "member_not_found"),
        (Choices({}, {}, {UUID(int=1): ()}), "webhook_not_found"),
        (Choices({}, {f"{n}@acme.example": () for n in range(11)}, {}), "too_many_people"),
    ],
)
def test_a_choice_that_cannot_be_meant_changes_nothing(post: Post, wanted: Choices, code: str) -> None:
    with pytest.raises(BillingError) as refused:
        post.do(choices.write, wanted, at=post.now, actor="ada")
    assert refused.value.code == code


def test_who_left_is_told_no_more(post: Post) -> None:
    post.happens()
    post.fan_out()
    with post.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        billing = users.by_email(session, "billing@acme.example")
        members.remove(session, acme.pk, billing.id)
    post.deliver()
    assert post.postbox.receivers == ["admin@acme.example"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com", "https://", "https://user:pw@example.com/", "example.com",
        "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://exa mple.com", "javascript:1",
        "https://example.com:99999/", "https://example.com/\nX: y", "https://" + "x" * 2_000,
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_is_refused(post: Post, url: str) -> None:
    with pytest.raises(BillingError) as refused:
        post.do(webhook_endpoints.create, url, at=post.now, actor="ada")
    assert refused.value.code == "invalid_url"


def test_an_organization_has_so_many_endpoints(post: Post) -> None:
    for number in range(webhook_endpoints.MAX_ENDPOINTS):
        post.endpoint(f"/{number}")
    with pytest.raises(BillingError) as refused:
        post.endpoint("/more")
    assert refused.value.code == "too_many_webhooks"


def test_every_kind_can_be_told_in_words(post: Post) -> None:
    everything = Choices({"admin": kind_ids()}, {}, {})
    post.do(choices.write, everything, at=post.now, actor="ada")
    for kind in kind_ids():
        post.happens(kind)
    post.fan_out()
    while post.deliver().delivered:
        pass
    subjects = [mail["Subject"] for mail in post.postbox.mails if mail["To"] == "admin@acme.example"]
    assert len(set(subjects)) == len(kind_ids())
    assert not [subject for subject in subjects if "{" in subject or "None" in subject]
