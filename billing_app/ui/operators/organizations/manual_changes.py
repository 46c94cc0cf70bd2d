"""What an operator does by hand on an organization's page: give credits, void a grant, set the plan, override it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import reflex as rx

from billing_app.domain.common.errors import BillingError, ForbiddenError, InvalidError, UnauthenticatedError
from billing_app.domain.common.moments import day
from billing_app.services.credits import granting
from billing_app.services.operators import manual_changes
from billing_app.services.operators.views_manual import ManualChangesView
from billing_app.ui import operator_routes
from billing_app.ui.access.session import OperatorAccess, for_operators
from billing_app.ui.access.transactions import OperatorPageContext
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import tool_button
from billing_app.ui.kit.dialogs import dialog, dialog_form, done
from billing_app.ui.kit.formats import Formats, long_day
from billing_app.ui.kit.forms import select_field, text_field
from billing_app.ui.kit.records import Choice
from billing_app.ui.kit.values import Kind, Spec, typed
from billing_app.ui.operators.catalogue.grids import LIMITS

SWITCHES = {"on": 1, "off": 0}
KINDS = ("give", "void", "plan", "override", "end")


@dataclass(frozen=True)
class ManualChangesScreen:
    """The dialog that is open (one of KINDS or none), what it offers, and what came of it."""

    asking: str = ""
    refused: str = ""
    done: str = ""
    metrics: list[Choice] = field(default_factory=list)
    plans: list[Choice] = field(default_factory=list)
    grants: list[Choice] = field(default_factory=list)
    overrides: list[Choice] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)


class ManualChangesState(OperatorPage):
    """Its own state beside the page's."""

    screen: ManualChangesScreen = ManualChangesScreen()
    _key: str = ""
    _factors: dict[str, int] = {}  # noqa: RUF012  Reflex copies defaults

    @for_operators()
    async def ask(self, access: OperatorAccess, what: str) -> None:
        """Opens a dialog."""
        address = operator_routes.address_in(access.path)
        view = await access.read(lambda at: manual_changes.look(at.session, address, at.now))
        self._key, self._factors = secrets.token_hex(12), {each.id: each.factor for each in view.metrics}
        self.screen = replace(manual_changes_screen(view, access.formats), asking=what if what in KINDS else "")

    @for_operators()
    async def close(self, access: OperatorAccess, opened: bool) -> None:
        """Closes it."""
        await access.check()
        if not opened:
            self.screen = ManualChangesScreen()

    @for_operators()
    async def act(self, access: OperatorAccess, form: dict) -> None:
        """Does what the open dialog asks for."""
        address, what, key, factors = (
            operator_routes.address_in(access.path),
            self.screen.asking,
            self._key,
            self._factors,
        )
        try:
            done = await access.write(lambda at: act(at, what, address, form, key, factors))
        except (UnauthenticatedError, ForbiddenError):
            raise
        except BillingError as error:
            self.screen = replace(self.screen, refused=error.detail)
            return
        self.screen = ManualChangesScreen(what, done=done)


def act(
    at: OperatorPageContext, what: str, address: str, form: dict[str, str], key: str, factors: dict[str, int]
) -> str:
    """One deed, from what was typed; says what was done."""
    reason, ends = form.get("reason", ""), _day(form.get("until", ""))
    kind, _, name = form.get("what", "").partition(" ")
    if what == "give":
        metric = form.get("metric", "")
        quantity = typed(form.get("quantity", ""), Spec(Kind.NUMBER, factor=factors.get(metric, 1)))
        if not isinstance(quantity, int):
            raise InvalidError("Type a quantity, such as 5,000.", code="invalid_quantity")
        manual_changes.give(
            at.session,
            address,
            metric,
            quantity,
            at.now,
            reason=reason,
            ends_at=ends,
            key=f"page {key}",
            actor=at.actor,
        )
        return "The credits are there."
    if what == "void":
        granting.void(at.session, form.get("grant", ""), at.now, reason=reason, actor=at.actor)
        return "What was left of it is void."
    if what == "plan":
        manual_changes.set_plan(at.session, address, form.get("plan", ""), at.now, reason=reason, actor=at.actor)
        return "The plan holds from now on."
    if what == "override":
        manual_changes.override(
            at.session, address, kind, name, _value(form.get("value", "")), at.now,
            reason=reason, ends_at=ends, actor=at.actor,
        )  # fmt: skip
        return "It stands in place of the plan."
    if what == "end":
        manual_changes.end_override(at.session, address, kind, name, at.now, actor=at.actor)
        return "The plan holds again."
    return ""


