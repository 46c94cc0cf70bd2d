"""An organization is created, from nothing and from the switcher; and a sub-organization sees what is its business."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import (
    FELIX,
    LARKFIELD,
    LOTTE,
    NORA,
    OPERATOR,
    TRAILS,
    Person,
    Watch,
    arrives,
    goes,
    heading,
)

MEMBERS = "/api/v1/organizations/larkfield-trails/members"
OTHERS = re.compile("Others that Larkfield Maps pays for")


@pytest.fixture
def lotte(watch: Watch) -> Iterator[Person]:
    """For this story an admin of Larkfield Trails, and nothing at Larkfield Maps."""
    origin = {"Origin": watch.console.url}
    nora, joining = watch.signed_in(NORA).context.request, watch.signed_in(LOTTE)
    invited = nora.post(MEMBERS, data={"email": LOTTE, "role": "admin"}, headers=origin)
    assert invited.status == 201, invited.text()
    token = invited.json()["url"].partition("token=")[2]
    accepted = joining.context.request.post(
        "/api/v1/accept-invitation", form={"token": token}, headers=origin, max_redirects=0
    )
    assert accepted.headers["location"] == TRAILS, accepted.text()
    yield watch.signed_in(LOTTE)
    removed = nora.delete(f"{MEMBERS}/{invited.json()['member']['id']}", headers=origin)
    assert removed.status == 204, removed.text()


def created(page: Page) -> None:
    """Sends the form."""
    page.get_by_role("button", name="Create organization").click()


def test_from_the_switcher_with_every_refusal_beside_its_field(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(LARKFIELD)
    page.get_by_role("button", name="Switch organization").first.click()
    page.get_by_role("menuitem", name="New organization").click()
    expect(heading(page, "New organization")).to_be_visible()
    address = page.get_by_label("Address")
    page.get_by_label("Name").fill("Larkfield Maps")
    page.get_by_label("Type").focus()
    expect(address).to_have_attribute("placeholder", "larkfield-maps-2")
    page.get_by_label("Name").fill("Öhm & Söhne")
    address.fill("marlow-letters")
    created(page)
    expect(page.get_by_role("alert")).to_have_text(
        "The address marlow-letters belongs to another organization; A and a are the same here."
    )
    expect(address).to_have_attribute("aria-invalid", "true")
    address.fill("two words")
    created(page)
    expect(page.get_by_role("alert")).to_contain_text("An address has 1 to 64 of the characters")
    address.fill("")
    page.get_by_label("Country").select_option("Germany")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    created(page)
    page.wait_for_url("**/o/ohm-sohne")
    arrives(page)
    expect(heading(page, "Overview")).to_be_visible()
    expect(page.get_by_text("No use has been reported yet")).to_be_visible()
    goes(page, "/o/ohm-sohne/organization")
    expect(page.get_by_label("Name")).to_have_value("Öhm & Söhne")
    expect(page.get_by_label("Country")).to_have_value("DE")


def test_nobody_is_asked_to_sign_in_first_and_comes_back_to_the_form(watch: Watch) -> None:
    page = watch.browser().new_page()
    page.goto("/new-organization")
    page.wait_for_url(re.compile(r"/sign-in/?\?next="))


def uses_emails(watch: Watch, address: str) -> None:
    nora, path = watch.signed_in(NORA).context.request, f"/api/v1/organizations/{address}"
    made = nora.post(f"{path}/api-keys", data={"name": "reports"}, headers={"Origin": watch.console.url})
    assert made.status == 201, made.text()
    reported = watch.browser().request.post(
        f"{path}/usage",
        data={"events": [{"id": f"emails of {address}", "metric": "emails", "quantity": 3}]},
        headers={"Authorization": f"Bearer {made.json()['secret']}"},
    )
    assert reported.json()["accepted"] == 1, reported.text()


def test_a_part_shows_the_payers_limits_its_own_part_and_no_other_name(watch: Watch, lotte: Person) -> None:
    for address in ("larkfield-maps", "larkfield-trails"):  # in a month's first hours neither may have used any yet
        uses_emails(watch, address)
    page = lotte.opens(TRAILS)
    expect(page.get_by_text("Larkfield Maps pays for this organization.")).to_be_visible()
    expect(page.get_by_role("link", name="Open Larkfield Maps")).to_have_count(0)
    emails = page.get_by_role("row").filter(has_text="Emails")
    balances = {each["metric"]: each for each in lotte.asks("/organizations/larkfield-trails/balances")["items"]}
    theirs = watch.signed_in(FELIX).asks("/organizations/larkfield-maps/balances")["items"]
    assert [(each["used"], each["credits"]) for each in theirs] == [
        (each["used"], each["credits"]) for each in balances.values()
    ]
    assert 0 < balances["emails"]["own_used"] < balances["emails"]["used"]
    expect(emails).to_contain_text(f"{balances['emails']['used']:,}")
    expect(emails).to_contain_text(f"yours {balances['emails']['own_used']:,}")
    goes(page, f"{TRAILS}/usage?metric=emails")
    expect(page.locator(".sources li").filter(has_text=OTHERS)).to_be_visible()
    expect(page.locator(".sources li").filter(has_text="Larkfield Trails")).to_contain_text(
        f"{balances['emails']['own_used']:,}"
    )


def test_a_part_is_offered_no_empty_forms_but_who_buys_instead(watch: Watch, lotte: Person) -> None:
    page = lotte.opens(f"{TRAILS}/credits/buy")
    expect(heading(page, "Buy credits")).to_be_visible()
    expect(page.get_by_text("Credits are bought where they count")).to_be_visible()
    expect(page.get_by_role("link", name="Buy credits there")).to_have_count(0)
    for name, said in (("credits", "Credits are kept where they count"), ("ledger", "The ledger is kept where")):
        goes(page, f"{TRAILS}/{name}")
        expect(page.get_by_text(said)).to_be_visible()
    goes(page, f"{TRAILS}/plan")
    expect(page.get_by_text("The plan of Larkfield Maps")).to_be_visible()
    expect(page.locator(".plan-panel")).not_to_contain_text("$")
    assert page.get_by_role("heading", name="Invoices").count() == 0
    nora = watch.signed_in(NORA).opens(f"{TRAILS}/credits/buy")
    nora.get_by_role("link", name="Buy credits there").click()
    nora.wait_for_url(f"**{LARKFIELD}/credits/buy")


def test_an_operator_sees_whose_plan_a_part_has(watch: Watch) -> None:
    page = watch.signed_in(OPERATOR).opens("/admin/organizations/larkfield-trails")
    expect(page.get_by_text("Essential, paid by Larkfield Maps")).to_be_visible()
    page.get_by_role("link", name="Open Larkfield Maps").click()
    page.wait_for_url("**/admin/organizations/larkfield-maps")


def test_what_changes_at_the_payer_is_on_the_parts_page_by_itself(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(TRAILS)
    sms = page.get_by_role("row").filter(has_text="SMS")
    before = watch.signed_in(FELIX).asks("/organizations/larkfield-maps/balances")["items"]
    left = next(each["credits"] for each in before if each["metric"] == "sms")
    expect(sms).to_contain_text(f"{left:,}")
    watch.console.billing("grant", "create", "larkfield-maps", "sms", "1000", "--reason", "a story")
    expect(sms).to_contain_text(f"{left + 1_000:,}")
