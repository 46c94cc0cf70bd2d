"""What has happened, in words that people read in a mail or in a list: a title, and a few lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing_app.domain.catalogue import Metric
from billing_app.domain.catalogue.quantities import format_quantity, format_size
from billing_app.domain.common.money import format_money
from billing_app.domain.notifications.kinds import TEST, kind

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MessageText:
    """A message in words. `page` is the page of the organization that shows more; empty for the overview."""

    title: str
    lines: tuple[str, ...]
    page: str = ""


def message_text(kind_id: str, payload: Payload, metric: Metric | None) -> MessageText:
    """The words for a message. `metric` is the one that it is about, if there is still one."""
    words = WORDS.get(kind_id)
    if words is not None and (metric is not None or kind_id in WITHOUT_METRIC):
        return words(payload, metric)
    return _in_general_with(kind_id, payload, metric)


def in_general(kind_id: str) -> MessageText:
    """What can be said of a kind without looking at the message."""
    known = kind(kind_id)
    return MessageText(known.title if known else kind_id, (known.description,) if known else ())


def _in_general_with(kind_id: str, payload: Payload, metric: Metric | None) -> MessageText:
    """The general words, with the metric, why it failed, and where it can be paid."""
    plain = in_general(kind_id)
    title = f"{metric.name}: {plain.title[0].lower()}{plain.title[1:]}" if metric else plain.title
    pay_url = str(payload.get("pay_url") or "")
    more = [str(payload.get("failure") or ""), f"It can be paid here: {pay_url}" if pay_url else ""]
    return MessageText(title, (*plain.lines, *filter(None, more)), PAGES_OF.get(kind_id.partition(".")[0], ""))


def _blocked(payload: Payload, metric: Metric) -> MessageText:
    return MessageText(
        f"{metric.name} is blocked",
        (
            f"The plan includes {_of(metric, payload['allowance'])} per month, {_now(metric, payload['used'])} are "
            "used, and there are no credits left. Whatever needs it stops until there are.",
        ),
        f"credits/buy?metric={metric.id}",
    )


def _unblocked(payload: Payload, metric: Metric) -> MessageText:
    return MessageText(f"{metric.name} works again", ("There is room again, so nothing is refused any more.",))


def _plan_usage(payload: Payload, metric: Metric) -> MessageText:
    share = "all" if payload["percent"] == 100 else f"{payload['percent']} %"
    return MessageText(
        f"{metric.name}: {share} of the plan is used",
        (
            f"{_now(metric, payload['used'])} of {_of(metric, payload['allowance'])} in this month.",
            _then(payload, metric),
        ),
        f"usage?metric={metric.id}",
    )


def _credits_used(payload: Payload, metric: Metric) -> MessageText:
    share = "all" if payload["percent"] == 100 else f"{payload['percent']} %"
    return MessageText(
        f"{metric.name}: {share} of the credits are used",
        (f"{_now(metric, payload['left'])} are left.",),
        f"credits?metric={metric.id}",
    )


def _expiring(payload: Payload, metric: Metric) -> MessageText:
    days = "tomorrow" if payload["days"] == 1 else f"in {payload['days']} days"
    return MessageText(
        f"{metric.name}: {_now(metric, payload['quantity'])} of credits end {days}",
        (f"What is not used by {_moment(payload['expires_at'])} is gone.",),
        f"credits?metric={metric.id}",
    )


def _expired(payload: Payload, metric: Metric) -> MessageText:
    return MessageText(
        f"{metric.name}: {_now(metric, payload['quantity'])} of credits have ended",
        (f"They were unused on {_moment(payload['expires_at'])}.",),
        f"credits?metric={metric.id}",
    )


def _paid(payload: Payload, _metric: Metric | None) -> MessageText:
    return MessageText(
        "Your purchase is paid", (f"{_money(payload)} were paid, and the credits are there.",), "credits"
    )


def _not_paid(payload: Payload, _metric: Metric | None) -> MessageText:
    reason = str(payload.get("failure") or "")
    return MessageText("A payment failed", tuple(filter(None, (reason, "Nothing was charged."))), "credits/buy")


def _given_up(_payload: Payload, _metric: Metric | None) -> MessageText:
    return MessageText("A payment was given up", ("The payment page closed before anybody paid.",), "credits/buy")


def _granted(payload: Payload, metric: Metric) -> MessageText:
    return MessageText(
        f"{metric.name}: {_now(metric, payload['quantity'])} of credits were given",
        (str(payload["reason"]),),
        f"credits?metric={metric.id}",
    )


def _voided(payload: Payload, metric: Metric) -> MessageText:
    return MessageText(
        f"{metric.name}: {_now(metric, payload['quantity'])} of credits were taken back",
        (str(payload["reason"]),),
        f"credits?metric={metric.id}",
    )


def _converted(payload: Payload, metric: Metric) -> MessageText:
    tokens, brought = payload["tokens"], _now(metric, payload["quantity"])
    return MessageText(f"{tokens} tokens became {brought} of {metric.name}", (), f"credits?metric={metric.id}")


def _redeemed(payload: Payload, _metric: Metric | None) -> MessageText:
    return MessageText("A gift card was redeemed", (f"{payload['name']}: its credits are there.",), "credits")


def _refunded(payload: Payload, _metric: Metric | None) -> MessageText:
    lines = ("They go back to where they came from, and their share of the credits is taken back.",)
    return MessageText(f"{_amount(payload)} was given back", _with_reason(lines, payload), "credits")


def _refund_failed(payload: Payload, _metric: Metric | None) -> MessageText:
    lines = ("The bank returned the money to us, so the credits are available again.",)
    return MessageText(f"A refund of {_amount(payload)} did not arrive", lines, "credits")


def _disputed(payload: Payload, _metric: Metric | None) -> MessageText:
    lines = ("What is left of its credits is on hold until the bank has decided.",)
    return MessageText(f"A payment is disputed over {_amount(payload)}", lines, "credits")


def _dispute_won(_payload: Payload, _metric: Metric | None) -> MessageText:
    return MessageText("A dispute is over, and the payment stands", ("Its credits can be used again.",), "credits")


def _dispute_lost(payload: Payload, _metric: Metric | None) -> MessageText:
    lines = ("The money went back, and its share of the credits is taken back.",)
    return MessageText(f"A dispute over {_amount(payload)} is lost", lines, "credits")


def _plan_changed(payload: Payload, _metric: Metric | None) -> MessageText:
    reason = str(payload.get("reason") or "")
    return MessageText("The plan has changed", tuple(filter(None, (reason,))), "plan")


def _ending(payload: Payload, _metric: Metric | None) -> MessageText:
    reason = str(payload.get("reason") or "")
    lines = (f"It is over on {_moment(payload['ends_at'])}. What was bought, and its history, stay readable.",)
    return MessageText("This organization ends", _with_reason(lines, payload) if reason else lines, "organization")


def _switched_off(payload: Payload, _metric: Metric | None) -> MessageText:
    return MessageText("A webhook endpoint was switched off", (str(payload["url"]), str(payload["reason"])), "alerts")


def _test(_payload: Payload, _metric: Metric | None) -> MessageText:
    return MessageText("A test", ("If you can read this, it arrives.",), "alerts")


WORDS: Mapping[str, Callable[[Payload, Any], MessageText]] = {
    "metric.blocked": _blocked,
    "metric.unblocked": _unblocked,
    "plan.usage": _plan_usage,
    "credits.used": _credits_used,
    "credits.expiring": _expiring,
    "credits.expired": _expired,
    "purchase.paid": _paid,
    "purchase.failed": _not_paid,
    "purchase.expired": _given_up,
    "credits.granted": _granted,
    "credits.voided": _voided,
    "credits.converted": _converted,
    "gift_card.redeemed": _redeemed,
    "purchase.refunded": _refunded,
    "purchase.refund_failed": _refund_failed,
    "dispute.opened": _disputed,
    "dispute.won": _dispute_won,
    "dispute.lost": _dispute_lost,
    "plan.changed": _plan_changed,
    "organization.ending": _ending,
    "webhook.disabled": _switched_off,
    TEST: _test,
}
"""By kind. A kind without words of its own is told by its title and description."""

PAGES_OF = {"subscription": "plan", "recurring_pack": "credits/buy", "top_up": "credits"}
"""Which page of the organization shows more, by the first word of a kind."""

WITHOUT_METRIC = frozenset(
    {
        "purchase.paid", "purchase.failed", "purchase.expired", "purchase.refunded", "purchase.refund_failed",
        "dispute.opened", "dispute.won", "dispute.lost", "gift_card.redeemed", "plan.changed", "webhook.disabled",
        "organization.ending", TEST,
    }
)  # fmt: skip


def _then(payload: Payload, metric: Metric) -> str:
    left = int(payload.get("left") or 0)
    if left:
        return f"Beyond the plan, credits are used: {_now(metric, left)} are left."
    return "There are no credits for what goes beyond it."


def _now(metric: Metric, quantity: int) -> str:
    figure = format_quantity(quantity, metric)
    return f"{figure} {metric.display_unit}" if metric.counts and metric.display_unit else figure


def _of(metric: Metric, quantity: int | None) -> str:
    return "any quantity" if quantity is None else format_size(quantity, metric)


def _money(payload: Payload) -> str:
    return format_money(int(payload["total_cents"]), str(payload["currency"]))


def _amount(payload: Payload) -> str:
    return format_money(int(payload["amount_cents"]), str(payload["currency"]))


def _with_reason(lines: tuple[str, ...], payload: Payload) -> tuple[str, ...]:
    reason = str(payload.get("reason") or "")
    return (*lines, f"Why: {reason}") if reason else lines


def _moment(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{at.day} {at:%b} {at.year}, {at:%H:%M} UTC"