def manual_changes_screen(view: ManualChangesView, formats: Formats) -> ManualChangesScreen:
    """What the dialogs offer."""
    labels = {name: label for _, name, label in view.choices} | {name: label for name, label, _ in LIMITS}
    return ManualChangesScreen(
        metrics=[
            Choice(each.id, each.name if each.counts else f"{each.name}, {each.display_unit}") for each in view.metrics
        ],
        plans=[Choice(value, label) for value, label in view.plans],
        grants=[
            Choice(grant, f"{formats.size(metric, left)} {metric.name} left: {reason}")
            for grant, metric, left, reason in view.grants
        ],
        overrides=[
            Choice(
                f"{kind} {name}",
                f"{labels.get(name, name)}: {_said(kind, value)}{f' until {long_day(ends)}' if ends else ''}",
            )
            for kind, name, value, ends in view.overrides
        ],
        choices=[Choice(f"{kind} {name}", labels[name]) for kind, name, _ in view.choices],
    )


def _said(kind: str, value: int | None) -> str:
    if value is None:
        return "unlimited"
    return str(value) if kind == "limit" else "on" if value else "off"


def _value(text: str) -> int | None:
    word = text.strip().lower()
    value = SWITCHES[word] if word in SWITCHES else typed(word, Spec(Kind.LIMIT))
    if isinstance(value, str):
        raise InvalidError("Type a number, unlimited, on or off.", code="invalid_override")
    return value


def _day(text: str) -> datetime | None:
    return day(text.strip()) if text.strip() else None


screen = ManualChangesState.screen


def manual_changes_panel(reload: Any) -> rx.Component:
    """The buttons, and their dialogs; `reload` reads the page around them anew."""
    why = text_field("Reason", name="reason", required=True, max_length=300, placeholder="Why; it is kept")
    until = text_field("Until (optional)", name="until", type="date")
    return rx.el.section(
        rx.el.h2("By hand"),
        tool_button("Give credits", ManualChangesState.ask("give"), "plus"),
        tool_button("Void a grant", ManualChangesState.ask("void")),
        tool_button("Set plan", ManualChangesState.ask("plan")),
        tool_button("Override the plan", ManualChangesState.ask("override")),
        tool_button("End an override", ManualChangesState.ask("end")),
        _dialog(
            reload, "give", "Give credits", "For nothing, valid for a year unless you say until when.", "Give",
            select_field("Metric", "metric", screen.metrics),
            text_field("Quantity", name="quantity", input_mode="decimal", required=True, max_length=20), until, why,
        ),
        _dialog(
            reload, "void", "Void a grant", "What is left is forfeited, never what was burned.", "Void it",
            select_field("Grant", "grant", screen.grants), why,
        ),
        _dialog(
            reload, "plan", "Set plan", "From now on. A subscription at Stripe is not touched.", "Set plan",
            select_field("Plan", "plan", screen.plans), why,
        ),
        _dialog(
            reload, "override", "Override the plan", "One limit, feature or voting type, in place of the plan's.",
            "Override", select_field("What", "what", screen.choices),
            text_field(
                "Value", name="value", required=True, max_length=20, placeholder="a number, unlimited, on or off"
            ),
            until, why,
        ),
        _dialog(
            reload, "end", "End an override", "What the plan says holds again.", "End it",
            select_field("Override", "what", screen.overrides),
        ),
        class_name="panel by-hand",
    )  # fmt: skip


def _dialog(reload: Any, what: str, title: str, text: str, go: str, *fields: rx.Component) -> rx.Component:
    finished = done(screen.done, [ManualChangesState.close(False), reload])
    form = dialog_form(
        screen.refused, *fields, close=ManualChangesState.close(False), go=go, on_submit=ManualChangesState.act
    )
    return dialog(
        screen.asking == what, ManualChangesState.close, title, text, rx.cond(screen.done != "", finished, form)
    )
