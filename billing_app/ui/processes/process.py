"""/o/{address}/processes/new: the wizard of a process, and the page of one that was published.

What is filled in is saved by itself, a moment after the last key and whenever a field is left. Where the plan has no
draft free it stays on this page only, which the page says, and can still be published.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from billing_app.domain.common.access import ADMIN_ROLES
from billing_app.domain.common.errors import BillingError, ForbiddenError, NotFoundError, UnauthenticatedError
from billing_app.domain.processes import processes as domain
from billing_app.domain.processes.processes import Content, Question
from billing_app.services.processes import processes, read
from billing_app.services.processes.views import ProcessView
from billing_app.ui import routes
from billing_app.ui.access.session import PageAccess, guarded, id_in
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.organization import page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.processes.process_text import STEPS, WizardScreen, wizard_screen
from billing_app.ui.processes.wizard import published, wizard

EMPTY = domain.encode(Content())

NUMBERS = {"census": domain.MAX_CENSUS, "email_reminders": domain.MAX_REMINDERS, "sms_reminders": domain.MAX_REMINDERS}
DATES = ("starts_at", "ends_at")
TEXTS = ("title", "description", "voting_type")


class ProcessPageState(OrganizationPage):
    """What the wizard shows. What is filled in lies here and, as a draft, in the database."""

    screen: WizardScreen = WizardScreen()
    step: str = STEPS[0][0]
    saved: str = ""
    """That the draft is saved, or why it is not."""
    unsaved: bool = False
    error: str = ""
    _content: str = EMPTY
    _process: str = ""
    _revision: int = 0

    @guarded()
    async def enter(self, access: PageAccess) -> None:
        """Opens a process, or begins a new one."""
        asked = access.text("process")
        if asked == "" or asked != self._process:  # else it was given its address while it was being filled in
            self._process, self._content, self._revision = asked, EMPTY, 0
            self.step, self.saved, self.error, self.unsaved = STEPS[0][0], "", "", False
        await self._read(access, stored=True)

    @guarded()
    async def load(self, access: PageAccess) -> None:
        """Something changed: plan, credits, or the process itself. What is being filled in stays."""
        await self._read(access, stored=not self.screen.draft)

    @guarded(ADMIN_ROLES)
    async def fill(self, access: PageAccess, name: str, value: str) -> Any:
        """A field was filled in."""
        return await self._change(access, lambda content: filled(content, name, value))

    @guarded(ADMIN_ROLES)
    async def choose(self, access: PageAccess, name: str, on: bool) -> Any:
        """A feature was chosen, or no longer."""
        return await self._change(access, lambda content: with_feature(content, name, on))

    @guarded(ADMIN_ROLES)
    async def ask(self, access: PageAccess, place: int, answer: int, value: str) -> Any:
        """A question's text (`answer` -1) or one of its answers was filled in."""
        return await self._change(access, lambda content: asked(content, place, answer, value))

    @guarded(ADMIN_ROLES)
    async def add(self, access: PageAccess, place: int) -> Any:
        """Another answer to a question, or (-1) another question."""
        return await self._change(access, lambda content: added(content, place))

    @guarded(ADMIN_ROLES)
    async def drop(self, access: PageAccess, place: int, answer: int) -> Any:
        """Takes an answer away, or (-1) the whole question."""
        return await self._change(access, lambda content: dropped(content, place, answer))

    @guarded()
    async def go(self, access: PageAccess, step: str) -> None:
        """Another step of the wizard."""
        if step in dict(STEPS):
            self.step = step
            await self._read(access, stored=False)

    @guarded(ADMIN_ROLES)
    async def save(self, access: PageAccess) -> Any:
        """Saves the draft, by the button."""
        return await self._change(access, lambda content: content)

    @guarded(ADMIN_ROLES)
    async def publish(self, access: PageAccess) -> Any:
        """Publishes it."""
        content = domain.decode(self._content)
        process, revision = self._id(), self._revision
        try:
            made = await access.write(lambda at: processes.publish_kept(at, process, content, revision=revision).row.id)
        except (UnauthenticatedError, NotFoundError):
            raise
        except BillingError as error:
            self.error = error.detail
            return None
        return rx.redirect(routes.process(access.address, process=str(made)), replace=True)

    @guarded(ADMIN_ROLES)
    async def discard(self, access: PageAccess) -> Any:
        """Deletes the draft."""
        process = self._id()
        if process is not None:
            await access.write(lambda at: processes.discard(at, process))
        return rx.redirect(routes.processes(access.address))

    @guarded(ADMIN_ROLES)
    async def end(self, access: PageAccess, outcome: str, form: dict) -> None:
        """Closes or cancels it; the form says how many messages went out."""
        process = self._id()
        if process is None:
            return
        sent = {metric: whole(text, domain.MAX_CENSUS * domain.MAX_REMINDERS) for metric, text in form.items()}
        try:
            await access.write(
                lambda at: processes.end(at, process, domain.outcome_in(outcome), sent=sent)
            )  # fmt: skip
        except (UnauthenticatedError, NotFoundError):
            raise
        except BillingError as error:
            self.error = error.detail
        else:
            self.error = ""
        await self._read(access, stored=True)

    async def _change(self, access: PageAccess, change: Any) -> Any:
        """Changes what is filled in, saves it if it can be, and shows what it means."""
        if self.screen.ready and not self.screen.draft:
            return None
        try:
            content = domain.checked(change(domain.decode(self._content)))
        except BillingError as error:
            self.error = error.detail
            return None
        self._content, self.error = domain.encode(content), ""
        known = self._process
        await self._save(access, content)
        await self._read(access, stored=False)
        if self._process != known:  # the address names the draft, so that loading the page again opens it
            return rx.redirect(routes.process(access.address, process=self._process), replace=True)
        return None

    async def _save(self, access: PageAccess, content: Content) -> None:
        process, revision = self._id(), self._revision

        def keep(at: PageContext) -> tuple[UUID, int]:
            row = processes.keep(at, process, content, revision=revision).row
            return row.id, row.revision

        try:
            made, self._revision = await access.write(keep)
        except (UnauthenticatedError, NotFoundError):
            raise
        except ForbiddenError as error:
            if error.code != "limit_reached":
                raise
            self.saved, self.unsaved = f"Not saved. {error.detail}", True
        except BillingError as error:
            self.saved, self.unsaved = f"Not saved. {error.detail}", True
        else:
            self._process = str(made)
            self.saved, self.unsaved = "Draft saved", False

    async def _read(self, access: PageAccess, *, stored: bool) -> None:
        """Shows the process: as it is `stored`, or as it is being filled in."""
        content = None if stored else domain.decode(self._content)
        process = self._id()
        found: dict[str, Any] = {}

        def opened(at: PageContext) -> ProcessView:
            found["view"] = read.process(at, process_id=process, content=content, may_change=at.access.may_change)
            return found["view"]

        self.screen = await access.show(self, opened, partial(wizard_screen, step=self.step))
        if stored:
            self._content, self._revision = domain.encode(found["view"].content), found["view"].revision

    def _id(self) -> UUID | None:
        """Raises NotFoundError for a URL that names no process."""
        if not self._process:
            return None
        return id_in(self._process, "There is no such process.")


