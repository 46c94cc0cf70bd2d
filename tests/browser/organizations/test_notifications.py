"""An admin chooses who is told of what, adds a webhook, and sees a message arrive at a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.people import JUNE, LARKFIELD, NORA, Watch, heading
from tests.support.webhook_receiver import Receiver, running_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def test_a_webhook_from_its_making_to_a_message_that_is_sent_again(watch: Watch, receiver: Receiver) -> None:
    page = watch.signed_in(NORA).opens(f"{LARKFIELD}/alerts")
    page.get_by_role("button", name="Add a webhook").click()
    page.get_by_label("Address").fill("https://10.0.0.1/hooks")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_have_text("Nothing is sent to addresses inside a private network.")
    page.get_by_label("Address").fill(f"{receiver.url}/hooks")
    page.get_by_label("What it is, if you like").fill("Team chat")
    page.get_by_role("button", name="Add it").click()
    secret = page.get_by_label("Signing secret")
    expect(secret).to_have_value(re.compile("^whsec_"))
    known = secret.input_value()
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".fresh")).to_be_hidden()
    expect(page.get_by_role("columnheader", name="Team chat")).to_be_visible()

    one = page.get_by_role("listitem").filter(has_text="Team chat")
    one.get_by_role("button", name="Send a test").click()
    delivery = page.get_by_role("region", name="Delivery")
    expect(delivery.get_by_text("It answered 204.")).to_be_visible()
    assert receiver.received[0].verified(known)["type"] == "test"

    receiver.status = 500
    delivery.get_by_role("button", name="Send again").click()
    expect(delivery.get_by_text("It answered 500.").first).to_be_visible()
    expect(one.get_by_text("Failing")).to_be_visible()
    assert len(set(receiver.ids)) == 1

    page.reload()
    expect(heading(page, "Alerts")).to_be_visible()
    assert known not in page.content()
    one.get_by_role("button", name=re.compile("^Delete")).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete it").click()
    expect(one).to_have_count(0)


def test_a_tick_is_kept(watch: Watch) -> None:
    person = watch.signed_in(NORA)
    page = person.opens(f"{LARKFIELD}/alerts")
    cell = page.get_by_role("checkbox", name="Credits have ended: tell Members by mail")
    expect(cell).not_to_be_checked()
    cell.click()
    expect(cell).to_be_checked()
    said = person.asks("/organizations/larkfield-maps/notifications")
    assert said["choices"]["roles"]["member"] == ["credits.expired"]
    page.reload()
    expect(cell).to_be_checked()
    cell.click()
    expect(cell).not_to_be_checked()


def test_a_member_finds_no_way_there(watch: Watch) -> None:
    june = watch.signed_in(JUNE)
    expect(june.opens(LARKFIELD).get_by_role("link", name="Alerts")).to_have_count(0)
    page = june.opens(f"{LARKFIELD}/alerts")
    expect(heading(page, "Your role does not open this page")).to_be_visible()
