"""Of every command: its help shows an example, and it can speak JSON."""

from __future__ import annotations

from typing import Any

import click
import pytest
import typer

from billing_app.cli import COMMANDS, build

STAY_UP = {"run", "serve", "fake-stripe", "sandbox"}
"""Commands that end when somebody ends them: what they print is for the person at the terminal."""


def commands() -> list[tuple[str, click.Command]]:
    """Every command there is, with its words."""
    found: list[tuple[str, click.Command]] = []

    def walk(words: str, command: Any) -> None:
        inner = getattr(command, "commands", None)
        if inner is None:
            found.append((words, command))
            return
        for name, each in inner.items():
            walk(f"{words} {name}", each)

    for name in COMMANDS:
        top: Any = typer.main.get_command(build([name]))
        walk(name, top.commands[name])
    return found


@pytest.mark.parametrize(("words", "command"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_shows_an_example_and_speaks_json(words: str, command: click.Command) -> None:
    assert f"billing {words}" in (command.help or "").partition("Example:")[2], "its help shows no example"
    if words not in STAY_UP:
        assert "--json" in {option for each in command.params for option in each.opts}, "a program can't read it"