def filled(content: Content, name: str, value: str) -> Content:
    """The content with one field filled in; a field that there is not changes nothing."""
    if name in NUMBERS:
        return replace(content, **{name: whole(value, NUMBERS[name])})
    if name in DATES:
        return replace(content, **{name: moment(value)})
    if name in TEXTS:
        return replace(content, **{name: value})
    return content


def with_feature(content: Content, name: str, on: bool) -> Content:
    """The content with a feature chosen, or no longer."""
    others = tuple(each for each in content.features if each != name)
    return replace(content, features=(*others, name) if on and name else others)


def asked(content: Content, place: int, answer: int, value: str) -> Content:
    """The content with a question's text or one of its answers."""
    return _with_question(content, place, lambda question: _answered(question, answer, value))


def added(content: Content, place: int) -> Content:
    """The content with another answer, or another question."""
    if place < 0:
        return replace(content, questions=(*content.questions, Question("", ("", ""))))
    return _with_question(content, place, lambda question: replace(question, answers=(*question.answers, "")))


def dropped(content: Content, place: int, answer: int) -> Content:
    """The content without an answer, or without a question."""
    if answer < 0:
        return replace(content, questions=_without(content.questions, place))
    return _with_question(
        content, place, lambda question: replace(question, answers=_without(question.answers, answer))
    )


def whole(text: str, most: int) -> int:
    """A whole number that somebody typed, with or without separators; what is none is 0, what is too large the most."""
    digits = "".join(character for character in text if character not in " ,.\N{NO-BREAK SPACE}'")
    return min(int(digits[:18]), most) if digits.isascii() and digits.isdigit() else 0


def moment(text: str) -> datetime | None:
    """What a browser's field for date and time gives, taken as UTC; None when it is empty."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        return None


def _with_question(content: Content, place: int, change: Any) -> Content:
    if not 0 <= place < len(content.questions):
        return content
    questions = list(content.questions)
    questions[place] = change(questions[place])
    return replace(content, questions=tuple(questions))


def _answered(question: Question, answer: int, value: str) -> Question:
    if answer < 0:
        return replace(question, title=value)
    if answer >= len(question.answers):
        return question
    answers = list(question.answers)
    answers[answer] = value
    return replace(question, answers=tuple(answers))


def _without(items: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return items[:place] + items[place + 1 :] if 0 <= place < len(items) else items


screen = ProcessPageState.screen


def process_page() -> rx.Component:
    """The page."""
    content = rx.cond(screen.draft, wizard(ProcessPageState), published(ProcessPageState))
    return page(content, active="processes", ready=screen.ready, skeleton=list_skeleton("Process"))
