"""What an edit of the catalogue changes, what it must not change, what stays because it is in use; merging of edits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from billing_app.domain.catalogue.document import to_document
from billing_app.domain.catalogue.model import Catalog, Metric, Pack, Plan

IDENTITIES = {
    "features": "id",
    "metrics": "id",
    "plans": "plan",
    "packs": "id",
    "actions": "id",
    "token_rates": "metric",
}
"""The lists of a document and the key that names an item of each."""


class ChangeKind(StrEnum):
    """What happened to one place of the catalogue."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """One difference. `path` names items by their id (`plans.pro.prices.month`); what is reordered is a whole list."""

    kind: ChangeKind
    path: str
    before: Any = None
    after: Any = None

    def meets(self, other: CatalogChange) -> bool:
        """Whether both are about the same place, or one about a part of the other's. An order meets only an order."""
        if ChangeKind.REORDERED in (self.kind, other.kind):
            return (self.kind, self.path) == (other.kind, other.path)
        return f"{self.path}.".startswith(f"{other.path}.") or f"{other.path}.".startswith(f"{self.path}.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that would contradict what has happened; `message` says why and what to do instead."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class CatalogUse:
    """The ids that facts refer to: metrics with usage or grants, plans ever held, packs ever ordered."""

    metrics: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()
    packs: frozenset[str] = frozenset()


NOTHING_USED = CatalogUse()


def changes(old: Catalog, new: Catalog) -> list[CatalogChange]:
    """Every difference between two catalogues, in the order of the document. Empty exactly if they are equal."""
    before, after = to_document(old), to_document(new)
    found: list[CatalogChange] = []
    for key in after:
        identity = IDENTITIES.get(key)
        if identity is None:
            found.extend(_differences(key, before[key], after[key]))
        else:
            found.extend(_list_differences(key, _by_id(before[key], identity), _by_id(after[key], identity)))
    return found


def uses_that_matter(old: Catalog, new: Catalog) -> CatalogUse:
    """The ids whose use decides whether this edit is refused and what it keeps; nothing for most edits."""
    if old.currency != new.currency:
        return CatalogUse(
            metrics=frozenset(old.metric_ids),
            plans=frozenset(plan.id for plan in old.plans),
            packs=frozenset(pack.id for pack in old.packs),
        )
    metrics, packs = set(new.metrics), set(new.packs)
    plan_ids = {plan.id for plan in new.plans}
    return CatalogUse(
        metrics=frozenset(metric.id for metric in old.metrics if metric not in metrics),
        plans=frozenset(plan.id for plan in old.plans if plan.id not in plan_ids),
        packs=frozenset(pack.id for pack in old.packs if pack not in packs),
    )


def refusals(old: Catalog, new: Catalog, in_use: CatalogUse) -> list[Refusal]:
    """What of an edit contradicts facts: each must be put right before the new catalogue can be in force."""
    return [
        *_metric_refusals(old, new, in_use.metrics),
        *_pack_refusals(old, new, in_use.packs),
        *_case_refusals(old, new, in_use),
        *_currency_refusals(old, new, in_use),
    ]


def keep_in_use(old: Catalog, new: Catalog, in_use: CatalogUse) -> Catalog:
    """`new`, with the plans and packs that it drops although they are in use kept as retired, after its own.

    Whoever holds a retired plan keeps it, with its limits and allowances; a subscription to a retired pack goes on.
    Nobody can choose either any more.
    """
    plan_ids = {plan.id for plan in new.plans}
    pack_ids = {pack.id for pack in new.packs}
    plans = [_retired_plan(plan, new) for plan in old.plans if plan.id in in_use.plans - plan_ids]
    packs = [replace(pack, retired=True) for pack in old.packs if pack.id in in_use.packs - pack_ids]
    return replace(new, plans=(*new.plans, *plans), packs=(*new.packs, *packs))


def _retired_plan(plan: Plan, new: Catalog) -> Plan:
    """The plan as it was, fitted to the new lists: it has no new feature and nothing of a new metric."""
    return replace(
        plan,
        retired=True,
        default=False,
        features=plan.features & {feature.id for feature in new.features},
        included={metric.id: plan.allowance(metric.id) for metric in new.metrics},
    )


def _metric_refusals(old: Catalog, new: Catalog, used: Collection[str]) -> Iterator[Refusal]:
    after = {metric.id: metric for metric in new.metrics}
    for metric in old.metrics:
        if metric.id not in used:
            continue
        path = f"metrics.{metric.id}"
        if metric.id not in after:
            yield Refusal(path, "is used: its usage and credits would have no meaning without it; keep it")
            continue
        yield from _fixed(path, metric, after[metric.id], ("aggregation", "unit", "display_unit", "factor"), "metric")


def _pack_refusals(old: Catalog, new: Catalog, used: Collection[str]) -> Iterator[Refusal]:
    metric_ids = {*new.metric_ids, "token"}
    after = {pack.id: pack for pack in new.packs}
    for pack in old.packs:
        if pack.id not in used:
            continue
        if pack.id in after:
            yield from _fixed(f"packs.{pack.id}", pack, after[pack.id], ("metric", "interval"), "pack")
        elif pack.metric not in metric_ids:
            yield Refusal(f"metrics.{pack.metric}", f"pack {pack.id} of it has been ordered; keep the metric")


def _case_refusals(old: Catalog, new: Catalog, in_use: CatalogUse) -> Iterator[Refusal]:
    """New ids of plans and packs beside those that are kept and differ in case alone; pairs that were there stay."""
    lists = (("plans", old.plans, new.plans, in_use.plans), ("packs", old.packs, new.packs, in_use.packs))
    for path, before, after, used in lists:
        ids = {each.id for each in after}
        kept = {each.id.casefold(): each.id for each in before if each.id in used - ids}
        there = {each.id for each in before}
        for each in after:
            if each.id.casefold() in kept and each.id not in there:
                said = f'differs only in case from "{kept[each.id.casefold()]}", which is in use; keep that id'
                yield Refusal(f"{path}.{each.id}", said)


def _fixed(
    path: str, before: Metric | Pack, after: Metric | Pack, fields: tuple[str, ...], noun: str
) -> Iterator[Refusal]:
    for field in fields:
        was, will_be = getattr(before, field), getattr(after, field)
        if was != will_be:
            message = f"can't change from {was} to {will_be} once used; add a new {noun} with another id instead"
            yield Refusal(f"{path}.{field}", message)


def _currency_refusals(old: Catalog, new: Catalog, in_use: CatalogUse) -> Iterator[Refusal]:
    sold_plans = [plan.id for plan in old.plans if plan.id in in_use.plans and _has_price(plan)]
    if old.currency != new.currency and (sold_plans or in_use.packs):
        message = (
            f"can't change from {old.currency} to {new.currency} once something was sold: what was paid would read as "
            "another amount"
        )
        yield Refusal("currency", message)


def _has_price(plan: Plan) -> bool:
    return bool(plan.prices.month_cents or plan.prices.year_cents)


def _by_id(items: list[dict[str, Any]], identity: str) -> dict[str, dict[str, Any]]:
    return {item[identity]: item for item in items}


def _list_differences(
    path: str, before: Mapping[str, dict[str, Any]], after: Mapping[str, dict[str, Any]]
) -> Iterator[CatalogChange]:
    for identity, item in before.items():
        if identity not in after:
            yield CatalogChange(ChangeKind.REMOVED, f"{path}.{identity}", before=item)
    for identity, item in after.items():
        if identity not in before:
            yield CatalogChange(ChangeKind.ADDED, f"{path}.{identity}", after=item)
        else:
            yield from _differences(f"{path}.{identity}", before[identity], item)
    order_before = [identity for identity in before if identity in after]
    order_after = [identity for identity in after if identity in before]
    if order_before != order_after:
        yield CatalogChange(ChangeKind.REORDERED, path, before=order_before, after=order_after)


def _differences(path: str, before: Any, after: Any) -> Iterator[CatalogChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            # Absent is "no" or "none": a metric or feature that comes or goes matters only to plans that had some.
            absent = False if isinstance(before.get(key, after.get(key)), bool) else 0
            yield from _differences(f"{path}.{key}", before.get(key, absent), after.get(key, absent))
    elif before != after:
        yield CatalogChange(ChangeKind.CHANGED, path, before, after)


Document = Mapping[str, Any]


def merged(base: Document, mine: Document, theirs: Document) -> tuple[dict[str, Any], list[str]]:
    """`theirs` with everything that `mine` changed of `base`; and the places that both changed, where mine stands.

    What somebody else removed and mine did not touch stays removed. The order is theirs, what mine added comes after.
    """
    both: list[str] = []
    keys = [*theirs, *(key for key in mine if key not in theirs)]
    result: dict[str, Any] = {}
    for key in keys:
        identity = IDENTITIES.get(key)
        documents = [document.get(key) for document in (base, mine, theirs)]
        if identity is not None and all(isinstance(each, list) for each in documents):
            indexed = [{item[identity]: item for item in each or ()} for each in documents]
            result[key] = list(_merged(key, *indexed, both).values())
        else:
            result |= _merged("", *({key: each} for each in documents), both)
    return result, both


def _merged(
    path: str, base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any], both: list[str]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in [*theirs, *(key for key in mine if key not in theirs)]:
        place = f"{path}.{key}" if path else str(key)
        was, my, their = base.get(key), mine.get(key), theirs.get(key)
        if isinstance(was, dict) and isinstance(my, dict) and isinstance(their, dict):
            result[key] = _merged(place, was, my, their, both)
            continue
        changed = (key in mine) != (key in base) or my != was
        if changed and ((key in theirs) != (key in base) or their != was) and my != their:
            both.append(place)
        if changed and key in mine:
            result[key] = my
        elif not changed and key in theirs:
            result[key] = their
    return result
