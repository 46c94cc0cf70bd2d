"""How people come in without the demo: signing up, a new password by link, invitations to the new and to the known."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import PATIENCE_MS, Watch, arrives, goes, heading, signs_in
from tests.support.console import Console, running_console
from tests.support.postbox import Postbox, running_postbox, text_of

PASSWORD, ANOTHER = "a very wet Tuesday in March", "a rather dry Friday in June"
LINK = re.compile(r"https?://\S+?(/(?:new-password|invitation)\?token=[\w-]+)")
OVERVIEW = re.compile(r"/o/[\w.-]+$")


@pytest.fixture(scope="module")
def postbox() -> Iterator[Postbox]:
    """Where the console's mails go."""
    with running_postbox() as running:
        yield running


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, postbox: Postbox) -> Iterator[Console]:
    """A console without the demo, where anybody may sign up and mail is sent."""
    folder = tmp_path_factory.mktemp("open-console")
    sender = "Billing <billing@console.example>"
    with running_console(folder, "--no-demo", sign_up="1", smtp_url=postbox.url, mail_from=sender) as running:
        yield running


def asks_to_sign_up(page: Page, organization: str, email: str) -> None:
    """From the sign-in page to the end of the form."""
    goes(page, "/sign-in")
    page.get_by_role("link", name="Make an account").click()
    expect(heading(page, "Make an account")).to_be_visible()
    page.get_by_label("Organization").fill(organization)
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_role("status")).to_contain_text("A mail is on its way")


def signs_up(page: Page, postbox: Postbox, organization: str, name: str, email: str) -> None:
    """The same, and on by the link in the mail."""
    asks_to_sign_up(page, organization, email)
    goes(page, mailed_link(page, postbox, email))
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()


def lands(page: Page) -> str:
    """Waits for the overview; the organization's address."""
    page.wait_for_url(OVERVIEW)
    arrives(page)
    expect(heading(page, "Overview")).to_be_visible()
    return page.url.rpartition("/")[2]


def invites(page: Page, address: str, email: str) -> str:
    """The link that an admin is shown."""
    goes(page, f"/o/{address}/organization?tab=members")
    page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("E-mail").fill(email)
    dialog.get_by_role("button", name="Invite").click()
    found = LINK.search(page.get_by_label("Invitation link").input_value())
    assert found is not None
    page.get_by_role("button", name="Done").click()
    return found[1]


def test_people_sign_up_invite_each_other_and_go_on_where_they_belong(watch: Watch, postbox: Postbox) -> None:
    ada, bo, cy = (watch.browser().new_page() for _ in range(3))
    signs_up(ada, postbox, "Ash Trees", "Ada Ash", "ada@ash.example")
    ash = lands(ada)
    expect(ada.get_by_text("Ada Ash")).to_be_visible()
    asks_to_sign_up(bo, "Birch", "ada@ash.example")  # nobody is told that there is such an account
    signs_up(bo, postbox, "Birch", "Bo Birch", "bo@birch.example")
    birch = lands(bo)

    known = invites(ada, ash, "bo@birch.example")
    elsewhere = watch.browser().new_page()
    goes(elsewhere, known)
    expect(elsewhere.get_by_text("bo@birch.example is invited to Ash Trees with the role member.")).to_be_visible()
    expect(elsewhere.get_by_label("Your name")).to_have_count(0)
    elsewhere.get_by_label("Your password").fill("not this one at all")
    elsewhere.get_by_role("button", name="Join").click()
    expect(elsewhere.get_by_role("alert")).to_have_text("E-mail or password is wrong.")
    goes(bo, known)
    bo.get_by_role("button", name="Join").click()  # signed in as this person: that is proof
    assert lands(bo) == ash
    bo.get_by_role("button", name="Switch organization").first.click()
    expect(bo.get_by_role("menuitem", name="Birch")).to_be_visible()
    bo.keyboard.press("Escape")
    goes(elsewhere, known)
    expect(elsewhere.get_by_role("alert")).to_contain_text("This link has expired or was used before.")

    goes(cy, invites(bo, birch, "cy@cedar.example"))
    cy.get_by_label("Your name").fill("Cy Cedar")
    cy.get_by_label("Password").fill(PASSWORD)
    cy.get_by_role("button", name="Join").click()
    assert lands(cy) == birch
    expect(cy.get_by_text("Cy Cedar")).to_be_visible()

    goes(bo, f"/o/{birch}/organization?tab=members")
    bo.get_by_role("button", name="Remove Cy Cedar").click()
    bo.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(bo.get_by_text("Cy Cedar")).to_have_count(0)
    goes(cy, "/")
    expect(heading(cy, "You are in no organization yet")).to_be_visible()
    cy.get_by_role("link", name="Create an organization").click()
    cy.get_by_label("Name").fill("Cedar")
    cy.get_by_role("button", name="Create organization").click()
    assert lands(cy) == "cedar"


def test_a_forgotten_password_is_chosen_anew_by_mail_once(watch: Watch, postbox: Postbox) -> None:
    page, phone = watch.browser().new_page(), watch.browser().new_page()
    signs_up(page, postbox, "Dogwood", "Di Dogwood", "di@dogwood.example")
    lands(page)
    goes(phone, "/sign-in")
    phone.get_by_role("link", name="Forgot your password?").click()
    expect(heading(phone, "Forgot your password?")).to_be_visible()  # the page before asks for an e-mail too
    phone.get_by_label("E-mail").fill("di@dogwood.example")
    phone.get_by_role("button", name="Mail me a link").click()
    expect(phone.get_by_role("status")).to_contain_text("If there is an account with this address")
    link = mailed_link(phone, postbox, "di@dogwood.example", to="new-password")
    goes(phone, link)
    expect(phone.get_by_text("For di@dogwood.example.")).to_be_visible()
    phone.get_by_label("New password").fill(ANOTHER)
    phone.get_by_role("button", name="Save and sign in").click()
    lands(phone)
    page.reload()
    page.wait_for_url(re.compile(r"/sign-in/?\?next="))  # every other session ended
    signs_in(page, "di@dogwood.example", PASSWORD)
    expect(page.get_by_role("alert")).to_have_text("E-mail or password is wrong.")
    signs_in(page, "di@dogwood.example", ANOTHER)
    lands(page)
    goes(page, link)
    expect(page.get_by_role("alert")).to_contain_text("This link has expired or was used before.")


def test_an_operator_hands_out_a_link_to_a_new_password(watch: Watch, postbox: Postbox) -> None:
    page = watch.browser().new_page()
    signs_up(page, postbox, "Elder", "Eli Elder", "eli@elder.example")
    lands(page)
    found = LINK.search(watch.console.billing("user", "reset-password", "eli@elder.example"))
    assert found is not None
    other = watch.browser().new_page()
    goes(other, found[1])
    other.get_by_label("New password").fill(ANOTHER)
    other.get_by_role("button", name="Save and sign in").click()
    lands(other)


def mailed_link(page: Page, postbox: Postbox, receiver: str, to: str = "") -> str:
    """The link, to a page of that name, of the newest mail to somebody; mail goes out after the page has answered."""
    for _ in range(PATIENCE_MS // 100):
        mails = [mail for mail in postbox.mails if receiver in str(mail["To"])]
        if mails and (found := LINK.search(text_of(mails[-1]))) is not None and to in found[1]:
            return found[1]
        page.wait_for_timeout(100)
    raise AssertionError(f"no mail to {receiver}")
