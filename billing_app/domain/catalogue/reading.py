"""From a JSON document to a Catalog, with every mistake at once.

`parse_catalog` takes a document, `read_catalog` the text of a file. Both raise CatalogInvalidError.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from billing_app.domain.catalogue.fields import (
    MAX_TEXT_LENGTH,
    MISSING,
    CatalogInvalidError,
    Fields,
    Mistake,
    Reading,
    suggestion,
)
from billing_app.domain.catalogue.model import (
    DEFAULT_GRACE_DAYS,
    ICONS,
    TOKEN_ID,
    ActionRule,
    Catalog,
    Feature,
    Hue,
    Interval,
    Metric,
    Pack,
    Plan,
    PlanLimits,
    PlanPrices,
    TokenRate,
    VotingType,
    product_of,
)
from billing_app.domain.common.json_objects import no_constant, remembering
from billing_app.domain.common.money import CURRENCIES, MAX_AMOUNT_CENTS, amount_step
from billing_app.domain.credits.facts import Aggregation, DeficitPolicy, RefundPolicy

MAX_PLANS = 50
MAX_TRIAL_DAYS = 730
"""Stripe's own limit for a trial."""

MAX_LIMIT = 2**31 - 1
"""Limits count people and things that people make; more than this is meant as unlimited."""

REQUIRED = (
    "plan",
    "name",
    "description",
    "stripePlanId",
    "prices",
    "trial_days",
    "default",
    "public",
    "organization",
    "votingTypes",
    "features",
    "included",
)


def read_plans(root: Fields, currency: str, metric_ids: list[str], feature_ids: list[str]) -> tuple[Plan, ...]:
    """The plans of the document; notes repeated ids, and none or several defaults."""
    reading = root.reading
    rows = reading.rows(root.value("plans"), "plans", at_most=MAX_PLANS, at_least=1)
    plans: list[Plan] = []
    ids: dict[str, tuple[str, str]] = {}
    stripe_ids: dict[str, str] = {}
    defaults: list[str] = []
    for path, value in rows:
        plan = _plan(reading, value, path, currency, metric_ids, feature_ids)
        plans.append(plan)
        if plan.id:
            reading.claim(ids, plan.id, path, f"{path}.plan")
        if plan.stripe_plan_id and stripe_ids.setdefault(plan.stripe_plan_id, path) != path:
            reading.wrong(f"{path}.stripePlanId", f"is used already by {stripe_ids[plan.stripe_plan_id]}")
        if plan.default:
            defaults.append(path)
        if plan.default and plan.retired:
            reading.wrong(f"{path}.retired", "the default plan can't be retired; make another plan the default first")
    for path in defaults[1:]:
        reading.wrong(f"{path}.default", f"{defaults[0]} is the default already; only one plan may be")
    if rows and not defaults:
        reading.wrong("plans", 'no plan is the default; give exactly one "default": true')
    return tuple(plans)


def _plan(
    reading: Reading, value: Any, path: str, currency: str, metric_ids: list[str], feature_ids: list[str]
) -> Plan:
    fields = Fields(reading, value, path, required=REQUIRED, optional=("retired",))
    stripe_plan_id = None
    if fields.value("stripePlanId") is not None:
        stripe_plan_id = fields.text("stripePlanId", longest=255) or None
        if stripe_plan_id == product_of(str(fields.value("plan"))):
            stripe_plan_id = None  # our own product, as exports and pages name it: nothing that was given
    voting_types = _switches(fields, "votingTypes", [voting_type.value for voting_type in VotingType])
    return Plan(
        id=fields.identifier("plan"),
        name=fields.text("name"),
        description=fields.text("description", longest=MAX_TEXT_LENGTH),
        stripe_plan_id=stripe_plan_id,
        prices=_prices(fields, currency),
        trial_days=fields.whole("trial_days", most=MAX_TRIAL_DAYS),
        default=fields.flag("default"),
        public=fields.flag("public"),
        limits=_limits(fields),
        voting_types=frozenset(VotingType(name) for name in voting_types),
        features=frozenset(_switches(fields, "features", feature_ids)),
        included=_included(fields, metric_ids),
        retired=fields.flag("retired"),
    )


def _prices(plan: Fields, currency: str) -> PlanPrices:
    fields = Fields(plan.reading, plan.value("prices"), plan.at("prices"), required=("month", "year"))
    amounts: dict[str, int | None] = {}
    step = amount_step(currency)
    for key in ("month", "year"):
        amounts[key] = cents = fields.limit(key, most=MAX_AMOUNT_CENTS, null="not sold at this interval")
        if cents is not None and cents % step:
            fields.wrong(key, f"must be a multiple of {step}: {currency.upper()} can't be paid more finely")
    return PlanPrices(month_cents=amounts["month"], year_cents=amounts["year"])


