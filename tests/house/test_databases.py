"""Which test meets which database (decision 14)."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import ABOUT_DATABASES, HERE, meets

AT_ONCE = re.compile(r"ThreadPoolExecutor|threading|multiprocessing|killed\(|survives\(")
SAYS_SO = re.compile(r"both_databases|database_url")
WITHOUT_DATABASE = {"fake_stripe", "browser", "platform", "gateways"}


def test_what_starts_threads_or_is_killed_meets_both() -> None:
    for file in HERE.rglob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        if file.relative_to(HERE).parts[0] not in (*ABOUT_DATABASES, *WITHOUT_DATABASE) and AT_ONCE.search(text):
            assert SAYS_SO.search(text), f"{file} runs things at once: give those tests the mark both_databases"


def about_nothing(database: Any) -> None:
    """Stands for a test."""


def opening(database_url: str) -> None:
    """Stands for a test that opens a database itself."""


def an_item(function: Any, kind: str, name: str, folder: str = "services", mark: object = None) -> Any:
    return SimpleNamespace(
        callspec=SimpleNamespace(params={"database_kind": kind}),
        function=function,
        get_closest_marker=lambda _name: mark,
        path=Path(HERE, folder, "test_x.py"),
        nodeid=f"{name}[{kind}]",
    )


@pytest.mark.parametrize("number", range(20))
def test_either_is_exactly_one_and_always_the_same(number: int) -> None:
    met = [kind for kind in ("sqlite", "postgresql") if meets(an_item(about_nothing, kind, f"test_{number}"))]
    assert len(met) == 1
    assert meets(an_item(about_nothing, met[0], f"test_{number}"))


def test_both_databases_are_met_by_about_as_many() -> None:
    on_sqlite = sum(meets(an_item(about_nothing, "sqlite", f"test_{number}")) for number in range(1000))
    assert 400 < on_sqlite < 600


def test_what_is_about_databases_meets_both() -> None:
    for kind in ("sqlite", "postgresql"):
        for number in range(20):
            assert meets(an_item(opening, kind, f"test_{number}"))
            assert meets(an_item(about_nothing, kind, f"test_{number}", "store"))
            assert meets(an_item(about_nothing, kind, f"test_{number}", mark=object()))
