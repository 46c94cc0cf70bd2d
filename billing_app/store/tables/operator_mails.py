"""Mails to those who run the console: what needs a person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text
from sqlmodel import Field

from billing_app.store.tables.base import Moment, Table


class OperatorMail(Table, table=True):
    """One mail to one operator, once per `key`. Due at `next_try_at`; null: sent, or given up."""

    __tablename__ = "operator_mails"
    __table_args__ = (Index("ix_operator_mails_next_try_at", "next_try_at"),)

    key: str = Field(primary_key=True, max_length=120)
    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    subject: str = Field(max_length=200)
    text: str = Field(sa_type=Text)
    page: str = Field(max_length=200, description="path of the page that shows more")
    created_at: datetime = Field(sa_type=Moment)
    tries: int = 0
    next_try_at: datetime | None = Field(default=None, sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    error: str = Field(default="", max_length=500)
