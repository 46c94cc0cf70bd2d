"""The command `billing`. Each command lives in a module of this package, imported only when it is asked for."""

from __future__ import annotations

import gc
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import typer

from billing_app import locations, log
from billing_app.domain.common.errors import BillingError, InvalidError

REFUSED = 2
"""The exit code of a sentence instead of a result."""

OWNER_ONLY = 0o077
"""Whatever a command or its children write may hold data or secrets: from the first byte on nobody else reads it."""

OF_OTHERS = ("PORT", "DEMO", "GRANIAN_WORKERS")
"""Settings without our prefix: they may stand in .env, too."""

GARBAGE = (50_000, 20, 20)
"""How much is made between two looks for garbage. Importing makes much and none: Python's own 700 cost it a fifth."""

INTERRUPTED = 130
"""The exit code that shells give for Ctrl-C."""


class Command(NamedTuple):
    """Where a command is: a module of this package and the name in it of a typer app, or of one function."""

    module: str
    attribute: str
    help: str
    hidden: bool = False


COMMANDS = {
    "run": Command("serve", "run", "Start the console with the demo and its fake Stripe."),
    "serve": Command("serve", "serve", "Start the console in production, configured by BILLING_* variables."),
    "fake-stripe": Command("serve", "fake_stripe", "Start a fake Stripe alone."),
    "sandbox": Command("serve", "fake_stripe", "The former name of fake-stripe.", hidden=True),
    "doctor": Command("doctor", "doctor", "Look at everything a console needs; say what is wrong."),
    "demo": Command("demo", "app", "The demo's data."),
    "db": Command("database", "app", "Upgrade, check and back up the database."),
    "catalogue": Command("catalogue", "app", "Check, show and load plans.json."),
    "user": Command("users", "app", "People who sign in."),
    "organization": Command("organizations", "app", "Organizations: find, make, give a plan, override."),
    "member": Command("members", "app", "Who belongs to an organization."),
    "grant": Command("grants", "app", "Grants: give and void credits."),
    "gift-card": Command("gift_cards", "app", "Codes that become credits."),
    "pack": Command("buying", "packs", "What is sold, and what renews."),
    "top-up": Command("buying", "top_up", "What is bought automatically."),
    "notification": Command("notifications", "app", "Who is notified of what, and what was delivered."),
    "api-key": Command("api_keys", "app", "Keys for programs."),
    "usage": Command("usage", "app", "Import usage."),
    "history": Command("usage", "history", "Show an organization's usage and credits month by month."),
    "recount": Command("recount", "recount", "Bring every organization's ledger up to date."),
    "verify": Command("recount", "verify", "Prove that the ledger follows from the facts."),
    "stripe": Command("stripe", "app", "Push the catalogue to Stripe; process its events; compare everything."),
    "refund": Command("refund", "refund", "Refund what was paid for a grant."),
    "scenario": Command("scenario", "scenario", "Run scenario files against a database of their own."),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command; a refusal is a sentence on stderr, never a trace."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    os.umask(OWNER_ONLY)
    gc.set_threshold(*GARBAGE)
    try:
        _require_values(arguments)
        _read_names_of_others()
        build(arguments)(args=arguments, prog_name="billing")
    except BillingError as error:
        # A broken plans.json names every mistake in it, a line each.
        for line in getattr(error, "mistakes", None) or [error.detail]:
            print(line, file=sys.stderr)
        raise SystemExit(REFUSED) from None
    except Exception as error:
        # A database that went away, a full disk: nothing that a trace would explain.
        exceptions = sys.modules.get("sqlalchemy.exc")
        if exceptions is None or not isinstance(error, exceptions.DatabaseError):
            raise
        from billing_app.wiring import why

        print(why(error), file=sys.stderr)
        raise SystemExit(REFUSED) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted; closing stdout at exit must not complain about it either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def _require_values(arguments: Sequence[str]) -> None:
    """Nothing is meant by an empty value: it is what `--until "$END"` says where END is not set."""
    for place, argument in enumerate(arguments):
        if argument == "" or re.fullmatch(r"--[a-z-]+=", argument):
            name = argument.rstrip("=") or next(iter(arguments[place - 1 : place]), "")
            said = name if name.startswith("--") else f"Argument {place + 1}"
            raise InvalidError(f"{said} is empty: give it a value or leave it out.", code="fields_missing")


def _read_names_of_others() -> None:
    if locations.env_file().is_file():
        from billing_app.setting_names import in_file

        found = in_file()
        for name in OF_OTHERS:
            if found.get(name) and not os.environ.get(name):  # make exports them all, empty if nobody chose one
                os.environ[name] = str(found[name])


def build(arguments: Sequence[str]) -> typer.Typer:
    """The typer app with the asked command in it; the others are names with a line of help.

    Importing them all takes seconds, which `billing --help` and every other command would wait for.
    """
    app = typer.Typer(
        name="billing",
        help="A self-hosted billing console: plans, prepaid credits, exact blocking.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_billing)
    # A shell that completes hands the line over in a variable (click), with the program's name first.
    words = os.environ.get("COMP_WORDS", os.environ.get("_TYPER_COMPLETE_ARGS", "")).split()[1:] or arguments
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, command in COMMANDS.items():
        _mount(app, name, command, real=name == asked)
    return app


def _mount(app: typer.Typer, name: str, command: Command, *, real: bool) -> None:
    if not real:
        app.command(name, help=command.help, hidden=command.hidden)(_not_asked)
        return
    _log_apart()
    found = getattr(importlib.import_module(f"{__name__}.{command.module}"), command.attribute)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name, help=command.help)
    else:
        app.command(name)(found)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"billing {version('billing-console')}")
        raise typer.Exit


def _log_apart() -> None:
    """What is logged goes to stderr: stdout is a command's result, which programs read as JSON."""

    def configure() -> None:
        import structlog

        from billing_app.launcher.logs import PLAIN

        structlog.configure(processors=[*PLAIN], logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))

    log.prepare(configure)


def _billing(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and exit")
    ] = False,
    demo: Annotated[bool, typer.Option(help="act on the demo's data instead of BILLING_DATABASE_URL's")] = False,
) -> None:
    """What holds for every command."""
    if demo:
        from billing_app.launcher.demo import act_on_it

        act_on_it()


def _not_asked() -> None:
    """Stands for commands that were not asked for."""
