"""`billing stripe`: bring the catalogue to Stripe, and work on what Stripe said."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from billing_app import clock, wiring
from billing_app.cli.printing import AsJson, number, print_done, print_json
from billing_app.domain.common.errors import UnavailableError
from billing_app.domain.common.money import format_money
from billing_app.gateways.payments import Payments
from billing_app.gateways.stripe.payments import connected, payments_of
from billing_app.jobs import reconciliation as reconciliation_job
from billing_app.services.catalogue import versions
from billing_app.services.operators import operations
from billing_app.services.operators.views_operations import ReportAnswer
from billing_app.services.payments import payment_account, stripe_catalogue, stripe_names
from billing_app.services.payments.stripe_catalogue import Deed, Step
from billing_app.services.stripe import inbox, reconciliation
from billing_app.settings import settings

app = typer.Typer(no_args_is_help=True)

SIGNS = {Deed.CREATE: "+", Deed.REPLACE: "~", Deed.RENAME: "~", Deed.KEEP: " "}

DONE = {
    Deed.CREATE: "created",
    Deed.REPLACE: "replaced by a new price",
    Deed.RENAME: "renamed",
    Deed.KEEP: "already right",
}

Secret = Annotated[str, typer.Option("--stripe-api-secret", help="another key than BILLING_STRIPE_API_SECRET's")]


@app.callback()
def _stripe() -> None:
    """Stripe's side of the catalogue, and its events."""


@app.command()
def push(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be done")] = False,
    stripe_api_secret: Secret = "",
    as_json: AsJson = False,
) -> None:
    """Make or update a product and a price at Stripe for everything in the catalogue that is sold.

    Prices never change there: a changed one gets a new price, and what was sold at the old one stays as it is. Doing it
    again changes nothing.

    Example: billing stripe push --dry-run
    """
    payments = _connected(stripe_api_secret)
    account = payments.account()
    with wiring.database().writing() as session:
        payment_account.confirm(session, account, clock.now())
        current = versions.current(session, clock.now())
    steps = stripe_catalogue.plan(payments, stripe_catalogue.offers(current))
    for step in steps:
        if step.deed is not Deed.KEEP and not as_json:
            print(_line(step))
    if not dry_run:
        _do(payments, [step for step in steps if step.deed is not Deed.KEEP])
        with wiring.database().writing() as session:
            stripe_names.keep(session, [step.offer for step in steps], clock.now())
    if as_json:
        print_json({"dry_run": dry_run, "items": [{"deed": step.deed.name, **asdict(step.offer)} for step in steps]})
        return
    counts = Counter(step.deed for step in steps)
    said = ", ".join(f"{counts[deed]} {DONE[deed]}" for deed in Deed if counts[deed])
    print(f"{'Would be: ' if dry_run else ''}{said or 'nothing is sold'}.")


@app.command()
def replay(event: Annotated[str, typer.Argument(help="its id, such as evt_1PQ...")], as_json: AsJson = False) -> None:
    """Work on an event again, whatever became of it. One that never arrived is fetched from Stripe (for 30 days).

    Example: billing stripe replay evt_1PQrStUvWxYz
    """
    database, payments = wiring.database(), payments_of(settings())
    found = inbox.replay(database.writing, payments, event, clock.now)
    if found is None or found.state == inbox.State.FAILED:
        raise UnavailableError(f"{event} failed: {found.error if found else 'it is not there'}")
    what = "is being worked on by another process" if found.state == inbox.State.NEW else f"was {found.state}"
    item = {"id": event, "type": found.type, "state": found.state}
    print_done(item, f"{event} ({found.type}) {what}.", as_json=as_json)


@app.command()
def sweep(as_json: AsJson = False) -> None:
    """Work on every event that is due, and ask Stripe after payments of which nothing was heard. Runs by itself, too.

    Example: billing stripe sweep
    """
    from billing_app.jobs import sweeps

    payments_of(settings())
    worked = sweeps.inbox(wiring.database(), settings())
    sentence = f"Events handled: {worked.handled}, ignored: {worked.ignored}, failed: {worked.failed}."
    item = {"handled": worked.handled, "ignored": worked.ignored, "failed": worked.failed}
    print_done(item, sentence, as_json=as_json)


@app.command()
def sync(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be repaired")] = False,
    days: Annotated[int, number("how many days back to compare")] = reconciliation.WINDOW.days,
    as_json: Annotated[bool, typer.Option("--json", help="print the report as JSON")] = False,
) -> None:
    """Compare everything at Stripe with what is here, repair what Stripe decides, and report the rest.

    Safe to stop and to run again: it goes on where it was. Exits with 1 when something needs a person. Every six hours
    it runs by itself.

    Example: billing stripe sync --dry-run
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    payments_of(settings())
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[compared]} compared"))
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=as_json) as bar:
        task = bar.add_task("Stripe", total=None, compared=0)

        def told(where: reconciliation.Progress) -> None:
            bar.update(task, description=where.name, total=where.stages, completed=where.stage, compared=where.compared)

        run_id = reconciliation_job.sync(wiring.database(), settings(), "demand", dry=dry_run, days=days, told=told)
    with wiring.database().reading() as session:
        report = operations.report(session, run_id, clock.now())
    run = asdict(report)
    findings = run.pop("findings")
    print(json.dumps({"run": run, "findings": findings}, default=str, indent=1) if as_json else _report(report))
    if report.remaining:
        raise typer.Exit(1)


def _report(report: ReportAnswer) -> str:
    """The report in lines."""
    done = "would be repaired" if report.dry else "repaired"
    lines = [
        f"{done if each.repaired else 'needs you'}: {each.detail} ({each.organization or 'no organization'}, "
        f"{each.object_id})"
        for each in report.findings
    ]
    summary = f"{report.compared} objects compared, {report.repaired} {done}, {report.remaining} need a person."
    return "\n".join([*lines, summary])


def _connected(stripe_api_secret: str) -> Payments:
    """Pushing needs the key alone, so that it can be done before there is a webhook."""
    given = settings()
    secret = stripe_api_secret or given.stripe_api_secret.get_secret_value()
    if not secret:
        raise UnavailableError("There is no key to speak to Stripe with: set BILLING_STRIPE_API_SECRET.")
    return connected(secret, given.stripe_api_base)


def _do(payments: Payments, steps: list[Step]) -> None:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Stripe", total=len(steps))
        stripe_catalogue.push(payments, steps, lambda _step: bar.advance(task))


def _line(step: Step) -> str:
    offer = step.offer
    price = format_money(offer.price_cents, offer.currency)
    was = ""
    if step.deed is Deed.REPLACE and step.old is not None:
        was = f" (was {format_money(step.old.price_cents, step.old.currency)})"
    every = "" if offer.interval == "once" else f" every {offer.interval}"
    return f"{SIGNS[step.deed]} {offer.lookup_key}: {offer.product.name}, {price}{every}{was}"
