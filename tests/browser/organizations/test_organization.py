"""The organization's page: inviting and removing people, keys, and a part whose use is seen at its parent."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.people import JUNE, LARKFIELD, MARLOW, THEO, Watch, arrives, goes

PASSWORD = "a very wet Tuesday in March"


def section(page: Page, name: str) -> None:
    """Opens a section of the page."""
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=name).click()
    arrives(page)


def test_somebody_is_invited_joins_in_another_browser_changes_role_and_is_removed(watch: Watch) -> None:
    theo = watch.signed_in(THEO).opens(f"{MARLOW}/organization?tab=members")
    theo.get_by_role("button", name="Invite").click()
    dialog = theo.get_by_role("dialog")
    dialog.get_by_label("E-mail").fill("robin@marlow.example")
    dialog.get_by_role("button", name="Invite").click()
    link = theo.get_by_label("Invitation link").input_value()
    assert link.startswith(f"{watch.console.url}/invitation?token=")
    theo.get_by_role("button", name="Done").click()
    listed = theo.get_by_role("listitem").filter(has_text="robin@marlow.example")
    expect(listed.get_by_text("Invited", exact=True)).to_be_visible()

    robin = watch.browser().new_page()
    goes(robin, link)
    robin.get_by_label("Your name").fill("Robin Ash")
    robin.get_by_label("Password").fill(PASSWORD)
    robin.get_by_role("button", name="Join").click()
    robin.wait_for_url(f"**{MARLOW}")
    arrives(robin)
    expect(robin.get_by_role("link", name="Ledger")).to_have_count(0)

    listed = theo.get_by_role("listitem").filter(has_text="Robin Ash")
    expect(listed).to_be_visible()  # by itself
    expect(listed.get_by_text("Invited", exact=True)).to_have_count(0)
    listed.get_by_role("combobox").select_option("billing")
    expect(robin.get_by_role("link", name="Ledger").first).to_be_visible()  # by itself, too

    listed.get_by_role("button", name="Remove Robin Ash").click()
    question = theo.get_by_role("alertdialog")
    expect(question).to_contain_text("They see nothing more of this organization")
    question.get_by_role("button", name="Remove").click()
    expect(listed).to_have_count(0)
    goes(robin, f"{MARLOW}/usage")
    expect(robin.get_by_role("heading", level=1, name="There is nothing here")).to_be_visible()
    section(theo, "Audit log")
    expect(theo.get_by_text("removed").first).to_be_visible()
    expect(theo.get_by_text(re.compile("changed the role of .* from member to billing")).first).to_be_visible()


def test_a_key_is_shown_once_and_works_until_it_is_revoked(watch: Watch) -> None:
    theo = watch.signed_in(THEO)
    page = theo.opens(f"{MARLOW}/organization?tab=keys")
    page.get_by_role("button", name="New key").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Night report")
    page.get_by_role("button", name="Create key").click()
    secret = page.get_by_label("Key", exact=True).input_value()
    assert re.fullmatch(r"bk_live_[\w-]{43}", secret)
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert secret not in page.content()
    anybody = watch.browser().request
    balances = "/api/v1/organizations/marlow-letters/balances"
    assert anybody.get(balances, headers={"Authorization": f"Bearer {secret}"}).status == 200
    page.get_by_role("button", name="Revoke Night report").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("listitem").filter(has_text="Night report")).to_contain_text("revoked")
    assert anybody.get(balances, headers={"Authorization": f"Bearer {secret}"}).status == 401


def test_use_of_a_new_part_is_seen_at_its_parent(watch: Watch) -> None:
    theo = watch.signed_in(THEO)
    page = theo.opens(f"{MARLOW}/organization?tab=parts")
    page.get_by_role("button", name="New sub-organization").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Marlow Post")
    page.get_by_role("textbox", name="Address").fill("marlow-post")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("listitem").filter(has_text="Marlow Post")).to_be_visible()
    made = theo.context.request.post(
        "/api/v1/organizations/marlow-post/api-keys",
        data={"name": "reports"},
        headers={"Origin": watch.console.url},
    )
    assert made.status == 201, made.text()
    reported = watch.browser().request.post(
        "/api/v1/organizations/marlow-post/usage",
        data={"events": [{"id": "1", "metric": "emails", "quantity": 37}]},
        headers={"Authorization": f"Bearer {made.json()['secret']}"},
    )
    assert reported.json()["accepted"] == 1, reported.text()
    goes(page, f"{MARLOW}/usage?metric=emails")
    expect(page.locator(".sources li").filter(has_text="Marlow Post")).to_contain_text("37")


def test_a_member_reads_and_changes_nothing(watch: Watch) -> None:
    page = watch.signed_in(JUNE).opens(f"{LARKFIELD}/organization?tab=members")
    expect(page.get_by_role("listitem").filter(has_text="Nora Sandell")).to_contain_text("Admin")
    expect(page.get_by_role("button", name="Invite")).to_have_count(0)
    expect(page.get_by_role("combobox")).to_have_count(0)
    expect(page.get_by_role("link", name="API keys")).to_have_count(0)
    section(page, "Profile")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    expect(page.get_by_text("Stripe customer")).to_have_count(0)