def _limits(plan: Fields) -> PlanLimits:
    keys = ("memberships", "subOrgs", "maxProcesses", "max_census_size", "customURL", "drafts")
    fields = Fields(plan.reading, plan.value("organization"), plan.at("organization"), required=keys)
    return PlanLimits(
        memberships=fields.limit("memberships", most=MAX_LIMIT),
        sub_orgs=fields.limit("subOrgs", most=MAX_LIMIT),
        max_processes=fields.limit("maxProcesses", most=MAX_LIMIT),
        max_census_size=fields.limit("max_census_size", most=MAX_LIMIT),
        custom_url=fields.flag("customURL"),
        drafts=fields.limit("drafts", most=MAX_LIMIT),
    )


def _switches(plan: Fields, key: str, names: list[str]) -> list[str]:
    """Which of `names` the object `key` switches on; it must say true or false for each of them."""
    noun = "voting type" if key == "votingTypes" else "feature"
    fields = Fields(plan.reading, plan.value(key), plan.at(key), required=names, noun=noun)
    return [name for name in names if fields.flag(name)]


def _included(plan: Fields, metric_ids: list[str]) -> dict[str, int | None]:
    """A quantity for every metric; one that the plan does not name has 0 (credits.md, fine point 3)."""
    if not metric_ids:
        return {}
    fields = Fields(
        plan.reading, plan.value("included"), plan.at("included"), required=(), optional=metric_ids, noun="metric"
    )
    return {metric_id: 0 if fields.value(metric_id) is MISSING else fields.limit(metric_id) for metric_id in metric_ids}


MAX_METRICS = 50
MAX_FEATURES = 100
MAX_PACKS = 500
MAX_ACTIONS = 100
"""Far above what a page can show; they keep a broken generator from filling the database."""

MAX_GRACE_DAYS = 90
"""Three monthly invoices: whoever has not paid those is not late but gone."""

MAX_FACTOR = 10**15
"""A petabyte, the largest display unit with a sensible name."""

Item = TypeVar("Item")


def read_catalog(content: str | bytes, file: str) -> Catalog:
    """The catalogue that a file's content says.

    Raises CatalogInvalidError: one mistake with line and column if it is not JSON, else all mistakes of `parse_catalog`
    and every key that is written twice.
    """
    return parse_catalog(decode_document(content, file), file)


def decode_document(content: str | bytes, file: str) -> Mapping[str, Any]:
    """The JSON document of a file's content. Raises CatalogInvalidError with line and column."""
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = "is not UTF-8 text; save the file as UTF-8"
        raise CatalogInvalidError([Mistake(file, "", message, line, column)]) from None
    try:
        return json.loads(text, object_pairs_hook=remembering, parse_float=Decimal, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}"
        raise CatalogInvalidError([Mistake(file, "", message, error.lineno, error.colno)]) from None
    except RecursionError:
        raise CatalogInvalidError([Mistake(file, "", "is nested too deeply to be a catalogue")]) from None
    except ValueError as error:
        raise CatalogInvalidError([Mistake(file, "", f"is not JSON: {error}")]) from None


def parse_catalog(document: Mapping[str, Any], file: str, *, stored: bool = False) -> Catalog:
    """The catalogue that `document` says; `file` is the name that mistakes are reported under.

    One that is `stored` was taken once, and may have ids that differ only in case. Raises CatalogInvalidError with all
    mistakes at once.
    """
    reading = Reading(file, stored=stored)
    root = Fields(
        reading,
        document,
        "",
        required=("currency", "features", "metrics", "plans", "packs", "actions", "token_rates"),
        optional=("grace_days",),
    )
    currency = _currency(root)
    features = _unique(root, "features", "id", _feature, at_most=MAX_FEATURES)
    metrics = _unique(root, "metrics", "id", _metric, at_most=MAX_METRICS, at_least=1)
    metric_ids = _distinct(metric.id for metric in metrics)
    feature_ids = _distinct(feature.id for feature in features)
    catalog = Catalog(
        currency=currency,
        grace_days=root.whole("grace_days", most=MAX_GRACE_DAYS, absent=DEFAULT_GRACE_DAYS),
        features=features,
        metrics=metrics,
        plans=read_plans(root, currency, metric_ids, feature_ids),
        packs=_unique(root, "packs", "id", _pack_reader(currency, metric_ids), at_most=MAX_PACKS),
        actions=_unique(root, "actions", "id", _action_reader(metric_ids), at_most=MAX_ACTIONS),
        token_rates=_unique(root, "token_rates", "metric", _token_rate_reader(metric_ids), at_most=MAX_METRICS),
    )
    if reading.mistakes:
        raise CatalogInvalidError(reading.mistakes)
    return catalog


def _distinct(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, ids)))


def _currency(root: Fields) -> str:
    currency = root.text("currency")
    if currency and currency not in CURRENCIES:
        near = suggestion(currency, ["usd", "eur", "gbp"]) if currency.lower() not in CURRENCIES else ""
        hint = near if near.startswith("did") else "use an ISO code in small letters, such as usd"
        root.wrong("currency", f'unknown currency "{currency}"; {hint}')
        return "usd"
    return currency or "usd"


