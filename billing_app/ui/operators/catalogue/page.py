"""/admin/catalogue: plans as a matrix that is edited in place, packs, rates, actions; looked at before it is saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import reflex as rx

from billing_app.domain.catalogue import to_document
from billing_app.domain.common.errors import ConflictError
from billing_app.services.operators import catalogue_editor, catalogue_edits, catalogue_effects
from billing_app.services.operators.views_catalogue import CatalogueAnswer, CheckView
from billing_app.services.payments import stripe_names
from billing_app.ui import routes
from billing_app.ui.access.session import OperatorAccess, for_operators
from billing_app.ui.access.transactions import OperatorPageContext
from billing_app.ui.frame.operators import operator_page
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import download, head, tool_button
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.operators.catalogue import drafts
from billing_app.ui.operators.catalogue.grids import SEPARATOR
from billing_app.ui.operators.catalogue.review import edit_bar, grid_table, history_list, remarks, review_dialog
from billing_app.ui.operators.catalogue.review_text import (
    ReviewScreen,
    counted,
    file_notice,
    review_screen,
    version_rows,
)
from billing_app.ui.operators.catalogue.text import (
    PARTS,
    CatalogueScreen,
    bar_words,
    grid_screen,
    head_words,
    place_named,
)

HISTORY = "history"
LISTS = {part: "token_rates" if part == "rates" else part for part in PARTS if part != "general"}
"""The document's list behind each table that has one."""

PAGE = 50
"""Versions that the history lists."""

Document = dict[str, Any]


class CatalogueState(OperatorPage):
    """The editor of one tab. What is typed and not saved is kept here, never in the browser."""

    screen: CatalogueScreen = CatalogueScreen()
    _draft: Document = {}  # noqa: RUF012  Reflex copies defaults
    _base: Document = {}  # noqa: RUF012
    _version: int = 0

    @for_operators()
    async def load(self, access: OperatorAccess) -> None:
        """Reads the catalogue in force. An edit that was begun in this tab stays."""
        view: CatalogueAnswer = await access.show(self, catalogue_of, lambda view, _formats: view)
        if self._draft == self._base:
            self._begin(view)
        title, since = head_words(view)
        self.screen = replace(
            self.screen, ready=True, title=title, since=since, file=file_notice(view.file), saved="", pushed=""
        )
        await self._show(access)

    @for_operators()
    async def show_part(self, access: OperatorAccess, part: str) -> None:
        """Opens another part of the catalogue."""
        versions = await access.read(lambda at: catalogue_edits.versions(at.session, at.now, PAGE, None))
        chosen = part if part in (*PARTS, HISTORY) else "plans"
        self.screen = replace(self.screen, part=chosen, history=version_rows(versions, self._base))
        await self._show(access)

    @for_operators()
    async def edit(self, access: OperatorAccess, key: str, text: str) -> None:
        """Changes one cell of the edit."""
        await access.check()
        place = place_named(self.screen.part, key, self._draft, self._base)
        if place is not None:
            await self._become(access, drafts.changed(self._draft, place, text))

    @for_operators()
    async def add(self, access: OperatorAccess) -> None:
        """One plan, pack, metric, feature, action or rate more."""
        await access.check()
        if self.screen.part in LISTS and self._draft:
            await self._become(access, drafts.with_one_more(self._draft, LISTS[self.screen.part]))

    @for_operators()
    async def take_out(self, access: OperatorAccess, key: str) -> None:
        """One of them less."""
        await access.check()
        await self._become(access, drafts.without(self._draft, *_item(key)))

    @for_operators()
    async def move(self, access: OperatorAccess, key: str) -> None:
        """One of them a place further to the front."""
        await access.check()
        await self._become(access, drafts.earlier(self._draft, *_item(key)))

    @for_operators()
    async def discard(self, access: OperatorAccess) -> None:
        """Forgets the edit."""
        self._begin(await access.read(catalogue_of))
        await self._show(access)

    @for_operators()
    async def take_newer(self, access: OperatorAccess) -> None:
        """Puts the edit on top of what somebody else saved meanwhile."""
        draft, based_on = self._draft, self._version
        head, together, both = await access.read(
            lambda at: catalogue_edits.rebased(at.session, draft, at.now, based_on=based_on)
        )
        self._begin(await access.read(catalogue_of))
        self._draft, self._version = dict(together), head.version
        said = f"Both changed, yours stands: {', '.join(both[:3])}" if both else ""
        self.screen = replace(self.screen, both=said)
        await self._show(access)

    @for_operators()
    async def open_file(self, access: OperatorAccess) -> None:
        """Opens the changed plans.json as an edit."""
        document = await access.read(lambda at: catalogue_editor.from_file(at.settings.catalogue_file))
        await self._become(access, dict(document))

    @for_operators()
    async def restore(self, access: OperatorAccess, version: int) -> None:
        """Opens an earlier version as an edit."""
        document = await access.read(lambda at: to_document(catalogue_edits.of_number(at.session, version)))
        self.screen = replace(self.screen, part="plans")
        await self._become(access, dict(document))

    @for_operators()
    async def review(self, access: OperatorAccess, correcting: bool) -> None:
        """Shows what saving would do, with every organization that feels it."""
        draft, version = self._draft, self._version
        preview = await access.read(
            lambda at: catalogue_effects.preview(at.session, draft, at.now, based_on=version, correcting=correcting)
        )
        review = review_screen(preview, draft, self._base, access.formats, version, correcting=correcting)
        self.screen = replace(self.screen, review=review, saved="")
        self.problem = self.problem_detail = ""

    @for_operators()
    async def close_review(self, access: OperatorAccess, opened: bool) -> None:
        """Back to the edit."""
        await access.check()
        if not opened:
            self.screen = replace(self.screen, review=ReviewScreen())

    @for_operators()
    async def save(self, access: OperatorAccess) -> None:
        """Saves what was reviewed."""
        draft, version, correcting = self._draft, self._version, self.screen.review.correcting
        push = self.screen.review.prices != ""
        try:
            result = await access.write(
                lambda at: catalogue_edits.save(
                    at.session, draft, at.now, based_on=version, correcting=correcting, actor=at.identity.email
                )
            )
        except ConflictError:
            self.screen = replace(self.screen, review=ReviewScreen())
            await self._show(access)
            return
        view = await access.read(catalogue_of)
        self._begin(view)
        title, since = head_words(view)
        words = f"Saved as version {result.version}: {counted(len(result.changes), 'change')}."
        self.screen = replace(
            self.screen, review=ReviewScreen(), title=title, since=since, saved=words, push=push, pushed="", both="",
            file=file_notice(view.file),
        )  # fmt: skip
        await self._show(access)

    @for_operators(background=True)
    async def push(self, access: OperatorAccess) -> None:
        """Makes at Stripe what the catalogue sells."""
        done = await access.call(lambda: stripe_names.push(access.reading, access.writing, lambda: access.payments))
        async with self:
            said = f"{counted(len(done), 'price')} pushed to Stripe." if done else "Stripe sells exactly this already."
            self.screen = replace(self.screen, push=False, pushed=said)

    def _begin(self, view: CatalogueAnswer) -> None:
        """An edit of this version that changes nothing yet."""
        self._base, self._draft, self._version = dict(view.document), dict(view.document), view.version

    async def _become(self, access: OperatorAccess, draft: Document) -> None:
        if draft != self._draft:
            self._draft = draft
            self.screen = replace(self.screen, saved="", both="")
            await self._show(access)

    async def _show(self, access: OperatorAccess) -> None:
        """The tables and the bar, after anything changed."""
        draft, base, version = self._draft, self._base, self._version
        dirty = draft != base
        check = (
            await access.read(lambda at: catalogue_editor.check(at.session, draft, version, at.now))
            if dirty
            else CheckView()
        )
        part = self.screen.part
        words: dict[str, Any] = bar_words(check, draft, base)
        grid = grid_screen(part, draft, base, check) if part != HISTORY else self.screen.grid
        self.screen = replace(self.screen, grid=grid, dirty=dirty, **words)


