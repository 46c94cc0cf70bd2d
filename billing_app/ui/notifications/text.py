"""The page of alerts: from the view to what the screen shows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from billing_app.domain.catalogue import Metric
from billing_app.domain.credits.thresholds import CREDIT_PERCENTS, PLAN_PERCENTS
from billing_app.domain.notifications.kinds import Kind, Topic
from billing_app.services.notifications.views import (
    AlertsView,
    AttemptAnswer,
    AudienceView,
    DeliveryAnswer,
    DeliveryDetailAnswer,
    WebhookAnswer,
)
from billing_app.services.overview.views_frame import FrameView
from billing_app.ui import routes
from billing_app.ui.kit.formats import Formats, clock, day, moment_text
from billing_app.ui.kit.records import Choice, Field
from billing_app.ui.notifications.answer import Answer, answer, name_of, notified_of, readers
from billing_app.ui.notifications.records import (
    AttemptRow,
    Cell,
    Column,
    DeliveryRow,
    EndpointRow,
    Line,
    OpenedDelivery,
    Reader,
)

TOPICS = {
    Topic.USAGE: "Usage",
    Topic.CREDITS: "Credits",
    Topic.PAYMENTS: "Payments",
    Topic.PLAN: "Plan",
    Topic.LIMITS: "Limits",
    Topic.DELIVERY: "Delivery",
}

STATES = (("all", "All"), ("waiting", "Waiting"), ("failed", "Failed"), ("delivered", "Delivered"))

STATE_NAMES = {"waiting": "Waiting", "delivered": "Delivered", "failed": "Failed"}
TONES = {"waiting": "soon", "delivered": "good", "failed": "blocked"}


@dataclass(frozen=True)
class AlertsScreen:
    """Everything that the page shows."""

    ready: bool = False
    mail: bool = False
    mail_columns: int = 3
    webhook_columns: int = 0
    columns: list[Column] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    others: list[Choice] = field(default_factory=list)
    answer: Answer = field(default_factory=Answer)
    readers: list[Reader] = field(default_factory=list)
    endpoints: list[EndpointRow] = field(default_factory=list)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    older: str = ""
    states: list[Choice] = field(default_factory=list)
    state: str = "all"
    state_base: str = ""
    close_href: str = ""
    opened: OpenedDelivery = field(default_factory=OpenedDelivery)


def alerts_screen(view: AlertsView, frame: FrameView, formats: Formats, state: str = "") -> AlertsScreen:
    """The screen."""
    address = frame.organization.address
    chosen = state if state in STATE_NAMES else ""
    opened = view.opened
    return AlertsScreen(
        ready=True,
        mail=view.mail,
        mail_columns=sum(each.channel == "mail" for each in view.audiences),
        webhook_columns=sum(each.channel == "webhook" for each in view.audiences),
        columns=[_column(each) for each in view.audiences],
        lines=_lines(view, formats),
        others=[Choice(email, name if name == email else f"{name}, {email}") for email, name in view.others],
        answer=answer(view),
        readers=readers(view),
        endpoints=[_endpoint(each, view) for each in view.endpoints],
        deliveries=[
            _delivery(each, view, routes.alerts(address, state=chosen, delivery=each.id), opened)
            for each in view.deliveries
        ],
        older=f"Older ones can be read over the API, the last {len(view.deliveries)} are here." if view.more else "",
        states=[Choice(value, label) for value, label in STATES],
        state=chosen or "all",
        state_base=routes.alerts(address) + "?state=",
        close_href=routes.alerts(address, state=chosen),
        opened=_opened(opened, view) if opened else OpenedDelivery(),
    )


def _column(audience: AudienceView) -> Column:
    if audience.channel == "webhook":
        return Column(audience.id, _short(audience.name), "", "", "webhook")
    if audience.email:
        return Column(audience.id, audience.name, "", audience.email, "mail")
    people = "1 person" if audience.people == 1 else f"{audience.people} people"
    return Column(audience.id, audience.name, "nobody" if not audience.people else people, "", "mail")


def _short(name: str) -> str:
    """The host of a URL; any other name as it is."""
    return urlsplit(name).hostname or name if "://" in name else name


def _lines(view: AlertsView, formats: Formats) -> list[Line]:
    lines: list[Line] = []
    for topic, heading in TOPICS.items():
        kinds = [kind for kind in view.kinds if kind.topic == topic]
        if kinds:
            lines.append(Line(topic=heading))
            lines += [_line(kind, view, formats) for kind in kinds]
    return lines


def _line(kind: Kind, view: AlertsView, formats: Formats) -> Line:
    cells, before = [], "mail"
    for audience in view.audiences:
        label = f"{kind.title}: tell {audience.email or _short(audience.name)} by {audience.channel}"
        cells.append(Cell(audience.id, kind.id, kind.id in audience.kinds, label, audience.channel != before))
        before = audience.channel
    return Line(kind=kind.id, title=kind.title, note=_note(kind, view.example, formats), cells=cells)


def _note(kind: Kind, example: tuple[Metric, int] | None, formats: Formats) -> str:
    """What a kind means, thresholds in the figures of the reader's own plan."""
    if kind.id == "plan.usage" and example is not None:
        metric, allowance = example
        steps = [formats.quantity(metric, -(-percent * allowance // 100)) for percent in PLAN_PERCENTS]
        return f"{_percents(PLAN_PERCENTS)}, once each a month. For {metric.name}: at {_and(steps)}."
    if kind.id == "credits.used":
        return f"{_percents(CREDIT_PERCENTS)} of what there was after the latest grant."
    return kind.description


def _percents(percents: tuple[int, ...]) -> str:
    return f"At {_and([str(percent) for percent in percents])} %"


def _and(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _endpoint(endpoint: WebhookAnswer, view: AlertsView) -> EndpointRow:
    parts = urlsplit(endpoint.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    state, tone, detail = "Working", "", ""
    if endpoint.disabled_at is not None:
        state, tone, detail = "Switched off", "blocked", endpoint.disabled_reason
    elif endpoint.failing_since is not None:
        since = f"{day(endpoint.failing_since, view.now)}, {clock(endpoint.failing_since)} UTC"
        state, tone, detail = "Failing", "soon", f"Nothing has arrived since {since}."
    elif endpoint.old_secret_until is not None and endpoint.old_secret_until > view.now:
        until = f"{day(endpoint.old_secret_until, view.now)}, {clock(endpoint.old_secret_until)} UTC"
        detail = f"The old secret signs too until {until}."
    if not detail and endpoint.arrived_at is not None:
        detail = f"Last message {day(endpoint.arrived_at, view.now)}, {clock(endpoint.arrived_at)} UTC."
    return EndpointRow(
        id=str(endpoint.id),
        host=parts.netloc,
        path="" if path == "/" else path,
        note=endpoint.description,
        state=state,
        tone=tone,
        detail=detail,
        notified_of=notified_of(_kinds_of(endpoint, view), view),
        off=endpoint.disabled_at is not None,
    )


def _kinds_of(endpoint: WebhookAnswer, view: AlertsView) -> frozenset[str]:
    return next((each.kinds for each in view.audiences if each.id.endswith(str(endpoint.id))), frozenset())


def _delivery(one: DeliveryAnswer, view: AlertsView, href: str, opened: DeliveryDetailAnswer | None) -> DeliveryRow:
    return DeliveryRow(
        id=str(one.id),
        when=f"{day(one.created_at, view.now)}, {clock(one.created_at)}",
        title=one.title,
        kind=one.kind,
        icon=one.channel,
        receiver=_receiver(one, view),
        state=STATE_NAMES[one.state],
        tone=TONES[one.state] if one.state != "waiting" or one.attempts else "",
        note=_outcome(one, view),
        href=href,
        chosen=opened is not None and opened.id == one.id,
    )


def _receiver(one: DeliveryAnswer, view: AlertsView) -> str:
    """As the list of endpoints calls it; what is there no more, by its address."""
    return next((name_of(each) for each in view.endpoints if each.id == one.target), _short(one.address))


def _outcome(one: DeliveryAnswer, view: AlertsView) -> str:
    """What is worth knowing beside the state."""
    tries = f"{one.attempts} tries" if one.attempts > 1 else ""
    if one.state == "delivered":
        return tries
    said = one.last.error if one.last else ""
    if one.state == "waiting" and one.next_try_at is not None and one.attempts:
        again = "again at " + (
            clock(one.next_try_at)
            if one.next_try_at.date() == view.now.date()
            else f"{day(one.next_try_at, view.now)}, {clock(one.next_try_at)}"
        )
        return f"{said} {again[0].upper()}{again[1:]}".strip()
    return said


def _opened(one: DeliveryDetailAnswer, view: AlertsView) -> OpenedDelivery:
    channel = "Webhook" if one.channel == "webhook" else "Mail"
    facts = [
        Field("Event", one.kind),
        Field(channel, one.address),
        Field("Happened", moment_text(one.occurred_at)),
        Field("State", STATE_NAMES[one.state], TONES[one.state]),
    ]
    if one.next_try_at is not None and one.attempts:
        facts.append(Field("Next try", moment_text(one.next_try_at)))
    if one.channel == "webhook":
        facts.append(Field("Id", one.message_id))
    body = (
        json.dumps(json.loads(one.body), indent=2, ensure_ascii=False) if one.channel == "webhook" and one.body else ""
    )
    tries = [_try(each, view) for each in one.log]
    return OpenedDelivery(True, str(one.id), one.title, facts, tries, body, running=one.state == "waiting")


def _try(one: AttemptAnswer, view: AlertsView) -> AttemptRow:
    worked = "Arrived" if one.status is None else f"It answered {one.status}."
    return AttemptRow(
        number=str(one.number),
        when=f"{day(one.started_at, view.now)}, {clock(one.started_at)}",
        result=one.error or worked,
        tone="blocked" if one.error else "good",
        took=f"{one.duration_ms:,} ms",
        answer=one.answer,
    )
