"""A gift card that whoever tries the demo can redeem, once in each organization."""

from __future__ import annotations

from datetime import datetime

from billing_app.db import Database
from billing_app.demo.people import ACCOUNTS
from billing_app.domain.catalogue import TOKEN_ID
from billing_app.domain.credits.gift_codes import grouped
from billing_app.services.catalogue import versions
from billing_app.services.credits import gift_cards

CODE = "TESTCARDFREETEAM"
"""No secret, like the password: the card is only there in the demo."""

HOLDS = {"emails": 2_500, TOKEN_ID: 40}
"""Credits to spend, and tokens to convert."""

REDEMPTIONS = 100


def hand_out(database: Database, now: datetime) -> None:
    """Makes the card; what the catalogue does not have is left out of it."""
    with database.writing() as session:
        known = {*versions.current(session, now).metric_ids, TOKEN_ID}
        gift_cards.create(
            session,
            "A welcome",
            {name: quantity for name, quantity in HOLDS.items() if name in known},
            now,
            max_redemptions=REDEMPTIONS,
            actor=ACCOUNTS.operator.email,
            draw=lambda: CODE,
        )


def said() -> str:
    """The line that tells the person at the terminal of it."""
    return f"A gift card to redeem on the credits page: {grouped(CODE)}"
