"""`billing run`, `billing serve` and `billing sandbox`: what keeps running until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from billing_app.domain.errors import UnavailableError
from billing_app.launcher.places import Places
from billing_app.launcher.ports import require_free
from billing_app.settings import ROOT, Settings

Host = Annotated[str, typer.Option(help="the address to listen on; 0.0.0.0 for every one of this machine")]
Port = Annotated[int | None, typer.Option(envvar="PORT", min=1, max=65535, help="the one port of everything")]
Folder = Annotated[Path, typer.Option(help="where the databases and logs lie", show_default="var")]


def run(
    host: Host = "127.0.0.1",
    port: Port = None,
    demo: Annotated[bool, typer.Option(envvar="DEMO", help="with the demo's data and its Stripe stand-in")] = True,
    reload: Annotated[bool, typer.Option(help="build and start anew when a file changes")] = False,
    folder: Folder = ROOT / "var",
) -> None:
    """Start the console on this machine, with the demo unless told otherwise.

    Example: PORT=3100 billing run
    """
    places = Places(folder.resolve())
    read = _read(port=port)
    settings = read.model_copy(update={"public_url": f"http://{_browsable(host)}:{read.port}"})
    if "database_url" not in read.model_fields_set:
        settings = settings.model_copy(update={"database_url": f"sqlite:///{places.database}"})
    _require(places, host, settings.port)

    from billing_app.launcher import start

    given = start.Start(settings, places, host, reload)
    if demo:
        start.run_demo(given)
    else:
        start.serve_real(given)


def serve(host: Host = "127.0.0.1", port: Port = None, folder: Folder = ROOT / "var") -> None:
    """Start the console for real use: everything is set by BILLING_* variables or a .env file.

    Example: BILLING_DATABASE_URL=postgresql+psycopg://user:password@host/billing billing serve
    """
    settings, places = _read(port=port), Places(folder.resolve())
    _require(places, host, settings.port)

    from billing_app.launcher import start

    start.serve_real(start.Start(settings, places, host))


def sandbox(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 12111,
    database: Annotated[Path, typer.Option(help="what the stand-in remembers", show_default="var/sandbox.db")] = ROOT
    / "var"
    / "sandbox.db",
) -> None:
    """Start the Stripe stand-in alone, for programs that should talk to it.

    Example: billing sandbox --port 12111
    """
    _require(Places(database.resolve().parent), "127.0.0.1", port)
    print(f"The Stripe stand-in listens at http://127.0.0.1:{port} for any sk_test_ key. Ctrl-C stops it.", flush=True)

    from billing_app.sandbox import server

    server.run("127.0.0.1", port, database, f"http://127.0.0.1:{port}/_sandbox")


def _require(places: Places, host: str, port: int) -> None:
    """What can be refused at once, before the seconds that importing everything takes."""
    places.require()
    require_free(host, port)


def _read(port: int | None) -> Settings:
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = "; ".join(f"BILLING_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
        raise UnavailableError(f"The settings can't be used: {wrong}.") from None
    chosen: dict[str, object] = {"port": port or settings.port}
    if "public_url" not in settings.model_fields_set:
        chosen["public_url"] = f"http://127.0.0.1:{chosen['port']}"
    return settings.model_copy(update=chosen)


def _browsable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  # compared, not bound
