"""Processes against plan, limits and credits: publishing is all or nothing, and what was not sent comes back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import (
    BillingError,
    ConflictError,
    CreditsExhaustedError,
    ForbiddenError,
    InvalidError,
)
from billing_app.domain.processes.processes import Content, ProcessState, Question
from billing_app.domain.processes.voting import OptionKind
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.limits import features, limits, overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.processes import processes
from billing_app.services.processes.processes import Shown
from billing_app.services.usage import accounts
from billing_app.services.verification import verification
from billing_app.store.organizations.organizations import by_address
from tests.support.builders import NOON, an_organization, the_catalogue
from tests.support.crashes import survives

COMPLETE = Content(title="Board", questions=(Question("Who?", ("Ada", "Grace")),), census=100)
REMINDED = replace(COMPLETE, email_reminders=2)


@dataclass
class Acme:
    """An organization on a plan, and short words for what is done with its processes."""

    database: Database
    now: datetime = NOON

    def do(self, work: Callable[..., Any], *arguments: Any, actor: str = "", **named: Any) -> Any:
        with self.database.writing() as session:
            organization = by_address(session, "acme")
            assert organization is not None
            return work(Context(session, organization, self.now, actor), *arguments, **named)

    def plan(self, plan: str) -> None:
        self.do(grants.change_plan, plan)

    def draft(self, content: Content = COMPLETE) -> UUID:
        shown: Shown = self.do(processes.create, content, actor="user:ada")
        return shown.row.id

    def publish(self, process_id: UUID) -> Shown:
        return self.do(processes.publish, process_id, actor="user:ada")

    def published(self, content: Content = COMPLETE) -> UUID:
        return self.publish(self.draft(content)).row.id

    def end(self, process_id: UUID, outcome: ProcessState, **sent: int) -> Shown:
        return self.do(processes.end, process_id, outcome, sent=sent or None, actor="user:ada")

    def used(self, metric: str = "emails") -> int:
        with self.database.reading() as session:
            organization = by_address(session, "acme")
            assert organization is not None
            return accounts.account(session, organization, metric, self.now).used

    def verified(self) -> None:
        with self.database.reading() as session:
            organization = by_address(session, "acme")
            assert organization is not None
            assert list(verification.verify(Context(session, organization, self.now))) == []

    def state(self, process_id: UUID) -> str:
        with self.database.reading() as session:
            organization = by_address(session, "acme")
            assert organization is not None
            return processes.get(session, organization, process_id).row.state


@pytest.fixture
def acme(database: Database) -> Acme:
    the_catalogue(database)
    with database.writing() as session:
        grants.change_plan(Context(session, an_organization(session), NOON), "essential")
    return Acme(database)


def refused(work: Callable[[], object], code: str, kind: type[BillingError] = ForbiddenError) -> BillingError:
    with pytest.raises(kind) as found:
        work()
    assert found.value.code == code
    return found.value


class TestDrafts:
    """What is filled in is kept, and nobody's work is overwritten unseen."""

    def test_a_draft_may_be_empty_and_is_saved_as_it_grows(self, acme: Acme) -> None:
        draft = acme.draft(Content())
        acme.do(lambda context: processes.save(context, draft, COMPLETE, revision=1))
        stale = lambda context: processes.save(context, draft, Content(), revision=1)  # noqa: E731
        assert refused(lambda: acme.do(stale), "draft_changed", ConflictError).fields["revision"] == 2

    def test_saving_the_same_again_is_no_change(self, acme: Acme) -> None:
        draft = acme.draft()
        shown = acme.do(lambda context: processes.save(context, draft, COMPLETE))
        assert shown.row.revision == 1

    def test_there_are_as_many_as_the_plan_allows(self, acme: Acme) -> None:
        drafts = [acme.draft() for _ in range(5)]
        error = refused(acme.draft, "limit_reached")
        assert (error.fields["limit"], error.fields["used"], error.fields["name"]) == (5, 5, "drafts")
        acme.do(processes.discard, drafts[0], actor="user:ada")
        acme.draft()

    def test_whoever_has_no_draft_free_may_publish_at_once(self, acme: Acme) -> None:
        for _ in range(5):
            acme.draft()
        shown = acme.do(processes.publish_new, COMPLETE, actor="user:ada")
        assert shown.row.state == ProcessState.PUBLISHED

    def test_what_was_published_is_no_draft(self, acme: Acme) -> None:
        process = acme.published()
        for work in (
            lambda: acme.do(processes.discard, process, actor="user:ada"),
            lambda: acme.do(lambda context: processes.save(context, process, Content())),
        ):
            refused(work, "process_not_draft", ConflictError)


