"""What an edit of the catalogue changes, what it must not change, and what stays because it is in use."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from billing_app.domain.catalogue import (
    NOTHING_USED,
    Catalog,
    CatalogUse,
    ChangeKind,
    changes,
    digest,
    keep_in_use,
    parse_catalog,
    refusals,
    to_document,
    uses_that_matter,
)
from tests.domain.catalogue.documents import metric, pack, plan, small_catalog, small_document

EVERYTHING_USED = CatalogUse(
    frozenset({"mau", "storage"}), frozenset({"free", "pro"}), frozenset({"mau-1k", "mau-10k", "mau-10k-monthly"})
)


def edited(edit: Callable[[dict[str, Any]], Any]) -> Catalog:
    document = small_document()
    edit(document)
    return parse_catalog(document, "plans.json")


def drop(document: dict[str, Any], kind: str, place: int) -> None:
    del document[kind][place]


# Differences.


def test_a_catalogue_does_not_differ_from_itself() -> None:
    assert changes(small_catalog(), small_catalog()) == []
    assert digest(small_catalog()) == digest(small_catalog())


def test_a_changed_price_is_one_change_with_its_place_before_and_after() -> None:
    new = edited(lambda d: d["plans"][1]["prices"].update(month=5900))
    (change,) = changes(small_catalog(), new)
    assert (change.kind, change.path, change.before, change.after) == (
        ChangeKind.CHANGED,
        "plans.pro.prices.month",
        4900,
        5900,
    )
    assert digest(new) != digest(small_catalog())


def test_an_added_and_a_removed_pack_are_told_whole() -> None:
    new = edited(lambda d: d["packs"].__setitem__(0, pack("mau-100k", quantity=100_000, price_cents=9000)))
    removed, added = changes(small_catalog(), new)
    assert (removed.kind, removed.path, removed.before["quantity"]) == (ChangeKind.REMOVED, "packs.mau-1k", 1000)
    assert (added.kind, added.path, added.after["quantity"]) == (ChangeKind.ADDED, "packs.mau-100k", 100_000)


def test_another_order_is_a_change_of_the_list() -> None:
    (change,) = changes(small_catalog(), edited(lambda d: d["packs"].reverse()))
    assert (change.kind, change.path) == (ChangeKind.REORDERED, "packs")
    assert change.after == ["mau-10k-monthly", "mau-10k", "mau-1k"]


def test_retiring_a_plan_is_a_change_of_that_plan_only() -> None:
    (change,) = changes(small_catalog(), edited(lambda d: d["plans"][1].update(retired=True)))
    assert (change.path, change.before, change.after) == ("plans.pro.retired", False, True)


def test_a_new_metric_is_told_again_only_where_a_plan_includes_some_of_it() -> None:
    def add(document: dict[str, Any]) -> None:
        document["metrics"].append(metric("sms"))
        document["plans"][1]["included"]["sms"] = None

    assert [change.path for change in changes(small_catalog(), edited(add))] == [
        "metrics.sms",
        "plans.pro.included.sms",
    ]


def test_a_change_meets_what_is_inside_it_and_an_order_meets_only_an_order() -> None:
    (price,) = changes(small_catalog(), edited(lambda d: d["plans"][1]["prices"].update(month=1)))
    (name,) = changes(small_catalog(), edited(lambda d: d["plans"][1].update(name="Professional")))
    (removed,) = changes(small_catalog(), edited(lambda d: drop(d, "plans", 1)))
    (order,) = changes(small_catalog(), edited(lambda d: d["plans"].reverse()))
    assert price.meets(removed) and removed.meets(price)
    assert not price.meets(name)
    assert order.meets(order) and not order.meets(price) and not price.meets(order)


@pytest.mark.parametrize("kind", ["features", "metrics", "plans", "packs", "actions", "token_rates"])
def test_whatever_differs_is_told(kind: str) -> None:
    """Every single value of the document, changed, is a change: a difference never goes unseen."""
    old = small_catalog()
    for index, item in enumerate(to_document(old)[kind]):
        for key, value in item.items():
            odd = {str: "odd", bool: not value, int: 7, dict: value, list: ["mau"], type(None): "odd"}[type(value)]
            document = to_document(old)
            document[kind][index][key] = odd
            if odd == value or key in ("id", "plan", "metric", "aggregation", "hue", "icon", "interval", "default"):
                continue
            if key in ("deficit", "refund_shortfall"):
                document[kind][index][key] = {"deficit": "carry", "refund_shortfall": "forgive"}[key]
            found = changes(old, parse_catalog(document, "plans.json"))
            assert len(found) == 1, (kind, key)
            assert found[0].path.endswith(f".{key}")


# What is in use stays.


def test_a_plan_in_use_that_a_file_drops_is_kept_as_retired() -> None:
    new = edited(lambda d: drop(d, "plans", 1))
    kept = keep_in_use(small_catalog(), new, CatalogUse(plans=frozenset({"pro"})))
    pro = kept.plan("pro")
    assert pro.retired and not pro.offered
    assert pro.included == small_catalog().plan("pro").included
    assert parse_catalog(to_document(kept), "kept") == kept


def test_a_plan_that_nobody_has_disappears() -> None:
    new = edited(lambda d: drop(d, "plans", 1))
    assert keep_in_use(small_catalog(), new, CatalogUse(plans=frozenset({"free"}))) == new


def test_dropping_the_default_plan_keeps_it_for_its_holders_and_the_new_default_holds() -> None:
    def replace(document: dict[str, Any]) -> None:
        document["plans"][0] = plan("starter", default=True)

    kept = keep_in_use(small_catalog(), edited(replace), EVERYTHING_USED)
    assert kept.default_plan.id == "starter"
    assert not kept.plan("free").default
    assert parse_catalog(to_document(kept), "kept") == kept


def test_a_pack_in_use_that_a_file_drops_is_kept_as_retired() -> None:
    kept = keep_in_use(
        small_catalog(), edited(lambda d: drop(d, "packs", 2)), CatalogUse(packs=frozenset({"mau-10k-monthly"}))
    )
    assert kept.pack("mau-10k-monthly").retired
    assert not kept.pack("mau-1k").retired


def test_loading_the_same_file_again_changes_nothing_about_what_was_kept() -> None:
    new = edited(lambda d: drop(d, "packs", 2))
    once = keep_in_use(small_catalog(), new, EVERYTHING_USED)
    assert keep_in_use(once, new, EVERYTHING_USED) == once


def test_naming_a_retired_plan_again_brings_it_back() -> None:
    without = keep_in_use(small_catalog(), edited(lambda d: drop(d, "plans", 1)), EVERYTHING_USED)
    assert keep_in_use(without, small_catalog(), EVERYTHING_USED) == small_catalog()


def test_a_kept_plan_has_nothing_of_new_metrics_and_features_and_forgets_removed_ones() -> None:
    def edit(document: dict[str, Any]) -> None:
        drop(document, "plans", 1)
        drop(document, "metrics", 1)
        document["metrics"].append(metric("sms"))
        document["features"][0]["id"] = "liveStreaming"
        document["plans"][0].update(features={"liveStreaming": True}, included={"mau": 1, "sms": 1})
        document["actions"] = []

    old = edited(lambda d: d["plans"][1]["features"].update(whiteLabel=True))
    kept = keep_in_use(old, edited(edit), CatalogUse(plans=frozenset({"pro"})))
    assert kept.plan("pro").included == {"mau": 1000, "sms": 0}
    assert kept.plan("pro").features == frozenset()
    assert parse_catalog(to_document(kept), "kept") == kept


# What must not change once used.


@pytest.mark.parametrize(
    ("key", "value"), [("aggregation", "max"), ("unit", "bits"), ("display_unit", "TB"), ("factor", 1_000)]
)
def test_what_a_used_metric_counts_can_t_change(key: str, value: Any) -> None:
    new = edited(lambda d: d["metrics"][1].update({key: value}))
    (refusal,) = refusals(small_catalog(), new, CatalogUse(metrics=frozenset({"storage"})))
    assert refusal.path == f"metrics.storage.{key}"
    assert "add a new metric with another id" in refusal.message
    assert refusals(small_catalog(), new, NOTHING_USED) == []


@pytest.mark.parametrize("edit", [{"name": "Disk"}, {"hue": "gold"}, {"price_per": 10}, {"deficit": "carry"}])
def test_how_a_used_metric_looks_and_its_policies_may_change(edit: dict[str, Any]) -> None:
    new = edited(lambda d: d["metrics"][1].update(edit))
    assert refusals(small_catalog(), new, EVERYTHING_USED) == []


def test_a_used_metric_can_t_be_removed() -> None:
    def edit(document: dict[str, Any]) -> None:
        drop(document, "metrics", 1)
        document["actions"] = []
        for found in document["plans"]:
            found["included"].pop("storage", None)

    (refusal,) = refusals(small_catalog(), edited(edit), EVERYTHING_USED)
    assert refusal.path == "metrics.storage"
    assert refusals(small_catalog(), edited(edit), NOTHING_USED) == []


@pytest.mark.parametrize(("key", "value"), [("metric", "storage"), ("interval", "month")])
def test_a_pack_that_was_sold_keeps_its_metric_and_interval(key: str, value: str) -> None:
    new = edited(lambda d: d["packs"][0].update({key: value}))
    (refusal,) = refusals(small_catalog(), new, EVERYTHING_USED)
    assert refusal.path == f"packs.mau-1k.{key}"
    assert refusals(small_catalog(), new, NOTHING_USED) == []


def test_a_pack_that_was_sold_may_change_price_and_quantity() -> None:
    new = edited(lambda d: d["packs"][0].update(price_cents=500, quantity=2000))
    assert refusals(small_catalog(), new, EVERYTHING_USED) == []


def test_the_metric_of_a_sold_pack_can_t_be_removed_with_the_pack() -> None:
    old = small_catalog(packs=[pack("storage-1", metric="storage")])

    def edit(document: dict[str, Any]) -> None:
        drop(document, "metrics", 1)
        document["actions"] = []
        for found in document["plans"]:
            found["included"].pop("storage", None)

    (refusal,) = refusals(old, edited(edit), CatalogUse(packs=frozenset({"storage-1"})))
    assert refusal.path == "metrics.storage"


def test_the_currency_stays_once_something_was_sold() -> None:
    new = edited(lambda d: d.update(currency="eur"))
    for in_use in (CatalogUse(plans=frozenset({"pro"})), CatalogUse(packs=frozenset({"mau-1k"}))):
        assert [refusal.path for refusal in refusals(small_catalog(), new, in_use)] == ["currency"]
    assert refusals(small_catalog(), new, CatalogUse(plans=frozenset({"free"}))) == []


def test_all_refusals_come_at_once() -> None:
    def edit(document: dict[str, Any]) -> None:
        document["currency"] = "eur"
        document["metrics"][0]["aggregation"] = "sum"
        document["metrics"][1]["factor"] = 1
        document["packs"][0]["interval"] = "month"

    assert [refusal.path for refusal in refusals(small_catalog(), edited(edit), EVERYTHING_USED)] == [
        "metrics.mau.aggregation",
        "metrics.storage.factor",
        "packs.mau-1k.interval",
        "currency",
    ]


# Asking only about what matters.


def test_an_edit_of_prices_asks_only_about_the_edited_packs() -> None:
    new = edited(lambda d: d["packs"][0].update(price_cents=1))
    assert uses_that_matter(small_catalog(), new) == CatalogUse(packs=frozenset({"mau-1k"}))
    assert uses_that_matter(small_catalog(), small_catalog()) == NOTHING_USED


def test_asking_only_about_what_matters_gives_the_same_answers() -> None:
    edits: list[Callable[[dict[str, Any]], Any]] = [
        lambda d: drop(d, "plans", 1),
        lambda d: drop(d, "packs", 0),
        lambda d: d["metrics"][1].update(factor=1),
        lambda d: d["packs"][0].update(interval="month"),
        lambda d: d.update(currency="eur"),
        lambda d: d["plans"][0].update(name="Gratis"),
    ]
    old = small_catalog()
    for edit in edits:
        new = edited(copy.copy(edit))
        asked = uses_that_matter(old, new)
        assert refusals(old, new, asked) == refusals(old, new, EVERYTHING_USED)
        assert keep_in_use(old, new, asked) == keep_in_use(old, new, EVERYTHING_USED)


@pytest.mark.parametrize(("kind", "key", "place"), [("plans", "plan", 1), ("packs", "id", 0)])
def test_an_id_cannot_come_back_in_other_letters_beside_what_is_kept(kind: str, key: str, place: int) -> None:
    """The old one is in use and stays, retired: two plans `pro` and `Pro` would stand side by side for ever."""

    def renamed(document: dict[str, Any]) -> None:
        document[kind][place][key] = document[kind][place][key].upper()

    new = edited(renamed)
    (refusal,) = refusals(small_catalog(), new, EVERYTHING_USED)
    assert refusal.path == f"{kind}.{small_document()[kind][place][key].upper()}"
    assert refusals(small_catalog(), new, NOTHING_USED) == []


def test_pairs_that_were_stored_before_stay_readable_and_can_be_edited() -> None:
    document = small_document()
    document["plans"].append(plan("PRO"))
    old = parse_catalog(document, "version 1", stored=True)
    assert parse_catalog(to_document(old), "version 1", stored=True) == old
    assert refusals(old, small_catalog(), EVERYTHING_USED) == []
    kept = keep_in_use(old, small_catalog(), CatalogUse(plans=frozenset({"PRO"})))
    assert [each.id for each in kept.plans] == ["free", "pro", "PRO"]
