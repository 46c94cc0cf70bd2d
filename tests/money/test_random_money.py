"""A seeded run of random money events with faults on, reconciled to the cent and to the credit."""

from __future__ import annotations

import random

import pytest
from stripe._http_client import HTTPClient

from billing_app.db import Database
from tests.money.doings import DOINGS
from tests.money.town import Town

SEED = 20261122


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits less before it asks again; that it asks again is its own doing."""
    monkeypatch.setattr(HTTPClient, "INITIAL_DELAY", 0.005)
    monkeypatch.setattr(HTTPClient, "MAX_DELAY", 0.01)


def live(database: Database, seed: int, events: int, size: int) -> Town:
    """A town through so many events; its books are looked at in the end and on the way."""
    chance = random.Random(seed)
    town = Town(database, size, chance)
    town.unreliable = True
    doings, weights = list(DOINGS), list(DOINGS.values())
    for number in range(events):
        (doing,) = chance.choices(doings, weights)
        doing(town, chance.choice(town.households))
        if number % 3 == 2:
            town.deliver(chance.random())
        if number % 20 == 19:
            town.sweep()
        if number % 250 == 249:
            town.come_to_rest()
            assert town.differences() == [], f"after {number + 1} events"
    town.come_to_rest()
    return town


def test_a_hundred_events(database: Database) -> None:
    town = live(database, SEED, 100, 3)
    assert town.differences() == []
    assert sum(len(house.sessions) for house in town.households) > 20


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_thousand_events(database: Database) -> None:
    town = live(database, SEED, 1_000, 4)
    assert town.differences() == []
    assert town.deaths > 10
