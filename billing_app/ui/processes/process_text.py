"""The wizard of one process: what was filled in, what may be chosen and why not, and what publishing takes."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.domain.processes.processes import Content, ProcessState
from billing_app.domain.processes.voting import EMAIL_REMINDER, SMS_NOTIFICATION, Option, OptionKind, OptionState
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.processes.views import ProcessView, UseView
from billing_app.ui import routes
from billing_app.ui.frame.text import buying_address
from billing_app.ui.kit.formats import Formats, day, moment_text
from billing_app.ui.kit.records import Field, MetricLabel, in_a_sentence, metric_label, offer_basket, offer_named
from billing_app.ui.processes.text import STATES, UNNAMED, LimitRow, limit_row, plans_with


@dataclass(frozen=True)
class WizardStep:
    """One step; `lacks` is how much is missing in it."""

    id: str = ""
    name: str = ""
    number: str = ""
    here: bool = False
    done: bool = False
    lacks: str = ""


@dataclass(frozen=True)
class QuestionRow:
    """One question. `place` is its place among all, from 0."""

    place: int = 0
    name: str = ""
    title: str = ""
    answers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ChoiceRow:
    """A way of voting or feature that may be chosen, or says why not."""

    id: str = ""
    name: str = ""
    description: str = ""
    chosen: bool = False
    open: bool = False
    note: str = ""


@dataclass(frozen=True)
class UseRow:
    """What publishing takes of a metric."""

    metric: MetricLabel = field(default_factory=MetricLabel)
    needed: str = ""
    split: str = ""
    short: str = ""
    offer: str = ""
    offer_href: str = ""


STEPS = (
    ("information", "Information"),
    ("questions", "Questions"),
    ("census", "Census"),
    ("features", "Features"),
    ("confirm", "Confirm"),
)
"""The wizard's steps in their order."""

REMINDERS = (EMAIL_REMINDER, SMS_NOTIFICATION)
"""Features that are chosen by saying how often, under the census."""


@dataclass(frozen=True)
class WizardScreen:
    """The page."""

    ready: bool = False
    title: str = ""
    state: str = ""
    tone: str = ""
    draft: bool = True
    may_change: bool = False
    step: str = "information"
    steps: list[WizardStep] = field(default_factory=list)
    name: str = ""
    description: str = ""
    starts: str = ""
    ends: str = ""
    questions: list[QuestionRow] = field(default_factory=list)
    census: str = ""
    census_note: str = ""
    census_tone: str = ""
    emails: str = "0"
    emails_open: bool = False
    emails_note: str = ""
    sms: str = "0"
    sms_open: bool = False
    sms_note: str = ""
    voting_types: list[ChoiceRow] = field(default_factory=list)
    features: list[ChoiceRow] = field(default_factory=list)
    uses: list[UseRow] = field(default_factory=list)
    no_messages: bool = True
    limit: LimitRow = field(default_factory=LimitRow)
    after: str = ""
    missing: list[str] = field(default_factory=list)
    summary: list[Field] = field(default_factory=list)
    sent: list[Field] = field(default_factory=list)
    """Of a published process: what publishing took, by metric; `hint` is the metric's id."""
    list_href: str = ""
    features_href: str = ""
    plan_href: str = ""


def wizard_screen(view: ProcessView, frame: FrameView, formats: Formats, *, step: str) -> WizardScreen:
    """One process."""
    address = frame.organization.address
    content = view.content
    name, tone = STATES[ProcessState(view.state)]
    draft = view.state == ProcessState.DRAFT
    options = {(each.kind, each.id): each for each in view.options.options}
    emails, sms = (options.get((OptionKind.FEATURE, each)) for each in REMINDERS)
    largest = view.census.maximum
    too_large = largest is not None and content.census > largest
    return WizardScreen(
        ready=True,
        title=content.title or UNNAMED,
        state=name,
        tone=tone,
        draft=draft,
        may_change=view.options.may_change,
        step=step,
        steps=_steps(view, step),
        name=content.title,
        description=content.description,
        starts=f"{content.starts_at:%Y-%m-%dT%H:%M}" if content.starts_at else "",
        ends=f"{content.ends_at:%Y-%m-%dT%H:%M}" if content.ends_at else "",
        questions=[
            QuestionRow(place, f"Question {place + 1}", each.title, list(each.answers))
            for place, each in enumerate(content.questions)
        ],
        census=str(content.census) if content.census else "",
        census_note=_census_note(view, formats),
        census_tone="blocked" if too_large else "",
        emails=str(content.email_reminders),
        emails_open=emails is not None and emails.usable,
        emails_note=_why(emails, view),
        sms=str(content.sms_reminders),
        sms_open=sms is not None and sms.usable,
        sms_note=_why(sms, view),
        voting_types=_choices(view, OptionKind.VOTING_TYPE, {content.voting_type}),
        features=_choices(view, OptionKind.FEATURE, {*content.features}),
        uses=[_use(each, address, formats) for each in view.uses],
        no_messages=not view.uses,
        limit=limit_row("Running processes", view.processes, formats),
        after=_after(view, formats),
        missing=[each.detail for each in view.missing] + _refused(view, formats),
        summary=_summary(content, view, formats),
        sent=_sent(view, formats),
        list_href=routes.processes(address),
        features_href=routes.features(address),
        plan_href=routes.plan(buying_address(frame)),
    )