def catalogue_of(at: OperatorPageContext) -> CatalogueAnswer:
    """The version that an edit begins with."""
    return catalogue_editor.catalogue(at.session, at.now, at.settings.catalogue_file)


def _item(key: str) -> tuple[str, int]:
    """The list and the number of an item that a browser names; one that no list has where it names none."""
    name, _, at = key.partition(SEPARATOR)
    return name, int(at[:6]) if at.isascii() and at.isdigit() else -1


screen = CatalogueState.screen


def catalogue_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head(
            "Catalogue",
            rx.el.span(rx.el.strong(screen.title), " ", screen.since, class_name="head-note since"),
            tools=[download("plans.json", f"{routes.API}/admin/catalogue/plans.json")],
        ),
        remarks(CatalogueState),
        rx.el.section(_tools(), _table(), class_name="panel catalogue"),
        edit_bar(CatalogueState),
        review_dialog(CatalogueState),
    )
    return operator_page(content, active="catalogue", ready=screen.ready, skeleton=list_skeleton("Catalogue"))


def _tools() -> rx.Component:
    labels = {**PARTS, HISTORY: "History"}
    adding = rx.match(
        screen.part,
        *[
            (
                part,
                tool_button(f"Add {part.removesuffix('s')}", CatalogueState.add, "plus"),
            )
            for part in LISTS
        ],
        rx.fragment(),
    )
    return rx.el.div(
        rx.el.div(
            rx.segmented_control.root(
                *[rx.segmented_control.item(label, value=part) for part, label in labels.items()],
                value=screen.part,
                on_change=lambda part: CatalogueState.show_part(part.to(str)),
                size="2",
                class_name="switch",
                custom_attrs={"aria-label": "Part of the catalogue"},
            ),
            class_name="parts",
        ),
        rx.el.div(adding, class_name="panel-tools"),
        class_name="matrix-tools",
    )


def _table() -> rx.Component | rx.Var:
    heads = {"packs": "Pack", "features": "Feature", "actions": "Action", "rates": "Tokens become"}
    tables = [
        (part, grid_table(CatalogueState, screen.grid, heads.get(part, ""), f"The catalogue: {label}", part))
        for part, label in PARTS.items()
    ]
    return rx.match(screen.part, *tables, history_list(CatalogueState))
