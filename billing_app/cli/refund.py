"""`billing refund`: gives money back for a grant."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from billing_app import clock, wiring
from billing_app.cli.printing import AsJson, number, print_done
from billing_app.domain.common.money import format_money
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.common.context import OperatorContext
from billing_app.services.reversals import refundable, refunds
from billing_app.services.reversals.views import RefundPreviewAnswer
from billing_app.settings import settings


def refund(
    grant: Annotated[str, typer.Argument(help="its id, such as gr_1a2b...")],
    reason: Annotated[str, typer.Option(help="why; kept with the refund")],
    amount: Annotated[int | None, number("in cents; without it all that is left")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    key: Annotated[str, typer.Option(help="the same key is the same refund, however often it is sent")] = "",
    as_json: AsJson = False,
) -> None:
    """Give back what was paid for a grant, in full or in part. First shows what that takes back and what becomes debt.

    Example: billing refund gr_1a2b3c4d --amount 500 --reason "Bought by mistake"
    """
    payments, database = payments_of(settings()), wiring.database()
    with database.reading() as session:
        shown = refundable.preview(session, grant, amount, clock.now())
    if not as_json:
        print(_said(shown))
    if not yes:
        typer.confirm("Give it back?", abort=True, err=as_json)

    @contextmanager
    def enter() -> Generator[OperatorContext]:
        with database.writing() as session:
            yield OperatorContext(session, clock.now(), actor="command line")

    made = refunds.make(enter, payments, grant, shown.amount_cents, reason, key or f"cli:{secrets.token_hex(8)}")
    sentence = f"{format_money(made.amount_cents, made.currency)} given back: {made.refund_id}."
    print_done(asdict(made), sentence, as_json=as_json)


def _said(shown: RefundPreviewAnswer) -> str:
    """What the refund would do."""
    money = format_money(shown.amount_cents, shown.currency)
    paid = format_money(shown.paid_cents, shown.currency)
    parts = [f"{shown.taken_back} of {shown.quantity} {shown.metric} are taken back"]
    if shown.debt:
        parts.append(f"{shown.debt} were used already and become debt")
    if shown.ended:
        parts.append(f"{shown.ended} had ended anyway")
    if shown.forgiven:
        parts.append(f"{shown.forgiven} were used already and are forgiven")
    warning = " The payment is in dispute: Stripe may refuse." if shown.disputed else ""
    return f"{money} of {paid} go back to {shown.address}: {', '.join(parts)}.{warning}"
