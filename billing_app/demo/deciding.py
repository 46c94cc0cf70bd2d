"""Processes in the demo's story: what was asked, whether it was published, and how it ended."""

from __future__ import annotations

from sqlmodel import Session

from billing_app.demo.facts import Decide
from billing_app.domain.common.errors import BillingError
from billing_app.domain.processes.processes import ProcessState
from billing_app.services.common.organizations import Organization
from billing_app.services.processes import processes


def decide(session: Session, organization: Organization, fact: Decide, actor: str) -> None:
    """Makes a process, and publishes and closes it if the story says so.

    A changed catalogue may not allow it; then it never was.
    """
    try:
        with session.begin_nested():
            if not fact.published:
                processes.create(session, organization, fact.content, fact.at, actor=actor)
                return
            made = processes.publish_new(session, organization, fact.content, fact.at, actor=actor)
            if fact.closed_at is not None:
                processes.end(session, organization, made.row.id, ProcessState.CLOSED, fact.closed_at, actor=actor)
    except BillingError:
        return
