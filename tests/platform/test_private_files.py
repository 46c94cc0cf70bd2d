"""Files with data or secrets are their owner's from the first byte on, and one console holds a database by any name."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from billing_app import private_files
from billing_app.cli import main
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError
from billing_app.launcher.children import Child
from billing_app.launcher.keys import demo_keys
from billing_app.launcher.places import Places
from billing_app.launcher.single import only_console
from fake_stripe.storage.database import Database as FakeStripeDatabase


@pytest.fixture(autouse=True)
def everybody_may_read() -> Generator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    return [
        f"{stat.S_IMODE(path.stat().st_mode):o} {path.name}"
        for path in [folder, *folder.rglob("*")]
        if private_files.readable_by_others(path)
    ]


def test_whatever_the_parts_write_is_their_owners(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "var"
    places = Places(folder)
    places.require()
    opened = Database(f"sqlite:///{places.database}")
    assert open_to_others(tmp_path / "made") == []  # before SQLite wrote anything
    with opened.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE x (y)")
        fake_stripe = FakeStripeDatabase(places.fake_stripe_database)
        demo_keys(places.demo_keys)
        child = Child("helper", [sys.executable, "-c", "print(1)"], places.log("helper"))
        child.start()
        with only_console(places.database):
            names = {path.name for path in folder.iterdir()}
            assert {"billing.db", "billing.db-wal", "billing.db-shm", "demo-sandbox.db", "helper.log"} <= names
            assert open_to_others(tmp_path / "made") == []
        fake_stripe.close()
        child.stop()
    opened.close()


def test_whatever_a_command_writes_is_its_owners(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir(0o700)
    for action in ("upgrade", "backup"):
        with pytest.raises(SystemExit) as stop:
            main(["db", action, "--database", f"sqlite:///{folder / 'b.db'}"])
        assert stop.value.code == 0
    assert (folder / "backups").is_dir()
    assert open_to_others(folder) == []


def test_a_database_has_one_console_by_whatever_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, soft, hard, inside = (tmp_path / name for name in ("billing.db", "soft.db", "hard.db", "link"))
    other = tmp_path / "other"
    other.mkdir()
    private_files.make(file)
    soft.symlink_to(file)
    os.link(file, hard)
    os.link(file, other / "hard.db")
    inside.symlink_to(tmp_path, target_is_directory=True)
    monkeypatch.chdir(other)
    names = [file, soft, hard, other / "hard.db", inside / "billing.db", Path("..") / "billing.db", Path("hard.db")]
    for held in names:
        with only_console(held):
            for name in names:
                with pytest.raises(ConflictError, match=f"process {os.getpid()}"), only_console(name):
                    pass
    with only_console(hard):
        pass


def test_a_link_to_a_database_that_is_not_there_yet_is_held_too(tmp_path: Path) -> None:
    soft = tmp_path / "soft.db"
    soft.symlink_to(tmp_path / "billing.db")
    with only_console(soft), pytest.raises(ConflictError), only_console(tmp_path / "billing.db"):
        pass