class TestPublishing:
    """All or nothing."""

    def test_it_counts_and_takes_its_messages_once(self, acme: Acme) -> None:
        process = acme.published(REMINDED)
        acme.publish(process)
        assert acme.used() == 200
        usage = acme.do(limits.usage)
        assert {use.limit.value: use.used for use in usage}["maxProcesses"] == 1

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (replace(COMPLETE, census=1001), "census_too_large"),
            (replace(COMPLETE, voting_type="ranked"), "voting_type_not_in_plan"),
            (replace(COMPLETE, features=("whiteLabel",)), "feature_not_in_plan"),
            (replace(COMPLETE, sms_reminders=1), "feature_not_in_plan"),
        ],
    )
    def test_what_the_plan_does_not_have_is_refused(self, acme: Acme, content: Content, code: str) -> None:
        draft = acme.draft(content)
        assert refused(lambda: acme.publish(draft), code).fields["plan"] == "essential"
        refused(lambda: acme.do(processes.publish_new, content, actor="user:ada"), code)
        assert (acme.state(draft), acme.used()) == ("draft", 0)

    def test_what_is_missing_is_said_all_at_once(self, acme: Acme) -> None:
        draft = acme.draft(Content())
        error = refused(lambda: acme.publish(draft), "process_incomplete", InvalidError)
        assert [each["step"] for each in error.fields["missing"]] == ["information", "questions", "census"]

    def test_one_metric_that_is_short_leaves_the_other_untouched(self, acme: Acme) -> None:
        acme.plan("pro")
        draft = acme.draft(replace(COMPLETE, census=201, email_reminders=1, sms_reminders=1))
        error = refused(lambda: acme.publish(draft), "credits_exhausted", CreditsExhaustedError)
        assert error.fields["metric"] == "sms"
        assert (acme.state(draft), acme.used("emails"), acme.used("sms")) == ("draft", 0, 0)
        acme.do(
            lambda context: grants.grant(
                context, grants.NewGrant("sms", 1, source="operator", source_key="gift", reason="A gift")
            )
        )
        acme.publish(draft)
        assert (acme.used("emails"), acme.used("sms")) == (201, 201)

    def test_there_are_as_many_as_the_plan_allows(self, acme: Acme) -> None:
        running = [acme.published() for _ in range(10)]
        draft = acme.draft()
        assert refused(lambda: acme.publish(draft), "limit_reached").fields["name"] == "maxProcesses"
        acme.end(running[0], ProcessState.CLOSED)
        acme.publish(draft)


class TestEnding:
    """What was not sent is given back where it was taken."""

    @pytest.mark.parametrize(
        ("outcome", "sent", "used"),
        [
            (ProcessState.CLOSED, {}, 200),
            (ProcessState.CLOSED, {"emails": 150}, 150),
            (ProcessState.CANCELLED, {}, 0),
            (ProcessState.CANCELLED, {"emails": 20}, 20),
        ],
    )
    def test_what_was_not_sent_comes_back(
        self, acme: Acme, outcome: ProcessState, sent: dict[str, int], used: int
    ) -> None:
        process = acme.published(REMINDED)
        acme.now += timedelta(days=1)
        acme.end(process, outcome, **sent)
        assert acme.used() == used
        acme.end(process, outcome, **sent)
        assert acme.used() == used

    def test_it_comes_back_to_the_period_and_the_grant_that_paid(self, acme: Acme) -> None:
        acme.do(
            lambda context: grants.grant(
                context, grants.NewGrant("emails", 1_000, source="operator", source_key="gift", reason="A gift")
            )
        )
        process = acme.published(replace(COMPLETE, census=1_000, email_reminders=6))
        acme.now = datetime(2026, 6, 20, tzinfo=UTC)
        assert self.left(acme) == 0
        acme.end(process, ProcessState.CANCELLED)
        assert self.left(acme) == 1_000
        with acme.database.reading() as session:
            organization = by_address(session, "acme")
            assert organization is not None
            assert list(verification.verify(Context(session, organization, acme.now))) == []

    def left(self, acme: Acme) -> int:
        with acme.database.reading() as session:
            organization = by_address(session, "acme")
            assert organization is not None
            return accounts.account(session, organization, "emails", acme.now).left

    def test_more_cannot_have_been_sent_than_was_taken(self, acme: Acme) -> None:
        process = acme.published(REMINDED)
        for sent in ({"emails": 201}, {"sms": 1}, {"emails": -1}):
            refused(lambda sent=sent: acme.end(process, ProcessState.CLOSED, **sent), "invalid_quantity", InvalidError)
        assert acme.used() == 200

    def test_a_draft_does_not_end(self, acme: Acme) -> None:
        draft = acme.draft()
        refused(lambda: acme.end(draft, ProcessState.CLOSED), "process_not_published", ConflictError)