def _choices(view: ProcessView, kind: OptionKind, chosen: set[str]) -> list[ChoiceRow]:
    """Everything of a kind that is chosen among the features; reminders are chosen under the census."""
    found = (each for each in view.options.options if each.kind is kind and each.id not in REMINDERS)
    return [_choice(each, view, chosen=each.id in chosen) for each in found]


def _sent(view: ProcessView, formats: Formats) -> list[Field]:
    taken = [(view.metrics[metric], count) for metric, count in view.taken.items() if metric in view.metrics]
    return [Field(metric.name, formats.quantity(metric, count), hint=metric.id) for metric, count in taken]


def _steps(view: ProcessView, step: str) -> list[WizardStep]:
    lacks = [each.step for each in view.missing]
    if any(each in view.content.features or each == "voting" for each in _locked(view)):
        lacks.append("features")
    found = []
    for number, (key, name) in enumerate(STEPS, start=1):
        count = lacks.count(key)
        empty = view.content == Content()
        found.append(
            WizardStep(
                id=key,
                name=name,
                number=str(number),
                here=key == step,
                done=key != "confirm" and not count and not empty,
                lacks=f"{count} missing" if count and not empty else "",
            )
        )
    return found


def _locked(view: ProcessView) -> list[str]:
    """What was chosen and may not be used any more."""
    usable = {(each.kind, each.id) for each in view.options.options if each.usable}
    content = view.content
    found = [each for each in content.needed_features if (OptionKind.FEATURE, each) not in usable]
    return found if (OptionKind.VOTING_TYPE, content.voting_type) in usable else [*found, "voting"]


def _refused(view: ProcessView, formats: Formats) -> list[str]:
    """Why publishing would be refused though everything is filled in."""
    if view.state != ProcessState.DRAFT:
        return []
    found = []
    if not view.census.fits(view.content.census):
        most = formats.number(view.census.maximum or 0)
        found.append(f"{view.options.plan} allows {most} voters in a process.")
    if not view.processes.fits():
        found.append(f"All {formats.number(view.processes.maximum or 0)} processes of {view.options.plan} are running.")
    names = {each.id: each for each in view.options.options}
    for each in _locked(view):
        option = names[view.content.voting_type if each == "voting" else each]
        found.append(f"{option.name} may not be used: {_why(option, view)}.")
    found += [
        f"{each.metric.name}: {formats.named(each.metric, each.missing)} are missing."
        for each in view.uses
        if each.missing
    ]
    return found


def _choice(option: Option, view: ProcessView, *, chosen: bool) -> ChoiceRow:
    return ChoiceRow(option.id, option.name, option.description, chosen, option.usable, _why(option, view))


def _why(option: Option | None, view: ProcessView) -> str:
    """Why an option may not be used; empty when it may."""
    if option is None:
        return "not in the catalogue"
    if option.usable:
        return ""
    return "switched off under Features" if option.state is not OptionState.LOCKED else plans_with(option, view.options)


def _use(use: UseView, address: str, formats: Formats) -> UseRow:
    parts = []
    if use.by_plan:
        parts.append(f"{formats.quantity(use.metric, use.by_plan)} from the plan")
    if use.by_credits:
        parts.append(f"{formats.quantity(use.metric, use.by_credits)} credits")
    offer = ""
    if use.offer is not None:
        price = formats.money(use.offer.price_cents, use.offer.currency)
        offer = f"Buy {offer_named(use.offer, formats)} for {price}"
    return UseRow(
        metric=metric_label(use.metric),
        needed=formats.quantity(use.metric, use.needed),
        split=", ".join(parts),
        short=f"{formats.quantity(use.metric, use.missing)} missing" if use.missing else "",
        offer=offer,
        offer_href=routes.buy(address, metric=use.metric.id, basket=offer_basket(use.offer)) if use.offer else "",
    )


def _census_note(view: ProcessView, formats: Formats) -> str:
    if view.census.maximum is None:
        return f"{view.options.plan} allows any number."
    return f"{view.options.plan} allows up to {formats.number(view.census.maximum)}."


def _after(view: ProcessView, formats: Formats) -> str:
    """ "Will be 5 of 10 processes"."""
    if view.state != ProcessState.DRAFT:
        return ""
    count = formats.number(view.processes.used + 1)
    if view.processes.maximum is None:
        return f"Will be process {count}, of any number"
    if not view.processes.fits():
        return (
            f"{formats.number(view.processes.used)} of {formats.number(view.processes.maximum)} processes are running"
        )
    return f"Will be {count} of {formats.number(view.processes.maximum)} processes"


def _summary(content: Content, view: ProcessView, formats: Formats) -> list[Field]:
    names = {each.id: each.name for each in view.options.options}
    opens = day(content.starts_at, view.now) if content.starts_at else "when published"
    ends = day(content.ends_at, view.now) if content.ends_at else "when closed"
    features = ", ".join(names.get(each, each) for each in content.features) or "none"
    found = [
        Field("Opens", opens, hint=moment_text(content.starts_at) if content.starts_at else ""),
        Field("Ends", ends, hint=moment_text(content.ends_at) if content.ends_at else ""),
        Field("Questions", formats.number(len(content.questions))),
        Field("Voters", formats.number(content.census)),
        Field("Way of voting", names.get(content.voting_type, content.voting_type)),
        Field("Features", features),
    ]
    for name, metric in view.metrics.items():
        count = content.used.get(name, 0)
        found.append(
            Field(metric.name, f"{formats.quantity(metric, count)} {in_a_sentence(metric)}" if count else "none")
        )
    return found
