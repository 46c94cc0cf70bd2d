"""An operator at work: an event replayed, money given back, everything compared; and nobody else gets in."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.people import FELIX, LARKFIELD, OPERATOR, PATIENCE_MS, Watch, arrives, goes, heading


def test_an_operator_gives_money_back_and_the_customer_sees_it(watch: Watch) -> None:
    customer = watch.signed_in(FELIX).opens(f"{LARKFIELD}/credits?metric=emails")
    left = customer.locator(".hero").first
    before = int(left.inner_text().replace(",", ""))

    page = watch.signed_in(OPERATOR).opens("/admin")
    page.get_by_role("link", name="Larkfield Maps").click()
    expect(heading(page, "Larkfield Maps")).to_be_visible()
    page.get_by_role("row", name=re.compile("1,000 pack.*refunded")).get_by_role("link", name="Refund").click()
    panel = page.get_by_role("region", name="Refund")
    panel.get_by_label("Amount").fill("0.25")
    panel.get_by_label("Reason").click()
    give = panel.get_by_role("button", name="Give back US$0.25")
    expect(give).to_be_visible()
    expect(panel).to_contain_text("100\N{NO-BREAK SPACE}emails")
    panel.get_by_label("Reason").fill("Agreed on the telephone")
    give.click()
    expect(page.get_by_text("US$0.25 given back.")).to_be_visible()
    expect(page.get_by_text("US$1.25 refunded")).to_be_visible()
    expect(left).to_have_text(f"{before - 100:,}")


def test_an_operator_replays_an_event(watch: Watch) -> None:
    page = watch.signed_in(OPERATOR).opens("/admin/stripe-events?type=refund.created")
    refunded = page.get_by_role("link", name="refund.created").first
    for _ in range(PATIENCE_MS // 500):  # the demo's events were sent before anybody listened, and are sent again
        if refunded.count():
            break
        page.wait_for_timeout(500)
        goes(page, "/admin/stripe-events?type=refund.created")
    refunded.click()
    panel = page.get_by_role("region", name="Event")
    expect(panel).to_contain_text("Larkfield Maps")
    panel.get_by_role("button", name="Replay").click()
    expect(panel.get_by_role("button", name="Replay")).to_be_enabled()
    expect(panel.locator(".facts")).to_contain_text("Tries")
    panel.get_by_text("What was received").click()
    expect(panel.get_by_label("Payload")).to_contain_text('"object": "event"')


def test_everything_is_compared_while_one_looks_on(watch: Watch) -> None:
    page = watch.signed_in(OPERATOR).opens("/admin/reconciliation")
    page.get_by_role("button", name="Run now").first.click()
    expect(page.locator(".answer-sentence")).to_contain_text(re.compile("agrees with Stripe"))
    expect(page.get_by_role("table")).to_contain_text("asked for")
    goes(page, "/admin/recounts")
    page.get_by_role("button", name="Recount now").click()
    expect(page.get_by_role("table")).to_contain_text("asked for")


def test_nobody_else_sees_any_of_it(watch: Watch) -> None:
    page = watch.signed_in(FELIX).opens("/admin/stripe-events")
    expect(page.get_by_role("heading", level=1)).to_have_text("This is for operators only")
    page.get_by_role("link", name="Go to my organization").click()
    arrives(page)
    expect(page.get_by_role("link", name="Operator")).to_have_count(0)