class TestDying:
    """Whoever dies in the middle has done nothing; the same asked again does it once."""

    @pytest.mark.both_databases
    def test_publishing_at_any_write(self, acme: Acme) -> None:
        acme.plan("pro")
        draft = acme.draft(replace(REMINDED, sms_reminders=1))
        for write in itertools.count(1):
            if survives(acme.database, write, lambda: acme.publish(draft)):
                break
            assert (acme.state(draft), acme.used("emails"), acme.used("sms")) == ("draft", 0, 0)
        assert write > 5
        acme.publish(draft)
        assert (acme.state(draft), acme.used("emails"), acme.used("sms")) == ("published", 200, 100)
        acme.verified()

    @pytest.mark.both_databases
    def test_cancelling_at_any_write(self, acme: Acme) -> None:
        made = acme.published(REMINDED)
        for write in itertools.count(1):
            if survives(acme.database, write, lambda: acme.end(made, ProcessState.CANCELLED, emails=30)):
                break
            assert (acme.state(made), acme.used()) == ("published", 200)
        assert write > 5
        acme.end(made, ProcessState.CLOSED)
        assert (acme.state(made), acme.used()) == ("cancelled", 30)
        acme.verified()


class TestOptions:
    """The plan, the operator's overrides, and the admin's switches."""

    def test_an_admin_switches_off_what_the_plan_has(self, acme: Acme) -> None:
        wanted = {(OptionKind.FEATURE, "emailReminder"): False, (OptionKind.VOTING_TYPE, "approval"): False}
        acme.do(lambda context: features.switch(replace(context, actor="user:ada"), wanted))
        refused(lambda: acme.published(REMINDED), "feature_switched_off")
        refused(lambda: acme.published(replace(COMPLETE, voting_type="approval")), "voting_type_switched_off")
        on = {(OptionKind.FEATURE, "emailReminder"): True}
        acme.do(lambda context: features.switch(replace(context, actor="user:ada"), on))
        acme.published(REMINDED)

    def test_what_the_plan_has_not_cannot_be_switched_on_and_nothing_else_is(self, acme: Acme) -> None:
        wanted = {(OptionKind.FEATURE, "emailReminder"): False, (OptionKind.FEATURE, "whiteLabel"): True}
        switch = lambda context: features.switch(replace(context, actor="user:ada"), wanted)  # noqa: E731
        assert refused(lambda: acme.do(switch), "feature_not_in_plan").fields["plans"] == ["custom"]
        acme.published(REMINDED)

    def test_an_override_opens_it_until_it_ends(self, acme: Acme) -> None:
        def give(context: Context) -> None:
            until = context.now + timedelta(days=2)
            overrides.put(replace(context, actor="op"), Kind.VOTING_TYPE, "ranked", 1, ends_at=until, reason="A trial")

        acme.do(give)
        acme.published(replace(COMPLETE, voting_type="ranked"))
        acme.now += timedelta(days=2)
        refused(lambda: acme.published(replace(COMPLETE, voting_type="ranked")), "voting_type_not_in_plan")

    def test_an_unknown_one_is_named(self, acme: Acme) -> None:
        refused(lambda: acme.published(replace(COMPLETE, features=("telepathy",))), "unknown_feature", InvalidError)


def test_other_organizations_do_not_see_it(acme: Acme) -> None:
    process = acme.draft()
    with acme.database.writing() as session:
        other = an_organization(session, "globex")
        for work in (
            lambda: processes.get(session, other, process),
            lambda: processes.discard(Context(session, other, NOON, "user:eve"), process),
            lambda: processes.publish(Context(session, other, NOON, "user:eve"), process),
        ):
            refused(work, "process_not_found", BillingError)
        assert processes.listed(session, other, 10) == []
        assert other.pk
