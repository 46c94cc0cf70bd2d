"""The one banner of a page: the worst thing, in a sentence, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.credits.facts import Aggregation
from billing_app.services.credits.views_shared import OfferView
from billing_app.services.overview.views import ActionView, BannerKind, BannerView
from billing_app.services.overview.views_frame import FrameView
from billing_app.ui import routes
from billing_app.ui.frame.text import buying_address, why_not_buying
from billing_app.ui.kit.formats import Formats, clock, day
from billing_app.ui.kit.records import in_a_sentence, offer_basket, offer_named


@dataclass(frozen=True)
class BannerScreen:
    """Tone is "blocked" or "soon". `action_full` says the price too, for where there is room for one line only."""

    visible: bool = False
    tone: str = "soon"
    title: str = ""
    text: str = ""
    more: str = ""
    action: str = ""
    action_full: str = ""
    action_href: str = ""
    action_why_not: str = ""
    second: str = ""
    second_href: str = ""


def banner_screen(
    banners: tuple[BannerView, ...],
    actions: tuple[ActionView, ...],
    frame: FrameView,
    resets_at: datetime,
    now: datetime,
    formats: Formats,
) -> BannerScreen:
    """The worst of `banners`; the number of the others is said."""
    if not banners:
        return BannerScreen()
    worst = banners[0]
    address, buying = frame.organization.address, buying_address(frame)
    payer = frame.payer.name if frame.payer else ""
    title, text = _sentences(worst, actions, resets_at, now, formats, payer)
    others = len(banners) - 1
    action = action_full = href = second = second_href = ""
    if worst.offer is not None and worst.metric is not None:
        name = offer_named(worst.offer, formats)
        price = formats.money(worst.offer.price_cents, worst.offer.currency)
        action_full = f"Buy {name} for {price}"
        action = action_full if worst.kind is BannerKind.BLOCKED else f"Buy {name}"
        href = routes.buy(buying, metric=worst.metric.id, basket=offer_basket(worst.offer))
    if worst.kind is BannerKind.PAST_DUE:
        action = action_full = "Pay or change the card"
        href = routes.plan(address)
    if worst.kind is BannerKind.BLOCKED and worst.metric is not None:
        second = f"See {in_a_sentence(worst.metric)} use"
        second_href = routes.usage(address, metric=worst.metric.id)
    if worst.kind in (BannerKind.DEBT, BannerKind.ENDS_UNUSED) and worst.metric is not None:
        second, second_href = "See credits", routes.credits(address, metric=worst.metric.id)
    return BannerScreen(
        visible=True,
        tone="blocked" if worst.kind in (BannerKind.BLOCKED, BannerKind.DEBT) else "soon",
        title=title,
        text=text,
        more=f"and {others} more" if others else "",
        action=action,
        action_full=action_full,
        action_href=href,
        action_why_not=why_not_buying(frame) if action else "",
        second=second,
        second_href=second_href,
    )


def banner_line(banner: BannerView, formats: Formats, now: datetime, payer: str = "") -> str:
    """One of the others, in one sentence."""
    return _sentences(banner, (), now, now, formats, payer)[0]


def _sentences(
    banner: BannerView,
    actions: tuple[ActionView, ...],
    resets_at: datetime,
    now: datetime,
    formats: Formats,
    payer: str,
) -> tuple[str, str]:
    """Title and text of a banner; `payer` is who buys where that is another organization."""
    metric, at = banner.metric, banner.at
    when = day(at, now) if at else ""
    if banner.kind is BannerKind.BLOCKED and metric:
        return _blocked(banner, metric, actions, resets_at, now, f"{payer} buys" if payer else "you buy")
    if banner.kind is BannerKind.RUNS_OUT and metric:
        return f"{metric.name} {_runs(metric)} out on {when} at this pace.", _offer_sentence(banner.offer, now, formats)
    if banner.kind is BannerKind.DEBT and metric:
        owed = formats.quantity(metric, banner.quantity)
        return (
            f"{owed} {metric.name} credits are owed.",
            "A refund took back credits that were already used. The next ones you get pay for them first.",
        )
    if banner.kind is BannerKind.PAST_DUE:
        over = at is not None and at <= now
        limits = "The limits of the default plan apply since" if over else "The plan stays until"
        then = "until it is paid" if over else "then the limits of the default plan apply until it is paid"
        return (
            "The last payment for your plan failed.",
            f"{limits} {when}{', ' if over else '; '}{then}. Bought credits stay usable.",
        )
    if banner.kind is BannerKind.ENDS_UNUSED and metric:
        left = formats.quantity(metric, banner.quantity)
        return f"{left} {in_a_sentence(metric)} credits end on {when}, unused.", "At this pace the plan is enough."
    return f"There are more {banner.limit_name} than the plan allows.", "Nothing is lost, but no more can be created."


def _runs(metric: Metric) -> str:
    """ "MAU runs out", "Emails run out"."""
    return "run" if metric.name.endswith("s") else "runs"


def _blocked(
    banner: BannerView,
    metric: Metric,
    actions: tuple[ActionView, ...],
    resets_at: datetime,
    now: datetime,
    somebody_buys: str,
) -> tuple[str, str]:
    names = _listed(banner.actions)
    name = in_a_sentence(metric)
    title = f"{names} are blocked: {name} is used up" if names else f"{metric.name} is used up"
    subject = "They work" if names else "It works"
    if metric.aggregation is Aggregation.LEVEL:
        way = f"as soon as {somebody_buys} {name} or some of it is deleted."
        if somebody_buys == "you buy":
            way = f"as soon as you buy {name} or delete some of it."
    else:
        way = f"as soon as {somebody_buys} {name}, or on {day(resets_at, now)} when the plan's share starts anew."
    blocked = [action for action in actions if action.blocking]
    rest = " Everything else works." if names and len(blocked) == len(banner.actions) < len(actions) else ""
    return title, f"{subject} again {way}{rest}"


def _offer_sentence(offer: OfferView | None, now: datetime, formats: Formats) -> str:
    if offer is None:
        return "What needs it stops then, unless there are more credits."
    price = formats.money(offer.price_cents, offer.currency)
    quantity = formats.size(offer.items[0].metric, offer.quantity)
    lasts = f" and last until {day(offer.lasts_until, now)}" if offer.lasts_until else ""
    return f"{quantity} more cost {price}{lasts}."


def _listed(names: tuple[str, ...]) -> str:
    if len(names) < 2:
        return "".join(names)
    rest = [name[:1].lower() + name[1:] for name in names[1:]]
    return ", ".join([names[0], *rest[:-1]]) + f" and {rest[-1]}"


def unavailable_since(at: datetime, now: datetime) -> str:
    """ "since 13:52 UTC" today, else "since 19 Nov"."""
    return f"since {clock(at)} UTC" if at.date() == now.date() else f"since {day(at, now)}"
