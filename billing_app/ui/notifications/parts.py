"""The parts of the page of alerts: who is notified and how it goes, what was sent, the matrix, and a new webhook.

Each takes the page's state, whose `screen` it shows and whose handlers it calls.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import (
    choice_switch,
    close_link,
    lucide,
    more_link,
    panel_head,
    primary_button,
    quiet_button,
    state_badge,
)
from billing_app.ui.kit.dialogs import asking, refusal, secret_box
from billing_app.ui.kit.forms import text_field
from billing_app.ui.kit.listing import facts, go_cell, table, unless_empty
from billing_app.ui.notifications.text import AttemptRow, Cell, Column, DeliveryRow, EndpointRow, Line, Reader


def matrix(state: Any) -> rx.Component:
    """Kinds of events by who is told of them."""
    screen = state.screen
    return rx.el.section(
        panel_head(
            "Who is told of what",
            rx.cond(
                screen.mail,
                rx.el.small("changes are saved as you make them", class_name="wide-only"),
                rx.el.small("no mail server is set up, so nothing is mailed yet", custom_attrs={"data-tone": "soon"}),
            ),
            tools=[_add_person(state)],
        ),
        rx.el.div(
            rx.el.table(
                rx.el.caption("Kinds of events, and who is told of each", class_name="unseen"),
                _matrix_head(state),
                rx.el.tbody(rx.foreach(screen.lines, lambda line: _line(state, line))),
                class_name="told",
            ),
            class_name="scroll",
            tab_index=0,
            role="region",
            aria_label="Who is told of what",
        ),
        class_name="panel",
        id="choices",
    )


def _matrix_head(state: Any) -> rx.Component:
    screen = state.screen
    by_mail = rx.el.th(_channel("mail", "By mail"), scope="colgroup", col_span=screen.mail_columns, class_name="ways")
    by_webhook = rx.el.th(
        _channel("webhook", "By webhook"),
        scope="colgroup",
        col_span=screen.webhook_columns,
        class_name="ways first",
    )
    return rx.el.thead(
        rx.el.tr(rx.el.td(class_name="told-what"), by_mail, rx.cond(screen.webhook_columns > 0, by_webhook)),
        rx.el.tr(
            rx.el.th(rx.el.span("Event", class_name="unseen"), scope="col", class_name="told-what"),
            rx.foreach(screen.columns, lambda column: _column(state, column)),
        ),
    )


def _channel(channel: str, label: str) -> rx.Component:
    icon = "mail" if channel == "mail" else "webhook"
    return rx.el.span(lucide(icon, 13), label, class_name="way")


def _column(state: Any, column: rx.Var[Column]) -> rx.Component:
    taken_out = rx.el.button(
        lucide("x", 12),
        type="button",
        class_name="icon-button tiny",
        title="Tell no longer by name",
        aria_label=f"Tell {column.email} no longer by name",
        on_click=state.choose_person(column.email, False),
    )
    return rx.el.th(
        rx.el.span(
            rx.el.span(column.name, title=column.email, class_name="who-name"),
            rx.cond(column.email != "", taken_out, rx.el.small(column.note)),
            class_name="who-head",
        ),
        scope="col",
        custom_attrs={"data-channel": column.channel},
    )


def _line(state: Any, line: rx.Var[Line]) -> Any:
    return rx.cond(
        line.topic != "",
        rx.el.tr(
            rx.el.th(line.topic, scope="rowgroup", col_span=state.screen.columns.length() + 1), class_name="topic"
        ),
        rx.el.tr(
            rx.el.th(
                rx.el.span(rx.el.span(line.title), rx.el.small(line.note, title=line.note), class_name="one-line"),
                scope="row",
                class_name="told-what",
            ),
            rx.foreach(line.cells, lambda cell: _cell(state, cell)),
        ),
    )


def _cell(state: Any, cell: rx.Var[Cell]) -> rx.Component:
    return rx.el.td(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=cell.notified,
                aria_label=cell.label,
                on_change=lambda notify: state.choose(cell.audience, cell.kind, notify),
            ),
            class_name="tick",
        ),
        class_name=rx.cond(cell.first, "first", ""),
    )


def _add_person(state: Any) -> Any:
    screen = state.screen
    return rx.cond(
        screen.others.length() > 0,
        rx.select.root(
            rx.select.trigger(
                placeholder="Tell somebody by name",
                custom_attrs={"aria-label": "Tell somebody by name"},
                class_name="select by-name",
            ),
            rx.select.content(
                rx.foreach(screen.others, lambda one: rx.select.item(one.label, value=one.value)), position="popper"
            ),
            value="",
            on_change=lambda email: state.choose_person(email, True),
            size="2",
        ),
    )


def add_webhook(state: Any) -> rx.Component:
    """The button that opens the form of a new endpoint."""
    return rx.dialog.root(
        rx.dialog.trigger(
            rx.button(
                lucide("plus", 16), "Add a webhook", size="2", class_name="button primary"
            )
        ),
        rx.dialog.content(
            rx.dialog.title("Add a webhook", size="3"),
            rx.dialog.description(
                "Each event is sent there as a signed request, as Standard Webhooks describes it.", size="2"
            ),
            refusal(state.refused),
            rx.el.form(
                _field("Address", "url", "https://example.com/webhooks", 2_000, required=True, auto_focus=True),
                _field("What it is, if you like", "description", "CRM", 100),
                rx.el.div(
                    rx.dialog.close(
                        quiet_button("Cancel")
                    ),
                    primary_button("Add it", type="submit"),
                    class_name="dialog-actions",
                ),
                on_submit=state.add,
                class_name="form",
            ),
            max_width="460px",
            class_name="ask",
        ),
        open=state.adding,
        on_open_change=state.open_adding,
    )  # fmt: skip


def _field(label: str, name: str, example: str, longest: int, **props: Any) -> rx.Component:
    return text_field(label, name=name, placeholder=example, max_length=longest, auto_complete="off", **props)


def recipients(state: Any, secret_id: str) -> rx.Component:
    """Endpoints and readers of mail, and the secret that was made just now."""
    screen = state.screen
    return rx.el.section(
        panel_head("Who is told", tools=[more_link("Choose of what", "#choices")]),
        rx.el.div(
            lucide("key-round", 18),
            rx.el.div(
                rx.el.strong("Copy the signing secret now."),
                rx.el.p("It is shown this once. With it, your program sees that a message is from us."),
                secret_box(secret_id, "Signing secret"),
                class_name="fresh-words",
            ),
            quiet_button("Done", on_click=state.hide_secret),
            class_name="fresh",
            hidden=~state.fresh,
        ),
        unless_empty(
            screen.endpoints,
            rx.fragment(),
            "No program yet. A webhook tells one of yours of an event within seconds: to stop an upload before it "
            "is refused, or to put a note into your team's chat.",
        ),
        rx.el.ul(
            rx.foreach(screen.endpoints, lambda one: _endpoint(state, one)),
            rx.foreach(screen.readers, lambda one: _reader(screen, one)),
            class_name="endpoints",
        ),
        class_name="panel",
    )  # fmt: skip


def _endpoint(state: Any, one: rx.Var[EndpointRow]) -> rx.Component:
    return rx.el.li(
        lucide("webhook", 16),
        rx.el.span(
            rx.el.span(rx.el.strong(one.host), rx.el.span(one.path, class_name="quiet"), class_name="url"),
            rx.el.small(rx.cond(one.note != "", f"{one.note}: ", ""), "told of ", one.notified_of, ". ", one.detail),
            class_name="lines",
        ),
        state_badge(one.state, one.tone),
        rx.el.span(
            rx.cond(
                one.off,
                _small("Switch on", state.enable(one.id)),
                _small("Send a test", state.test(one.id)),
            ),
            asking(
                _small("New secret"),
                "Make a new secret?",
                "The old one goes on signing beside it for 24 hours: bring the new one to your program in that time.",
                "Make it",
                state.rotate(one.id),
                danger=False,
            ),
            asking(
                rx.el.button(
                    lucide("trash-2", 15),
                    type="button", class_name="icon-button", title="Delete", aria_label=f"Delete {one.host}",
                ),
                "Delete this webhook?",
                "Nothing is sent there any more, also nothing that waits. What was sent stays in the list below.",
                "Delete it",
                state.delete(one.id),
            ),
            class_name="endpoint-tools",
        ),
    )  # fmt: skip


def _reader(screen: Any, one: rx.Var[Reader]) -> rx.Component:
    return rx.el.li(
        lucide("mail", 16),
        rx.el.span(
            rx.el.span(rx.el.strong(one.name), " ", rx.el.span(one.note, class_name="quiet"), class_name="url"),
            class_name="lines",
        ),
        rx.el.small(
            rx.cond(
                screen.mail | (one.notified_of == "nothing"),
                rx.fragment("told of ", one.notified_of),
                f"{one.notified_of}, not mailed",
            ),
            class_name="told-of",
        ),
        class_name="reader",
    )


def _small(label: str, on_click: Any = None) -> rx.Component:
    handlers = {} if on_click is None else {"on_click": on_click}
    return quiet_button(label, size="1", **handlers)


def delivery_list(screen: Any) -> rx.Component:
    """The newest deliveries."""
    return rx.el.section(
        panel_head(
            "Recent deliveries",
            tools=[choice_switch(screen.states, screen.state, screen.state_base, "Which deliveries", size="1")],
        ),
        unless_empty(
            screen.deliveries,
            _table(screen),
            rx.cond(
                screen.state == "all",
                "Nothing was sent yet. As soon as something happens that somebody is told of, it is listed here.",
                "None of these.",
            ),
        ),
        rx.cond(screen.older != "", rx.el.p(screen.older, class_name="quiet-note inset")),
        class_name="panel",
    )


def _table(screen: Any) -> rx.Component:
    return table(
        "Deliveries, the newest first",
        ("When, UTC", "What", "To", "State", ("Look at it", "unseen")),
        screen.deliveries,
        _row,
        "rows deliveries",
    )


def _row(row: rx.Var[DeliveryRow]) -> rx.Component:
    way = rx.cond(
        row.icon == "mail",
        rx.icon("mail", size=14, aria_label="mail"),
        rx.icon("webhook", size=14, aria_label="webhook"),
    )
    return rx.el.tr(
        rx.el.td(row.when, class_name="quiet d-when"),
        rx.el.th(rx.el.span(row.title), scope="row", class_name="d-what"),
        rx.el.td(rx.el.span(way, rx.el.span(row.receiver), class_name="to"), class_name="quiet d-to"),
        rx.el.td(
            rx.el.span(
                state_badge(row.state, row.tone),
                rx.el.small(row.note, title=row.note),
                class_name="outcome",
            ),
            class_name="d-state",
        ),
        go_cell(row.href, f"{row.title}, {row.when}"),
        custom_attrs={"data-chosen": rx.cond(row.chosen, "yes", "no")},
    )


def opened_delivery(state: Any) -> rx.Component:
    """One delivery."""
    opened = state.screen.opened
    return rx.el.section(
        rx.el.div(
            rx.el.h2(opened.title),
            close_link(state.screen.close_href),
            class_name="two",
        ),
        facts(opened.facts, "facts"),
        rx.el.div(
            rx.el.h2("Tries"),
            quiet_button("Send again", size="1", on_click=state.resend(opened.id)),
            class_name="two tries-head",
        ),
        rx.cond(
            opened.tries.length() > 0,
            rx.el.ol(rx.foreach(opened.tries, _try), class_name="tries"),
            rx.el.p("It is on its way.", class_name="quiet-note"),
        ),
        rx.cond(
            opened.body != "",
            rx.fragment(
                rx.el.h2("What it says"),
                rx.el.pre(opened.body, tab_index=0, aria_label="What it says", class_name="payload"),
            ),
        ),
        class_name="panel side-panel trace",
        aria_label="Delivery",
    )


def _try(one: rx.Var[AttemptRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(one.result, custom_attrs={"data-tone": one.tone}), rx.el.small(one.took), class_name="two"
        ),
        rx.el.small(one.when, " UTC"),
        rx.cond(one.answer != "", rx.el.pre(one.answer, class_name="payload short")),
    )
