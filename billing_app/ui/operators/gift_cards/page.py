"""/admin/gift-cards: codes that become credits. They are shown once, right after they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import reflex as rx

from billing_app.domain.common.errors import BillingError, InvalidError, NotFoundError
from billing_app.services.credits import gift_cards
from billing_app.services.credits.gift_cards import GiftCardAnswer
from billing_app.services.operators import catalogue_editor
from billing_app.ui.access.session import OperatorAccess, for_operators, id_in
from billing_app.ui.access.transactions import OperatorPageContext
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.operators import operator_page
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import head, link, lucide, primary_button, state_badge, tool_button
from billing_app.ui.kit.dialogs import dialog, dialog_form
from billing_app.ui.kit.forms import text_field
from billing_app.ui.kit.listing import pager, table, unless_empty
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.operators.gift_cards.text import (
    CardRow,
    GiftCardsScreen,
    HeldRow,
    RedeemerRow,
    codes_csv,
    contents_typed,
    first_moment,
    gift_cards_screen,
    redeemer_rows,
    whole,
)

NO_CARD = ("There is no such gift card.", "gift_card_not_found")

MAX_REDEMPTIONS = 200
"""Redemptions of a card that a page lists."""


class GiftCardsState(OperatorPage):
    """The cards, and the dialog that is open: "make", "codes", "void" or "who"."""

    screen: GiftCardsScreen = GiftCardsScreen()
    asking: str = ""
    refused: str = ""
    codes: list[str] = []  # noqa: RUF012  Reflex copies defaults
    redeemers: list[RedeemerRow] = []  # noqa: RUF012
    chosen: str = ""
    chosen_name: str = ""
    _csv: str = ""

    @for_operators()
    async def load(self, access: OperatorAccess) -> None:
        """Reads a page of cards."""
        cursor = access.text("cursor")
        self.screen = await access.show(
            self,
            lambda at: cards_of(at, cursor),
            lambda found, formats: gift_cards_screen(*found, formats, cursor),
        )

    @for_operators()
    async def ask(self, access: OperatorAccess, what: str, card: str) -> None:
        """Opens a dialog, of one card or for new ones."""
        found = await access.read(
            lambda at: (
                gift_cards.redemptions(at.session, id_in(card, *NO_CARD), MAX_REDEMPTIONS) if what == "who" else ()
            )
        )
        self.redeemers = redeemer_rows(found)
        row = next((row for row in self.screen.rows if row.id == card), CardRow())
        self.chosen, self.chosen_name, self.refused = row.id, f"{row.name} {row.hint}", ""
        self.asking = what if what in ("make", "void", "who") else ""

    @for_operators()
    async def close(self, access: OperatorAccess, opened: bool) -> None:
        """Closes the dialog; codes that it showed are gone from here, too."""
        await access.check()
        if not opened:
            self.asking, self.codes, self._csv, self.refused = "", [], "", ""

    @for_operators()
    async def make(self, access: OperatorAccess, form: dict) -> None:
        """Makes a batch and shows its codes, this once."""
        document = await access.read(lambda at: catalogue_editor.document(at.session, at.now))
        contents = contents_typed(form, self.screen.holds, document)
        count, times = whole(form.get("count", ""), 1), whole(form.get("redemptions", ""), 1)
        try:
            ends = first_moment(form.get("until", ""))
            made = await access.write(
                lambda at: gift_cards.create(
                    at.session, form.get("name", ""), contents, at.now,
                    count=count, max_redemptions=times, expires_at=ends, actor=at.actor,
                )
            )  # fmt: skip
        except BillingError as error:
            self.refused = error.detail
            return
        self.codes, self._csv, self.asking, self.refused = [card.code for card in made], codes_csv(made), "codes", ""
        await self._again(access)

    @for_operators()
    async def save_codes(self, access: OperatorAccess) -> rx.event.EventSpec | None:
        """The codes that are on the screen as a file."""
        await access.check()
        return rx.download(data=self._csv, filename="gift-cards.csv") if self._csv else None

    @for_operators()
    async def void(self, access: OperatorAccess, form: dict) -> None:
        """Ends the chosen card."""
        card, reason = self.chosen, form.get("reason", "")
        try:
            await access.write(
                lambda at: gift_cards.void(at.session, id_in(card, *NO_CARD), reason, at.now, actor=at.actor)
            )
        except (InvalidError, NotFoundError) as error:
            self.refused = error.detail
            return
        self.asking = self.refused = ""
        await self._again(access)

    async def _again(self, access: OperatorAccess) -> None:
        """The newest cards."""
        found = await access.read(lambda at: cards_of(at, ""))
        self.screen = replace(gift_cards_screen(*found, access.formats, ""), ready=True)


def cards_of(at: OperatorPageContext, cursor: str) -> tuple[Sequence[GiftCardAnswer], str, Mapping[str, Any]]:
    """Cards, the newest first; the cursor of the page after; and the catalogue that names what they hold."""
    cards, after = gift_cards.listed(at.session, cursor, at.now)
    return cards, after, catalogue_editor.document(at.session, at.now)


screen = GiftCardsState.screen


def gift_cards_page() -> rx.Component:
    """The page."""
    make = primary_button(lucide("plus", 16), "Make gift cards", on_click=GiftCardsState.ask("make", ""))
    content = rx.fragment(
        head("Gift cards", tools=[make]),
        rx.cond(
            screen.rows.length() > 0,
            rx.el.section(
                _table(),
                pager(screen.first_href, screen.next_href, "Pages of cards"),
                class_name="panel",
            ),
            notice(
                "gift",
                "No gift card yet",
                "A card holds credits of one or more metrics, or tokens. Its code is shown once; each organization can "
                "redeem it once.",
            ),
        ),
        _make_dialog(),
        _codes_dialog(),
        _void_dialog(),
        _who_dialog(),
    )
    return operator_page(content, active="gift-cards", ready=screen.ready, skeleton=list_skeleton("Gift cards"))


def _table() -> rx.Component:
    return table(
        "Gift cards, the newest first",
        ("Card", "Holds", ("Redeemed", "number"), "Until", "Made", "State", ""),
        screen.rows,
        _row,
        "rows listing cards",
    )


def _row(row: rx.Var[CardRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.el.div(rx.el.span(row.name, class_name="strong"), rx.el.small(row.hint), class_name="lines"),
            scope="row",
            class_name="l-what",
        ),
        rx.el.td(row.holds),
        rx.el.td(
            rx.el.button(
                row.redeemed,
                type="button",
                class_name="others",
                on_click=GiftCardsState.ask("who", row.id),
                aria_label="Who redeemed " + row.name + " " + row.hint,
            ),
            class_name="number",
        ),
        rx.el.td(row.ends),
        rx.el.td(row.made, class_name="quiet"),
        rx.el.td(rx.el.span(state_badge(row.state, row.tone), title=row.note)),
        rx.el.td(rx.cond(row.open, tool_button("Void", GiftCardsState.ask("void", row.id))), class_name="number"),
    )


def _make_dialog() -> rx.Component:
    return dialog(
        GiftCardsState.asking == "make",
        GiftCardsState.close,
        "Make gift cards",
        "All cards of a batch hold the same. The credits last a year from the day on which they are redeemed.",
        dialog_form(
            GiftCardsState.refused,
            text_field("Name", name="name", max_length=100, required=True, placeholder="What the customer reads"),
            rx.el.fieldset(
                rx.el.legend("Holds", class_name="strong"),
                rx.foreach(screen.holds, _held),
                class_name="holds plain-set",
            ),
            rx.el.div(
                text_field("Cards", name="count", default_value="1", input_mode="numeric", max_length=6),
                text_field(
                    "Redemptions each", name="redemptions", default_value="1", input_mode="numeric", max_length=9
                ),
                class_name="field-pair",
            ),
            text_field("Redeemable until (optional)", name="until", type="date"),
            close=GiftCardsState.close(False),
            go="Make and show the codes",
            on_submit=GiftCardsState.make,
        ),
        width="500px",
    )


def _held(one: rx.Var[HeldRow]) -> rx.Component:
    return rx.el.label(
        rx.el.span(one.name),
        rx.el.input(
            name="holds " + one.id, input_mode="decimal", max_length=20, class_name="input", aria_label=one.name
        ),
        rx.el.small(one.unit),
    )


def _codes_dialog() -> rx.Component:
    return dialog(
        GiftCardsState.asking == "codes",
        GiftCardsState.close,
        "Keep these codes safe",
        "They are not stored. When this is closed, nobody can show them again.",
        rx.el.ul(rx.foreach(GiftCardsState.codes, lambda code: rx.el.li(code)), class_name="codes", tab_index=0),
        rx.el.div(
            tool_button("Copy all", rx.set_clipboard(GiftCardsState.codes.join("\n")), "copy"),
            tool_button("Save as CSV", GiftCardsState.save_codes, "download"),
            primary_button("Done", on_click=GiftCardsState.close(False)),
            class_name="dialog-foot",
        ),
        width="560px",
    )


def _void_dialog() -> rx.Component:
    return dialog(
        GiftCardsState.asking == "void",
        GiftCardsState.close,
        "Void this card",
        GiftCardsState.chosen_name + " can no longer be redeemed. What was redeemed stays.",
        dialog_form(
            GiftCardsState.refused,
            text_field("Reason", name="reason", max_length=200, required=True, placeholder="Why; it is kept"),
            close=GiftCardsState.close(False),
            go="Void the card",
            on_submit=GiftCardsState.void,
        ),
    )


def _who_dialog() -> rx.Component:
    return dialog(
        GiftCardsState.asking == "who",
        GiftCardsState.close,
        "Who redeemed it",
        GiftCardsState.chosen_name,
        unless_empty(
            GiftCardsState.redeemers,
            rx.el.ul(
                rx.foreach(
                    GiftCardsState.redeemers,
                    lambda one: rx.el.li(
                        link(one.name, href=one.href, class_name="strong"), rx.el.small(one.when, class_name="quiet")
                    ),
                ),
                class_name="edits",
            ),
            "Nobody yet.",
        ),
    )