def _unique(
    root: Fields,
    key: str,
    id_key: str,
    read: Callable[[Reading, Any, str], Item],
    *,
    at_most: int,
    at_least: int = 0,
) -> tuple[Item, ...]:
    """The items of the list `key`. Two with the same `id_key` are a mistake of the second."""
    items: list[Item] = []
    taken: dict[str, tuple[str, str]] = {}
    for path, value in root.reading.rows(root.value(key), key, at_most=at_most, at_least=at_least):
        items.append(read(root.reading, value, path))
        identity = value.get(id_key) if isinstance(value, Mapping) else None
        if isinstance(identity, str):
            root.reading.claim(taken, identity, path, f"{path}.{id_key}")
    return tuple(items)


def _feature(reading: Reading, value: Any, path: str) -> Feature:
    fields = Fields(reading, value, path, required=("id", "name", "description"))
    return Feature(
        id=fields.identifier("id"),
        name=fields.text("name"),
        description=fields.text("description", longest=MAX_TEXT_LENGTH),
    )


def _metric(reading: Reading, value: Any, path: str) -> Metric:
    fields = Fields(
        reading,
        value,
        path,
        required=("id", "name", "caption", "aggregation", "unit", "display_unit", "factor", "hue", "icon"),
        optional=("price_per", "deficit", "refund_shortfall"),
    )
    icon = fields.text("icon")
    if icon and icon not in ICONS:
        fields.wrong("icon", f'unknown icon "{icon}"; {suggestion(icon, sorted(ICONS))}')
    metric_id = fields.identifier("id")
    if metric_id.casefold() == TOKEN_ID and not (reading.stored and metric_id != TOKEN_ID):
        fields.wrong("id", '"token" is the built-in universal credit; choose another id')
    return Metric(
        id=metric_id,
        name=fields.text("name"),
        caption=fields.text("caption"),
        aggregation=fields.choice("aggregation", Aggregation),
        unit=fields.text("unit"),
        display_unit=fields.text("display_unit"),
        factor=fields.whole("factor", least=1, most=MAX_FACTOR),
        price_per=fields.whole("price_per", least=1, most=MAX_FACTOR, absent=1),
        hue=fields.choice("hue", Hue),
        icon=icon,
        deficit=fields.choice("deficit", DeficitPolicy, absent=DeficitPolicy.FORGIVE),
        refund_shortfall=fields.choice("refund_shortfall", RefundPolicy, absent=RefundPolicy.DEBT),
    )


def _known_metric(fields: Fields, metric_ids: list[str]) -> str:
    metric_id = fields.text("metric")
    if metric_id and metric_ids and metric_id not in metric_ids:
        fields.wrong("metric", f'unknown metric "{metric_id}"; {suggestion(metric_id, metric_ids)}')
    return metric_id


def _pack_reader(currency: str, metric_ids: list[str]) -> Callable[[Reading, Any, str], Pack]:
    def read(reading: Reading, value: Any, path: str) -> Pack:
        required = ("id", "metric", "quantity", "price_cents", "interval", "public")
        fields = Fields(reading, value, path, required=required, optional=("retired",))
        price_cents = fields.whole("price_cents", least=1, most=MAX_AMOUNT_CENTS)
        step = amount_step(currency)
        if price_cents % step and fields.value("price_cents") == price_cents:
            fields.wrong("price_cents", f"must be a multiple of {step}: {currency.upper()} can't be paid more finely")
        return Pack(
            id=fields.identifier("id"),
            metric=_known_metric(fields, [*metric_ids, TOKEN_ID] if metric_ids else []),
            quantity=fields.whole("quantity", least=1),
            price_cents=price_cents,
            interval=fields.choice("interval", Interval),
            public=fields.flag("public"),
            retired=fields.flag("retired"),
        )

    return read


def _action_reader(metric_ids: list[str]) -> Callable[[Reading, Any, str], ActionRule]:
    def read(reading: Reading, value: Any, path: str) -> ActionRule:
        fields = Fields(reading, value, path, required=("id", "name", "metrics"))
        metrics: list[str] = []
        rows = reading.rows(fields.value("metrics"), fields.at("metrics"), at_most=MAX_METRICS, at_least=1)
        for place, metric_id in rows:
            if not isinstance(metric_id, str):
                reading.wrong(place, "must be the id of a metric")
            elif metric_ids and metric_id not in metric_ids:
                reading.wrong(place, f'unknown metric "{metric_id}"; {suggestion(metric_id, metric_ids)}')
            elif metric_id in metrics:
                reading.wrong(place, f'"{metric_id}" is named twice; keep one')
            else:
                metrics.append(metric_id)
        return ActionRule(id=fields.identifier("id"), name=fields.text("name"), metrics=tuple(metrics))

    return read


def _token_rate_reader(metric_ids: list[str]) -> Callable[[Reading, Any, str], TokenRate]:
    def read(reading: Reading, value: Any, path: str) -> TokenRate:
        fields = Fields(reading, value, path, required=("metric", "tokens", "quantity"))
        return TokenRate(
            metric=_known_metric(fields, metric_ids),
            tokens=fields.whole("tokens", least=1),
            quantity=fields.whole("quantity", least=1),
        )

    return read
