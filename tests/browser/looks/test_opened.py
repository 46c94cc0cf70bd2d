"""Dialogs and menus: opened, at every width, nothing in them is cut or covered, and every button can be hit."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks.geometry import asked, resized, wrong_at
from tests.browser.people import FELIX, LARKFIELD, MARLOW, NORA, OPERATOR, PHONE, THEO, Watch

SHEETS = (1280, 768, 600, 390, 360)
"""Dialogs are never wider than a tablet: what holds on a laptop holds on a wider screen."""

DIALOGS: dict[str, tuple[str, str, str]] = {
    "change of plan": (FELIX, f"{LARKFIELD}/plan", "Upgrade to Pro"),
    "end of the plan": (FELIX, f"{LARKFIELD}/plan", "Cancel plan"),
    "gift card": (THEO, f"{MARLOW}/credits?metric=emails", "Redeem gift card"),
    "auto top-up": (THEO, f"{MARLOW}/credits?metric=emails", "Change amounts"),
    "invitation": (NORA, f"{LARKFIELD}/organization?tab=members", "Invite"),
    "API key": (NORA, f"{LARKFIELD}/organization?tab=keys", "New key"),
    "webhook": (NORA, f"{LARKFIELD}/alerts", "Add a webhook"),
    "gift cards": (OPERATOR, "/admin/gift-cards", "Make gift cards"),
}
"""Who opens which dialog where, and with which button."""


def opened(page: Page) -> Any:
    """The dialog or menu on top."""
    return page.locator("[role=dialog], [role=alertdialog], [role=menu], [role=listbox]").last


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_fits_every_screen(watch: Watch, name: str) -> None:
    who, path, button = DIALOGS[name]
    page = watch.signed_in(who).opens(path)
    page.get_by_role("button", name=button).first.click()
    expect(opened(page)).to_be_visible()
    found = {}
    for width in SHEETS:
        resized(page, width)
        found |= dict.fromkeys(wrong_at(page), width)
    assert found == {}


def test_the_buttons_of_a_dialog_stand_beside_each_other_at_its_right(watch: Watch) -> None:
    page = watch.signed_in(FELIX).opens(f"{LARKFIELD}/plan")
    page.get_by_role("button", name="Upgrade to Pro").click()
    dialog = opened(page)
    expect(dialog).to_be_visible()
    back, go = (each.bounding_box() for each in dialog.get_by_role("button").all())
    whole = dialog.bounding_box()
    assert back and go and whole
    assert abs(back["y"] - go["y"]) < 1  # it may still be coming in
    assert back["x"] + back["width"] < go["x"]
    assert whole["x"] + whole["width"] - go["x"] - go["width"] < 32


def test_menus_fit_a_laptop_and_a_phone(watch: Watch) -> None:
    page = watch.signed_in(NORA).opens(LARKFIELD)
    page.get_by_role("button", name="Switch organization").locator("visible=true").click()
    expect(opened(page)).to_be_visible()
    assert wrong_at(page) == []
    phone = watch.signed_in(NORA, **PHONE).opens(LARKFIELD)
    phone.get_by_role("button", name="More", exact=True).tap()
    expect(opened(phone)).to_be_visible()
    assert asked(phone, "measures") == []
    phone.keyboard.press("Escape")
    phone.get_by_role("button", name="Switch organization").locator("visible=true").tap()
    expect(opened(phone)).to_be_visible()
    assert wrong_at(phone) == []
