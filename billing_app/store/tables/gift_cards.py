"""Gift cards, which belong to the operator, and which organization redeemed which."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from billing_app.store.tables.access import HASH_LENGTH
from billing_app.store.tables.base import Big, Moment, Table, new_id


class GiftCard(Table, table=True):
    """A code that becomes credits. Only its hash is stored; `hint` is what people recognise it by.

    `contents` is a JSON object of metrics and quantities in base units. `redemptions` counts up to `max_redemptions`
    in one statement, so that two who take the last one at once do not both get it.
    """

    __tablename__ = "gift_cards"
    __table_args__ = (
        CheckConstraint("max_redemptions > 0", name="max_redemptions_positive"),
        CheckConstraint("redemptions BETWEEN 0 AND max_redemptions", name="redemptions_within_max"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    batch_id: UUID = Field(index=True)
    name: str = Field(max_length=100)
    code_hash: str = Field(max_length=HASH_LENGTH, unique=True)
    hint: str = Field(max_length=32)
    contents: str = Field(sa_type=Text)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    max_redemptions: int = Field(sa_type=Big)
    redemptions: int = Field(default=0, sa_type=Big)
    created_at: datetime = Field(sa_type=Moment)
    created_by: str = Field(default="", max_length=254)
    voided_at: datetime | None = Field(default=None, sa_type=Moment)
    void_reason: str = Field(default="", sa_type=Text)


class GiftCardRedemption(Table, table=True):
    """An organization redeemed a card: its key says that it does so once."""

    __tablename__ = "gift_card_redemptions"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        ForeignKeyConstraint(["card_id"], ["gift_cards.id"]),
        Index("ix_gift_card_redemptions_card_id", "card_id"),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    card_id: UUID = Field(primary_key=True)
    redeemed_at: datetime = Field(sa_type=Moment)
    actor: str = ""
