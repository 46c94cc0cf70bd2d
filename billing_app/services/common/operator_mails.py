"""Writes down, with the fact, what operators are to be told of; a job mails it.

At most one mail a day about one subject: the page has the rest, and a bad night must not fill a mailbox.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.store.notifications import operator_mails as store
from billing_app.store.tables.notifications import OperatorMail

MAX_SUBJECT = 100
"""Characters of a subject in the key of its mails."""


def write(
    session: Session, subject: str, title: str, text: str, page: str, now: datetime, *, once: bool = False
) -> None:
    """Has every operator told, once a day (UTC) about one `subject`, or `once` for good: of what cannot happen again.

    `page` is the path that shows more.
    """
    key = subject[:MAX_SUBJECT] if once else f"{subject[:MAX_SUBJECT]}:{now.date().isoformat()}"
    for operator in store.operators(session):
        store.add(
            session,
            OperatorMail(
                key=key, user_id=operator.id, subject=title, text=text, page=page,
                created_at=now, next_try_at=now,
            ),
        )  # fmt: skip
