"""Processes in the demo's story: what was asked, whether it was published, and how it ended."""

from __future__ import annotations

from sqlmodel import Session

from billing_app.demo.facts import Decide
from billing_app.domain.common.errors import BillingError
from billing_app.domain.processes.processes import ProcessState
from billing_app.services.common.context import Context
from billing_app.services.common.organizations import Organization
from billing_app.services.processes import processes


def decide(session: Session, organization: Organization, fact: Decide, actor: str) -> None:
    """Makes a process, and publishes and closes it if the story says so.

    A changed catalogue may not allow it; then it never was.
    """
    try:
        with session.begin_nested():
            if not fact.published:
                processes.create(Context(session, organization, fact.at, actor), fact.content)
                return
            made = processes.publish_new(Context(session, organization, fact.at, actor), fact.content)
            if fact.closed_at is not None:
                processes.end(Context(session, organization, fact.closed_at, actor), made.row.id, ProcessState.CLOSED)
    except BillingError:
        return
