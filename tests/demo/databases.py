"""What tests of the demo begin with, also in a process of their own."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import datetime

import pytest

from billing_app.db import Database
from billing_app.demo import seed, telling
from billing_app.demo.facts import Story
from billing_app.demo.story import stories
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from tests.support import databases

FACTS = 4
"""Enough for grants in each organization; none of them tells of use."""


def with_catalogue(url: str, now: datetime) -> Database:
    """The migrated database at `url` with the catalogue that comes with the program."""
    database = databases.opened(url)
    with database.writing() as session:
        versions.load(session, versions.read_document(ROOT / "plans.json"), now, "plans.json")
    return database


def short_stories(now: datetime) -> tuple[Story, ...]:
    """The beginning of the same story without use: told in a second, for tests of what surrounds it."""
    return tuple(replace(story, usage=(), facts=story.facts[:FACTS]) for story in stories(now))


def die_while(moment: str, patch: pytest.MonkeyPatch) -> None:
    """Lets this process end as if killed: while the story is "told", or while it is "copied" into the file."""
    if moment == "told":
        patch.setattr(telling._Narrator, "_recount", lambda *_: os._exit(9))
    else:
        patch.setattr(seed, "PAGES_AT_ONCE", 16)
        patch.setattr(seed, "_pause", lambda _status, remaining, total: remaining < total / 2 and os._exit(9))


if __name__ == "__main__":
    url, at, killed_while = sys.argv[1:]
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(telling, "stories", short_stories)
        die_while(killed_while, monkeypatch)
        seed.seed_at(Database(url), datetime.fromisoformat(at))
