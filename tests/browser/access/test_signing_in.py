"""Signing in and out, where one wanted to go, and what a browser keeps of it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.people import LARKFIELD, NORA, Watch, arrives, goes, heading, signs_in

SIGN_IN = re.compile(r"/sign-in/?(\?|$)")


def test_a_wrong_password_is_a_sentence_and_the_right_one_leads_to_the_overview(watch: Watch) -> None:
    page = watch.browser().new_page()
    goes(page, "/sign-in")
    signs_in(page, NORA, "not-this-one")
    expect(page.get_by_role("alert")).to_have_text("E-mail or password is wrong.")
    signs_in(page, NORA)
    page.wait_for_url(f"**{LARKFIELD}")
    arrives(page)
    expect(heading(page, "Overview")).to_be_visible()
    expect(page.get_by_text("Nora Sandell")).to_be_visible()


def test_somebody_unknown_is_told_the_same_as_somebody_with_a_wrong_password(watch: Watch) -> None:
    page = watch.browser().new_page()
    goes(page, "/sign-in")
    signs_in(page, "nobody@larkfield.example")
    expect(page.get_by_role("alert")).to_have_text("E-mail or password is wrong.")


def test_where_one_wanted_to_go_survives_signing_in_and_a_typing_error(watch: Watch) -> None:
    page = watch.browser().new_page()
    wanted = f"{LARKFIELD}/usage?metric=emails&months=3"
    page.goto(wanted)
    page.wait_for_url(SIGN_IN)
    signs_in(page, NORA, "not-this-one")
    expect(page.get_by_role("alert")).to_be_visible()
    signs_in(page, NORA)
    page.wait_for_url(f"**{wanted}")
    arrives(page)
    expect(page.get_by_role("radio", name="Emails")).to_be_checked()
    expect(page.get_by_role("radio", name="3 months", exact=True)).to_be_checked()


def test_a_link_to_another_site_is_not_followed_after_signing_in(watch: Watch) -> None:
    page = watch.browser().new_page()
    goes(page, "/sign-in?next=https://elsewhere.example/o/larkfield-maps")
    signs_in(page, NORA)
    page.wait_for_url(f"**{LARKFIELD}")


def test_signing_out_ends_every_tab_at_once(watch: Watch) -> None:
    nora = watch.signed_in(NORA)
    usage, overview = nora.opens(f"{LARKFIELD}/usage?metric=emails"), nora.opens(LARKFIELD)
    overview.get_by_role("button", name="Sign out").click()
    overview.wait_for_url(SIGN_IN)

    usage.wait_for_url(SIGN_IN)  # by itself: nobody has to touch it
    expect(usage.get_by_text("Larkfield Maps")).to_have_count(0)
    assert nora.context.request.get("/api/v1/organizations/larkfield-maps/balances").status == 401

    overview.go_back()
    overview.wait_for_url(SIGN_IN)
    expect(overview.get_by_text("Larkfield Maps")).to_have_count(0)


def test_a_session_is_nowhere_that_a_script_could_read_it(watch: Watch) -> None:
    nora = watch.signed_in(NORA)
    secret = next(cookie for cookie in nora.context.cookies() if cookie.get("name") == "billing_session")
    assert secret.get("httpOnly") is True
    assert secret.get("sameSite") == "Lax"
    heard: list[str] = []
    page = nora.context.new_page()
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame))))
    goes(page, LARKFIELD)
    assert "Larkfield Maps" in "".join(heard)
    assert str(secret.get("value")) not in "".join([*heard, page.content(), _stored(page)])


def _stored(page: Page) -> str:
    """All that scripts can read back later."""
    return page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
