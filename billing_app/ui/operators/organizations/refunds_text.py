"""Giving money back on an organization's page: how much, and what that does to the credits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from billing_app.domain.common.money import exponent
from billing_app.services.operators.views_customer import CustomerView
from billing_app.services.reversals.views import RefundPreviewAnswer
from billing_app.ui.kit.formats import Formats
from billing_app.ui.kit.records import Field, grant_name


@dataclass(frozen=True)
class RefundScreen:
    """What a refund would do, beside the list. `amount` is what stands in its field."""

    visible: bool = False
    grant_id: str = ""
    title: str = ""
    amount: str = ""
    currency: str = ""
    limit: str = ""
    effects: list[Field] = field(default_factory=list)
    sentence: str = ""
    button: str = ""
    warning: str = ""
    why_not: str = ""
    close_href: str = ""


def cents_of(text: str, currency: str) -> int | None:
    """What somebody typed as an amount of money, in the smallest unit; None for what is none."""
    try:
        amount = Decimal(text.strip().replace(",", ".")) * 10 ** exponent(currency)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 < amount < 10**15:
        return None
    return int(amount)


def amount_text(cents: int, currency: str) -> str:
    """An amount as it stands in a field: "6.50"."""
    digits = exponent(currency)
    return f"{Decimal(cents).scaleb(-digits):.{digits}f}"


def refund_screen(
    view: CustomerView, formats: Formats, grant: str, amount: str, problem: str, here: str
) -> RefundScreen:
    """The refund of the opened grant; `amount` is what was typed, and `problem` why that is not an amount."""
    line = next((each for each in view.grants if each.id == grant), None)
    if line is None:
        return RefundScreen()
    currency = line.label.currency
    name = grant_name(line.label, line.metric, formats)
    base = RefundScreen(
        visible=True,
        grant_id=grant,
        title=f"Refund {name}",
        amount=amount or (amount_text(line.refundable_cents, currency) if line.refundable_cents else ""),
        currency=currency,
        limit=f"of {formats.money(line.refundable_cents, currency)} that can be given back",
        close_href=here,
        why_not=problem or view.why_not,
    )
    preview = view.preview
    if preview is None or problem:
        return base
    return _with_effects(base, preview, view, formats)


def _with_effects(
    base: RefundScreen, preview: RefundPreviewAnswer, view: CustomerView, formats: Formats
) -> RefundScreen:
    """What giving the money back does to the credits, before anything is done."""
    metric = view.preview_metric
    if metric is None:
        return base
    money = formats.money(preview.amount_cents, preview.currency.upper())
    effects = [Field("Taken back, not used yet", formats.named(metric, preview.taken_back))]
    if preview.ended:
        effects.append(Field("Had ended already", formats.named(metric, preview.ended), "quiet"))
    if preview.debt:
        effects.append(Field("Used already: becomes debt", formats.named(metric, preview.debt), "blocked"))
    if preview.forgiven:
        effects.append(Field("Used already: forgiven", formats.named(metric, preview.forgiven), "quiet"))
    sentence = "The next credits that they buy pay the debt first." if preview.debt else ""
    warning = "The payment is in dispute. Stripe may refuse to give it back twice." if preview.disputed else ""
    return replace(base, effects=effects, sentence=sentence, button=f"Give back {money}", warning=warning)
