"""What a paid invoice brings: one grant per line that is not a proration, once (credits.md rules 11 to 13).

Effective when Stripe says that it was paid, valid for a year, of the quantity that the paid price itself carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from billing_app.domain.common.errors import InvalidError
from billing_app.domain.purchases.baskets import Sold, sold_at
from billing_app.domain.purchases.recurring import brings_credits
from billing_app.gateways.invoices import Invoice, InvoiceLine
from billing_app.gateways.prices import Price
from billing_app.services.catalogue import versions
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import meters
from billing_app.store.tables.credits import GrantRow

RECURRING, PURCHASE, TOP_UP = "recurring", "purchase", "top_up"
"""Sources of grants that invoices bring."""


def source_key(invoice_id: str, line_id: str) -> str:
    """What makes a line of an invoice one grant."""
    return f"invoice:{invoice_id}:{line_id}"


def paid_at(invoice: Invoice, now: datetime) -> datetime:
    """When it was paid. A clock of ours that is behind Stripe's must not leave paid credits waiting for it."""
    return min(invoice.paid_at or now, now)


Known = Mapping[str, Sold]
"""What prices sell as we stored it, by their ids; an empty id stands for every price of an invoice."""


def sold(line: InvoiceLine, known: Known = MappingProxyType({})) -> Sold | None:
    """What one of a line's price grants; None for what is not a pack of ours."""
    return known.get("") if line.price is None else sold_by(line.price, known)


def sold_by(price: Price, known: Known = MappingProxyType({})) -> Sold | None:
    """What one of a price grants: as we stored it, else as it says itself. None for a price that belongs to no pack."""
    stored = known.get(price.id) or known.get("")
    if stored is not None:
        return stored
    try:
        return sold_at(price.metadata)
    except InvalidError:
        return None


def payload(grant: GrantRow) -> dict[str, object]:
    """A grant as messages name it."""
    return {
        "grant": grant.id,
        "metric": grant.metric,
        "quantity": grant.quantity,
        "pack": grant.pack,
        "paid_cents": grant.paid_cents,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
    }


def grant_lines(
    context: Context, invoice: Invoice, *, once: str, known: Known = MappingProxyType({})
) -> list[GrantRow]:
    """Makes the grants of a paid invoice, those that are there left as they are; all of them, line by line.

    Lines of a subscription's items are "recurring", others have the source `once`. Raises what `credits.grant` raises.
    """
    session, now = context.session, context.now
    lines = [
        (line, what)
        for line in invoice.lines
        if brings_credits(line.amount_cents, line.count, proration=line.proration)
        and (what := sold(line, known)) is not None
    ]
    now = meters.prepare_all(context, {what.metric for _, what in lines})
    current = versions.current(session, now)
    return [
        grants.grant(
            context.at(now),
            grants.NewGrant(
                what.metric,
                what.quantity * line.count,
                source=RECURRING if line.recurring else once,
                source_key=source_key(invoice.id, line.id),
                reason=what.described(current.metric(what.metric), line.count),
                effective_at=paid_at(invoice, now),
                paid_cents=max(0, line.paid_cents),
                currency=invoice.currency,
                payment_id=invoice.payment_id,
                pack=what.pack,
                backdated=True,
            ),
        )
        for line, what in lines
    ]
