"""A process from its first letter to its end, as an admin sees it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import JUNE, LARKFIELD, NORA, Watch, arrives, goes, heading


@pytest.fixture
def page(watch: Watch) -> Page:
    return watch.signed_in(NORA).opens(f"{LARKFIELD}/processes/new")


def goes_on(page: Page, to: str) -> None:
    """Presses Continue and sees the next step."""
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=2, name=to, exact=True)).to_be_visible()


def test_a_process_is_filled_in_saved_by_itself_published_and_closed(page: Page) -> None:
    uses = page.get_by_label("What this process uses")
    page.get_by_label("Title").fill("Harbour vote")
    expect(page).to_have_url(re.compile(r"\?process="))
    page.reload()
    arrives(page)
    expect(page.get_by_label("Title")).to_have_value("Harbour vote")
    goes_on(page, "Questions")
    page.get_by_role("button", name="Add a question").click()
    page.get_by_label("Question 1", exact=True).fill("Shall the harbour be dug?")
    page.get_by_label("Question 1, answer 1").fill("Yes")
    page.get_by_label("Question 1, answer 2").fill("No")
    goes_on(page, "Census")
    page.get_by_label("Voters").fill("30")
    page.get_by_label("E-mails to each voter").fill("2")
    expect(uses).to_contain_text("60 Emails")
    goes_on(page, "Features")
    expect(page.get_by_label("Ranked")).to_be_disabled()
    expect(page.get_by_role("link", name="In Pro and Custom").first).to_be_visible()
    page.get_by_label("Approval").check()
    goes_on(page, "Confirm")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published", exact=True)).to_be_visible()
    page.get_by_role("button", name="Close process").click()
    asked = page.get_by_role("dialog")
    asked.get_by_label("Emails sent").fill("45")
    asked.get_by_role("button", name="Close process").click()
    expect(page.get_by_text("Closed", exact=True)).to_be_visible()


def test_what_is_missing_is_said_and_nothing_is_published(page: Page) -> None:
    page.get_by_label("Title").fill("Half a vote")
    page.get_by_role("button", name="Confirm").click()
    missing = page.get_by_label("What is missing")
    expect(missing).to_contain_text("Ask at least one question.")
    expect(missing).to_contain_text("Say how many voters there are.")
    expect(page.get_by_role("button", name="Publish")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Discard it").click()
    expect(heading(page, "Processes")).to_be_visible()
    expect(page.get_by_role("link", name="Half a vote")).to_have_count(0)


def test_a_feature_is_switched_off_and_on(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(f"{LARKFIELD}/features")
    switch = page.get_by_role("switch", name="Live results")
    expect(switch).to_be_checked()
    switch.click()
    expect(switch).not_to_be_checked()
    goes(page, f"{LARKFIELD}/features")
    expect(page.get_by_role("switch", name="Live results")).not_to_be_checked()
    page.get_by_role("switch", name="Live results").click()
    expect(page.get_by_role("switch", name="Live results")).to_be_checked()
    locked = page.get_by_role("listitem").filter(has_text="White label")
    expect(locked).to_contain_text("Locked")
    expect(locked.get_by_role("switch")).to_have_count(0)


def test_a_member_sees_and_changes_nothing(watch: Watch) -> None:
    person = watch.signed_in(JUNE)
    page = person.opens(f"{LARKFIELD}/processes")
    expect(page.get_by_role("link", name="Trail of the year")).to_be_visible()
    expect(page.get_by_role("link", name="New process")).to_have_count(0)
    goes(page, f"{LARKFIELD}/features")
    feature = page.get_by_role("listitem").filter(has_text="Live results")
    expect(feature).to_contain_text("On")
    expect(feature.get_by_role("switch")).to_have_count(0)
