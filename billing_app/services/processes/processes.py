"""Processes: drafts that are filled in, published against the plan, and ended.

Publishing is all or nothing, in one transaction: everything is filled in, the census is within the plan, its way of
voting and features may be used, there is room for one more process, and its messages are taken from the metrics
`emails` and `sms`. Whatever refuses leaves the draft as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError
from billing_app.domain.organizations.limits import Limit
from billing_app.domain.processes import processes as domain
from billing_app.domain.processes.processes import Content, ProcessState
from billing_app.domain.processes.voting import EMAILS, SMS
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.context import Context
from billing_app.services.limits import features, limits
from billing_app.services.usage import consumption, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.common import locks
from billing_app.store.processes import processes as store
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.processes import Process

ENDS = {ProcessState.CLOSED: "closed", ProcessState.CANCELLED: "cancelled"}
"""How a published process ends."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A process with what was filled in."""

    row: Process
    content: Content


def listed(
    session: Session, organization: Organization, limit: int, *, state: str = "", before: UUID | None = None
) -> list[Shown]:
    """The newest first, beginning after `before`."""
    rows = store.page(session, organization.pk, limit, state=state, before=before)
    return [Shown(row, domain.decode(row.content)) for row in rows]


def get(session: Session, organization: Organization, process_id: UUID) -> Shown:
    """One process. Raises NotFoundError `process_not_found`."""
    row = store.process(session, organization.pk, process_id)
    if row is None:
        raise _not_found(process_id)
    return Shown(row, domain.decode(row.content))


def create(context: Context, content: Content) -> Shown:
    """A new draft. Raises ForbiddenError `limit_reached` (drafts), InvalidError `invalid_process`."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    checked = domain.checked(content)
    limits.require(context, Limit.DRAFTS)
    now = locks.moment(session, now)
    row = _insert(context.at(now), checked)
    after = {"state": row.state, "title": checked.title}
    audit.record(session, organization.pk, now, actor, "process.created", str(row.id), after=after)
    organizations.raise_revision(session, organization.pk)
    return Shown(row, checked)


def save(context: Context, process_id: UUID, content: Content, *, revision: int | None = None) -> Shown:
    """Changes a draft. With `revision` only if nobody else has changed it since: nothing is overwritten unseen.

    Raises ConflictError `draft_changed` or `process_not_draft`, InvalidError `invalid_process`.
    """
    session, organization, now = context.session, context.organization, context.now
    checked = domain.checked(content)
    row = _draft(session, organization, process_id)
    if revision is not None and revision != row.revision:
        raise ConflictError(
            "Somebody else has changed this draft meanwhile. Load it again before you go on.",
            code="draft_changed",
            revision=row.revision,
        )
    text = domain.encode(checked)
    if text != row.content:
        row.content, row.title, row.census = text, checked.title, checked.census
        row.changed_at, row.revision = now, row.revision + 1
        session.add(row)
        session.flush()
        organizations.raise_revision(session, organization.pk)
    return Shown(row, checked)


def keep(context: Context, process_id: UUID | None, content: Content, *, revision: int) -> Shown:
    """Saves what is being filled in, as a new draft where it has no id yet; raises as `create` and `save` do."""
    if process_id is None:
        return create(context, content)
    return save(context, process_id, content, revision=revision)


def discard(context: Context, process_id: UUID) -> None:
    """Deletes a draft. Raises ConflictError `process_not_draft`: what was published is kept."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    row = _draft(session, organization, process_id)
    before = {"state": row.state, "title": row.title}
    session.delete(row)
    session.flush()
    audit.record(session, organization.pk, now, actor, "process.discarded", str(process_id), before=before)
    organizations.raise_revision(session, organization.pk)


def publish(context: Context, process_id: UUID) -> Shown:
    """Publishes a draft; publishing twice is once.

    Raises InvalidError `process_incomplete` with what is `missing`; ForbiddenError `census_too_large`,
    `limit_reached`, `voting_type_not_in_plan`, `feature_not_in_plan`, `..._switched_off`; CreditsExhaustedError.
    """
    session, organization, now = context.session, context.organization, context.now
    _, now = payers.hold(context)  # the organization's row before the process's, as everywhere
    row = _locked(session, organization, process_id)
    content = domain.decode(row.content)
    if row.state == ProcessState.PUBLISHED:
        return Shown(row, content)
    _require_draft(row)
    return _publish(context.at(now), row, content)


def publish_new(context: Context, content: Content) -> Shown:
    """Publishes at once what was never a draft, so that no draft has to be free for it. Raises what `publish` does."""
    now = context.now
    checked = domain.checked(content)
    _, now = payers.hold(context)
    return _publish(context.at(now), _insert(context.at(now), checked), checked)


def publish_kept(context: Context, process_id: UUID | None, content: Content, *, revision: int) -> Shown:
    """Publishes what is filled in, whether or not it was ever a draft; raises as `save` and `publish` do."""
    if process_id is None:
        return publish_new(context, content)
    save(context, process_id, content, revision=revision)
    return publish(context, process_id)


