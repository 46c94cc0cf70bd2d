"""`billing run`, `billing serve` and `billing fake-stripe`: what keeps running until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_app.cli.printing import number
from billing_app.launcher.places import Places
from billing_app.launcher.ports import require_free
from billing_app.locations import VAR
from billing_app.settings import Settings, read

Host = Annotated[str, typer.Option(help="the address to listen on; 0.0.0.0 for every one of this machine")]
Port = Annotated[int | None, number("the port of pages, API and websocket", least=1, most=65535, envvar="PORT")]
Folder = Annotated[Path, typer.Option(help="where the databases and logs lie", show_default="var")]


def run(
    host: Host = "127.0.0.1",
    port: Port = None,
    demo: Annotated[bool, typer.Option(envvar="DEMO", help="with the demo's data and its fake Stripe")] = True,
    reload: Annotated[bool, typer.Option(help="rebuild and restart when a file changes")] = False,
    folder: Folder = VAR,
) -> None:
    """Start the console on this machine, with the demo unless told otherwise.

    Example: PORT=3100 billing run
    """
    places, settings = Places(folder.resolve()), _read(port)
    _require(places, host, settings.port)

    from billing_app.launcher import demo as demos
    from billing_app.launcher import start

    lacking = demos.lacking() if demo else ""
    if lacking:
        start.say(f"The console starts without the demo: {lacking}.")
    demo = demo and not lacking
    given = start.Start(_beside_here(settings, places, host, demo=demo), places, host, reload)
    if demo:
        from billing_app.launcher.run_demo import run_demo

        run_demo(given)
    elif lacking:
        start.serve_real(given)
    else:
        start.run_empty(given)


def serve(host: Host = "127.0.0.1", port: Port = None, folder: Folder = VAR) -> None:
    """Start the console for real use: everything is set by BILLING_* variables or a .env file.

    Example: BILLING_DATABASE_URL=postgresql+psycopg://user:password@host/billing billing serve
    """
    settings, places = _read(port), Places(folder.resolve())
    _require(places, host, settings.port)

    from billing_app.launcher import start

    start.serve_real(start.Start(settings, places, host))


def fake_stripe(
    port: Annotated[int, number("where it listens", least=1, most=65535)] = 12111,
    database: Annotated[Path, typer.Option(help="what it remembers", show_default="var/sandbox.db")] = VAR
    / "sandbox.db",
) -> None:
    """Start a fake Stripe alone, for programs that should talk to it.

    Example: billing fake-stripe --port 12111
    (`billing sandbox`, its former name, does the same.)
    """
    from billing_app.launcher import fake_stripe

    fake_stripe.require_installed()
    _require(Places(database.resolve().parent), "127.0.0.1", port)
    print(f"The fake Stripe listens at http://127.0.0.1:{port} for any sk_test_ key. Ctrl-C stops it.", flush=True)
    fake_stripe.become(port, database)


def _require(places: Places, host: str, port: int) -> None:
    """What can be refused at once, before the seconds that importing everything takes."""
    places.require()
    require_free(host, port)


def _beside_here(settings: Settings, places: Places, host: str, *, demo: bool) -> Settings:
    """Without the demo what is set counts; whatever is not set is here: the address, and the database's file."""
    told = settings.model_fields_set
    here = {
        "public_url": f"http://{_browsable(host)}:{settings.port}",
        "database_url": f"sqlite:///{places.database}",
    }
    kept = ("database_url",) if demo else ("database_url", "public_url")
    return settings.model_copy(update={name: value for name, value in here.items() if name not in {*kept} & told})


def _read(port: int | None) -> Settings:
    return read() if port is None else read(port=port)


def _browsable(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104  # compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
