"""Queries about failed sign-ins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, delete, update
from sqlmodel import Session, col

from billing_app.store.common.statements import upsert
from billing_app.store.tables.access import SignInAttempts


def count(session: Session, subject_hash: str, now: datetime, window_start: datetime) -> int:
    """Counts one more failure of the subject and gives the count of its window.

    One statement, so that guesses made at the same time are all counted. A window that began at `window_start` or
    earlier is over and begins anew.
    """
    started, failures = col(SignInAttempts.started_at), col(SignInAttempts.failures)
    statement = (
        upsert(session, SignInAttempts)
        .values(subject_hash=subject_hash, started_at=now, failures=1)
        .on_conflict_do_update(
            index_elements=["subject_hash"],
            set_={
                "failures": case((started <= window_start, 1), else_=failures + 1),
                "started_at": case((started <= window_start, now), else_=started),
            },
        )
        .returning(failures)
    )
    return session.exec(statement).scalar_one()


def forget(session: Session, subject_hash: str) -> None:
    """Forgets what a subject failed."""
    session.exec(delete(SignInAttempts).where(col(SignInAttempts.subject_hash) == subject_hash))


def take_back(session: Session, subject_hash: str) -> None:
    """Takes back one counted failure: the attempt turned out to be right."""
    session.exec(
        update(SignInAttempts)
        .where(col(SignInAttempts.subject_hash) == subject_hash, col(SignInAttempts.failures) > 0)
        .values(failures=col(SignInAttempts.failures) - 1)
        .execution_options(synchronize_session=False)
    )