def end(context: Context, process_id: UUID, outcome: ProcessState, *, sent: Mapping[str, int] | None = None) -> Shown:
    """Closes or cancels a published process and gives back what was not sent, as a correction of its own moment.

    `sent` is how many messages went out per metric; without a word a closed process has sent all, a cancelled one
    none. Ending twice is once. Raises ConflictError `process_not_published`, InvalidError `invalid_quantity`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    _, now = payers.hold(context)
    row = _locked(session, organization, process_id)
    if row.state in ENDS:
        return Shown(row, domain.decode(row.content))
    if row.state != ProcessState.PUBLISHED or row.published_at is None:
        raise ConflictError("Only a published process can be ended.", code="process_not_published")
    unsent = _unsent(row, outcome, sent or {})
    if unsent:
        _give_back(context.at(now), row, unsent)
    row.state, row.ended_at = outcome.value, now
    session.add(row)
    session.flush()
    after = {"state": row.state, "given_back": unsent}
    before = {"state": ProcessState.PUBLISHED.value}
    owner = organization.pk
    audit.record(session, owner, now, actor, f"process.{ENDS[outcome]}", str(row.id), before=before, after=after)
    organizations.raise_revision(session, owner)
    return Shown(row, domain.decode(row.content))


def taken(row: Process) -> dict[str, int]:
    """What publishing took, per metric."""
    return {metric: quantity for metric, quantity in ((EMAILS, row.emails), (SMS, row.sms)) if quantity}


def _publish(context: Context, row: Process, content: Content) -> Shown:
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    lacking = domain.missing(content, now)
    if lacking:
        raise InvalidError(
            " ".join(each.detail for each in lacking),
            code="process_incomplete",
            missing=[{"step": each.step, "detail": each.detail} for each in lacking],
        )
    limits.require(context, Limit.PROCESSES)
    limits.require(context, Limit.CENSUS, content.census)
    features.require(context, voting_type=content.voting_type, features=content.needed_features)
    for metric, quantity in sorted(content.used.items()):
        key = f"process:{row.id}:{metric}"
        consumed = consumption.consume(context, metric, quantity, key=key)
        if not consumed.accepted:
            raise consumption.exhausted(metric, quantity, consumed)
    now = locks.moment(session, now)
    row.state, row.published_at, row.changed_at = ProcessState.PUBLISHED.value, now, now
    row.emails, row.sms = content.used.get(EMAILS, 0), content.used.get(SMS, 0)
    session.add(row)
    session.flush()
    owner = organization.pk
    after = {"state": row.state, "title": row.title, "used": taken(row)}
    audit.record(session, owner, now, actor, "process.published", str(row.id), after=after)
    organizations.raise_revision(session, owner)
    return Shown(row, content)


def _unsent(row: Process, outcome: ProcessState, sent: Mapping[str, int]) -> dict[str, int]:
    found = {}
    held = taken(row)
    for metric in {*held, *sent}:
        most = held.get(metric, 0)
        count = sent.get(metric, most if outcome is ProcessState.CLOSED else 0)
        if not 0 <= count <= most:
            raise InvalidError(
                f"{metric}: 0 to {most} messages can have been sent, not {count}.", code="invalid_quantity"
            )
        if count < most:
            found[metric] = most - count
    return found


def _give_back(context: Context, row: Process, unsent: Mapping[str, int]) -> None:
    """A correction at the moment of publishing, whose period it was: what was burned then is released there.

    The age limit is for reports from outside, of which nobody knows what they were; this we took ourselves.
    """
    events = [
        ReportedEvent(metric, -quantity, at=row.published_at, id=f"process:{row.id}:{metric}:unsent")
        for metric, quantity in sorted(unsent.items())
    ]
    report = reporting.report(context, events, backfill=True)
    if report.accepted < len(events):
        details = [each.detail for each in report.rejected] or ["Its key was used for something else."]
        raise ConflictError(f"What was not sent could not be given back: {details[0]}", code="correction_refused")


def _insert(context: Context, content: Content) -> Process:
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    row = Process(
        organization_id=organization.pk,
        content=domain.encode(content),
        title=content.title,
        census=content.census,
        created_at=now,
        changed_at=now,
        created_by=actor,
    )
    session.add(row)
    session.flush()
    return row


def _locked(session: Session, organization: Organization, process_id: UUID) -> Process:
    row = store.process(session, organization.pk, process_id, lock=True)
    if row is None:
        raise _not_found(process_id)
    return row


def _draft(session: Session, organization: Organization, process_id: UUID) -> Process:
    row = _locked(session, organization, process_id)
    _require_draft(row)
    return row


def _require_draft(row: Process) -> None:
    if row.state != ProcessState.DRAFT:
        raise ConflictError("This process is not a draft any more.", code="process_not_draft", state=row.state)


def _not_found(process_id: UUID) -> NotFoundError:
    return NotFoundError(f"There is no process {process_id}.", code="process_not_found")
