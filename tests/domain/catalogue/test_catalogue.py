"""The catalogue's file: what it says, and every way in which it can be wrong."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from billing_app.domain.catalogue import (
    ICONS,
    TOKEN,
    Catalog,
    CatalogInvalidError,
    Interval,
    VotingType,
    parse_catalog,
    read_catalog,
    to_document,
    to_json,
)
from billing_app.domain.common.errors import FactRefusedError, NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY, Aggregation, DeficitPolicy, RefundPolicy
from tests.domain.catalogue.documents import metric, pack, plan, small_catalog, small_document

SHIPPED = Path(__file__).parents[3] / "plans.json"

Document = dict[str, Any]


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return read_catalog(SHIPPED.read_bytes(), SHIPPED.name)


def mistakes_of(document: Any) -> list[str]:
    with pytest.raises(CatalogInvalidError) as caught:
        parse_catalog(document, "plans.json")
    return [f"{mistake.path}: {mistake.message}" for mistake in caught.value.mistakes]


def mistakes_of_text(text: str | bytes) -> list[str]:
    with pytest.raises(CatalogInvalidError) as caught:
        read_catalog(text, "plans.json")
    return [str(mistake) for mistake in caught.value.mistakes]


# What the product ships with.


def test_the_shipped_catalogue_has_the_five_metrics(shipped: Catalog) -> None:
    assert {metric.id: metric.aggregation for metric in shipped.metrics} == {
        "mau": Aggregation.UNIQUE,
        "storage": Aggregation.LEVEL,
        "bandwidth": Aggregation.SUM,
        "emails": Aggregation.SUM,
        "sms": Aggregation.SUM,
    }


def test_the_shipped_metrics_look_as_the_design_says(shipped: Catalog) -> None:
    assert [(metric.hue.value, metric.icon) for metric in shipped.metrics] == [
        ("blue", "users"),
        ("jade", "hard-drive"),
        ("purple", "arrow-down-up"),
        ("brown", "mail"),
        ("pink", "message-square"),
    ]


def test_the_shipped_plans_are_free_essential_pro_and_custom_with_free_as_the_default(shipped: Catalog) -> None:
    assert [plan.id for plan in shipped.plans] == ["free", "essential", "pro", "custom"]
    assert shipped.default_plan.id == "free"


def test_every_shipped_plan_has_every_key_of_the_source_s_plan_object() -> None:
    for found in json.loads(SHIPPED.read_text())["plans"]:
        assert {"plan", "stripePlanId"} <= found.keys()
        limits = {"memberships", "subOrgs", "maxProcesses", "max_census_size", "customURL"}
        assert limits <= found["organization"].keys()
        assert found["votingTypes"].keys() == {voting_type.value for voting_type in VotingType}
        features = {"personalization", "emailReminder", "smsNotification", "whiteLabel", "liveStreaming"}
        assert features <= found["features"].keys()


def test_a_larger_shipped_plan_never_gives_less(shipped: Catalog) -> None:
    for smaller, larger in zip(shipped.plans, shipped.plans[1:], strict=False):
        assert smaller.features <= larger.features
        assert smaller.voting_types <= larger.voting_types
        for metric_id in shipped.metric_ids:
            less, more = smaller.allowance(metric_id), larger.allowance(metric_id)
            assert more is None or (less is not None and less <= more)


@pytest.mark.parametrize(("interval", "at_least"), [(Interval.ONCE, 4), (Interval.MONTH, 2)])
def test_shipped_packs_get_cheaper_per_unit_as_they_grow(shipped: Catalog, interval: Interval, at_least: int) -> None:
    for metric_id in shipped.metric_ids:
        packs = shipped.offered_packs(metric_id, interval)
        assert len(packs) >= at_least, metric_id
        unit_prices = [Fraction(pack.price_cents, pack.quantity) for pack in packs]
        assert unit_prices == sorted(unit_prices, reverse=True), metric_id
        assert len(set(unit_prices)) == len(packs), metric_id


def test_a_shipped_recurring_pack_is_cheaper_than_the_same_bought_once(shipped: Catalog) -> None:
    for metric_id in shipped.metric_ids:
        once = {pack.quantity: pack.price_cents for pack in shipped.offered_packs(metric_id, Interval.ONCE)}
        for monthly in shipped.offered_packs(metric_id, Interval.MONTH):
            assert monthly.price_cents < once[monthly.quantity]


def test_the_shipped_actions_need_the_metrics_of_the_design(shipped: Catalog) -> None:
    assert {action.id: action.metrics for action in shipped.actions} == {
        "upload": ("storage",),
        "download": ("bandwidth",),
        "update_check": ("mau", "bandwidth"),
        "email_reminder": ("emails",),
        "sms_notification": ("sms",),
    }


def test_tokens_become_each_shipped_metric(shipped: Catalog) -> None:
    assert [rate.metric for rate in shipped.token_rates] == list(shipped.metric_ids)


# There and back.


@pytest.mark.parametrize("make", [small_catalog, lambda: read_catalog(SHIPPED.read_bytes(), "plans.json")])
def test_a_catalogue_written_down_and_read_again_is_the_same(make: Callable[[], Catalog]) -> None:
    catalog = make()
    assert parse_catalog(to_document(catalog), "export") == catalog
    assert read_catalog(to_json(catalog), "export") == catalog


def test_the_shipped_file_is_what_an_export_would_say(shipped: Catalog) -> None:
    assert to_document(shipped) == json.loads(SHIPPED.read_text())


def test_retired_plans_and_packs_stay_retired_in_a_document() -> None:
    document = small_document()
    document["plans"][1]["retired"] = document["packs"][0]["retired"] = True
    catalog = parse_catalog(document, "plans.json")
    assert not catalog.plan("pro").offered
    assert [pack.id for pack in catalog.offered_packs("mau", Interval.ONCE)] == ["mau-10k"]
    assert parse_catalog(to_document(catalog), "export") == catalog


# What may be left out, and what it means then.


def test_a_metric_that_a_plan_does_not_include_has_0_and_null_is_unlimited() -> None:
    catalog = small_catalog()
    assert catalog.plan("free").included == {"mau": 100, "storage": 0}
    assert catalog.plan("pro").allowance("storage") is None


def test_policies_grace_days_and_the_size_of_a_quoted_price_have_defaults() -> None:
    document = small_document()
    del document["grace_days"]
    for key in ("deficit", "refund_shortfall", "price_per"):
        del document["metrics"][0][key]
    catalog = parse_catalog(document, "plans.json")
    assert catalog.grace_days == 7
    mau = catalog.metric("mau")
    assert (mau.deficit, mau.refund_shortfall, mau.price_per) == (DeficitPolicy.FORGIVE, RefundPolicy.DEBT, 1)


def test_the_token_is_a_metric_that_no_catalogue_lists_and_packs_of_it_may_be_sold() -> None:
    catalog = small_catalog(packs=[pack("tokens-100", metric="token", quantity=100)])
    assert catalog.metric("token") is TOKEN
    assert "token" not in catalog.metric_ids
    assert TOKEN.icon in ICONS


@pytest.mark.parametrize("look_up", ["plan", "metric", "pack", "action", "token_rate"])
def test_what_is_not_in_the_catalogue_is_not_found(look_up: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        getattr(small_catalog(), look_up)("nothing")
    assert caught.value.code == f"{look_up}_not_found"


def test_tokens_convert_in_whole_and_refuse_a_remainder() -> None:
    rate = small_catalog(token_rates=[{"metric": "mau", "tokens": 3, "quantity": 100}]).token_rate("mau")
    assert rate.quantity_for(6) == 200
    for tokens in (0, -3, 4):
        with pytest.raises(FactRefusedError, match="3 at a time"):
            rate.quantity_for(tokens)


# Every kind of mistake, with its place.

MISTAKES: dict[str, tuple[Callable[[Document], Any], str]] = {
    "an unknown key, with what was meant": (
        lambda d: d["plans"][1].update(publik=True),
        'plans[1].publik: unknown key; did you mean "public"?',
    ),
    "a key that is like no other": (
        lambda d: d["packs"][0].update(zzz=1),
        "packs[0].zzz: unknown key; known are id, metric, quantity, price_cents, interval, public, retired",
    ),
    "a key that is no word": (
        lambda d: d.update({"a b": 1}),
        '"a b": unknown key; known are currency, features, metrics, plans, packs, actions, token_rates, grace_days',
    ),
    "a missing key": (
        lambda d: d["plans"][0]["organization"].pop("drafts"),
        "plans[0].organization.drafts: is missing",
    ),
    "a missing list": (lambda d: d.pop("metrics"), "metrics: is missing"),
    "an object instead of a list": (
        lambda d: d.update(packs={}),
        "packs: must be a list, not an object",
    ),
    "a text instead of an object": (
        lambda d: d["plans"][0].update(prices="free"),
        'plans[0].prices: must be an object, not "free"',
    ),
    "a number instead of a text": (lambda d: d["plans"][0].update(name=5), "plans[0].name: must be a text, not 5"),
    "an empty text": (lambda d: d["metrics"][0].update(name=" "), "metrics[0].name: must not be empty"),
    "a text of several lines": (
        lambda d: d["metrics"][0].update(caption="a\nb"),
        "metrics[0].caption: must have no space at its ends and no line breaks or control characters",
    ),
    "a text that no cell holds": (
        lambda d: d["metrics"][0].update(name="n" * 81),
        "metrics[0].name: has 81 characters, at most 80 are allowed",
    ),
    "an id with signs": (
        lambda d: d["packs"][0].update(id="MAU 1k"),
        'packs[0].id: "MAU 1k" is not an id: use letters, digits, dots, - and _, at most 60 characters',
    ),
    "true where a number belongs": (
        lambda d: d["packs"][0].update(quantity=True),
        "packs[0].quantity: must be a whole number, not true",
    ),
    "1 where true or false belongs": (
        lambda d: d["plans"][0].update(public=1),
        "plans[0].public: must be true or false, not 1",
    ),
    "a number in quotes": (
        lambda d: d["packs"][0].update(price_cents="400"),
        'packs[0].price_cents: must be a whole number, not "400"; remove the quotes',
    ),
    "a quantity that is not whole": (
        lambda d: d["packs"][0].update(quantity=1.5),
        "packs[0].quantity: must be a whole number without decimal point or exponent, not 1.5",
    ),
    "a whole quantity written as a decimal number": (
        lambda d: d["packs"][0].update(quantity=Decimal("100.0")),
        "packs[0].quantity: must be a whole number without decimal point or exponent, not 100.0",
    ),
    "a quantity of nothing": (
        lambda d: d["packs"][0].update(quantity=0),
        "packs[0].quantity: must be 1 or more, not 0",
    ),
    "a negative quantity": (
        lambda d: d["plans"][1]["included"].update(mau=-1),
        "plans[1].included.mau: must be 0 or more, not -1 (null means unlimited)",
    ),
    "a quantity above what a column holds": (
        lambda d: d["plans"][1]["included"].update(mau=MAX_QUANTITY + 1),
        f"plans[1].included.mau: must be at most {MAX_QUANTITY}, not {MAX_QUANTITY + 1} (null means unlimited)",
    ),
    "a negative price of a pack": (
        lambda d: d["packs"][0].update(price_cents=-400),
        "packs[0].price_cents: must be 1 or more, not -400",
    ),
    "a negative price of a plan": (
        lambda d: d["plans"][1]["prices"].update(year=-1),
        "plans[1].prices.year: must be 0 or more, not -1 (null means not sold at this interval)",
    ),
    "null where there is no unlimited": (
        lambda d: d["packs"][0].update(quantity=None),
        "packs[0].quantity: must be a whole number, not null",
    ),
    "a limit in words": (
        lambda d: d["plans"][0]["organization"].update(memberships="unlimited"),
        'plans[0].organization.memberships: must be a whole number, not "unlimited" (null means unlimited)',
    ),
    "two defaults": (
        lambda d: d["plans"][1].update(default=True),
        "plans[1].default: plans[0] is the default already; only one plan may be",
    ),
    "no default": (
        lambda d: d["plans"][0].update(default=False),
        'plans: no plan is the default; give exactly one "default": true',
    ),
    "a retired default": (
        lambda d: d["plans"][0].update(retired=True),
        "plans[0].retired: the default plan can't be retired; make another plan the default first",
    ),
    "no plan at all": (lambda d: d.update(plans=[]), "plans: needs at least 1 item"),
    "two plans of one id": (
        lambda d: d["plans"].append(plan("pro")),
        'plans[2].plan: "pro" is used already by plans[1]',
    ),
    "two plans of one Stripe plan": (
        lambda d: [found.update(stripePlanId="prod_1") for found in d["plans"]],
        "plans[1].stripePlanId: is used already by plans[0]",
    ),
    "two packs of one id": (
        lambda d: d["packs"].append(pack("mau-1k", quantity=5)),
        'packs[3].id: "mau-1k" is used already by packs[0]',
    ),
    "two metrics of one id": (
        lambda d: d["metrics"].append(metric("mau")),
        'metrics[2].id: "mau" is used already by metrics[0]',
    ),
    "plans that differ only in case": (
        lambda d: d["plans"].append(plan("PRO")),
        'plans[2].plan: "PRO" differs from "pro" (plans[1]) only in case; choose another id',
    ),
    "packs that differ only in case": (
        lambda d: d["packs"].append(pack("MAU-1k", quantity=5)),
        'packs[3].id: "MAU-1k" differs from "mau-1k" (packs[0]) only in case; choose another id',
    ),
    "metrics that differ only in case": (
        lambda d: d["metrics"].append(metric("Mau")),
        'metrics[2].id: "Mau" differs from "mau" (metrics[0]) only in case; choose another id',
    ),
    "a metric that is tokens in capitals": (
        lambda d: d["metrics"].append(metric("Token")),
        'metrics[2].id: "token" is the built-in universal credit; choose another id',
    ),
    "two rates of one metric": (
        lambda d: d["token_rates"].append({"metric": "mau", "tokens": 2, "quantity": 1}),
        'token_rates[1].metric: "mau" is used already by token_rates[0]',
    ),
    "a pack of an unknown metric": (
        lambda d: d["packs"][0].update(metric="storrage"),
        'packs[0].metric: unknown metric "storrage"; did you mean "storage"?',
    ),
    "an action that needs an unknown metric": (
        lambda d: d["actions"][0].update(metrics=["storage", "mua"]),
        'actions[0].metrics[1]: unknown metric "mua"; did you mean "mau"?',
    ),
    "an action that names a metric twice": (
        lambda d: d["actions"][0].update(metrics=["storage", "storage"]),
        'actions[0].metrics[1]: "storage" is named twice; keep one',
    ),
    "an action that needs nothing": (
        lambda d: d["actions"][0].update(metrics=[]),
        "actions[0].metrics: needs at least 1 item",
    ),
    "an unknown metric in what a plan includes": (
        lambda d: d["plans"][0]["included"].update(maau=1),
        'plans[0].included.maau: unknown metric; did you mean "mau"?',
    ),
    "a rate of an unknown metric": (
        lambda d: d["token_rates"][0].update(metric="calls"),
        'token_rates[0].metric: unknown metric "calls"; known are mau, storage',
    ),
    "a rate of tokens for tokens": (
        lambda d: d["token_rates"][0].update(metric="token"),
        'token_rates[0].metric: unknown metric "token"; known are mau, storage',
    ),
    "a metric called token": (
        lambda d: d["metrics"].append(metric("token")),
        'metrics[2].id: "token" is the built-in universal credit; choose another id',
    ),
    "an unknown aggregation": (
        lambda d: d["metrics"][0].update(aggregation="uniq"),
        'metrics[0].aggregation: "uniq" is not one of sum, unique, max, level; did you mean "unique"?',
    ),
    "an unknown policy for deficits": (
        lambda d: d["metrics"][0].update(deficit="forget"),
        'metrics[0].deficit: "forget" is not one of forgive, carry; did you mean "forgive"?',
    ),
    "an unknown policy for refunds": (
        lambda d: d["metrics"][0].update(refund_shortfall=None),
        "metrics[0].refund_shortfall: must be one of debt, forgive, not null",
    ),
    "an unknown interval": (
        lambda d: d["packs"][0].update(interval="monthly"),
        'packs[0].interval: "monthly" is not one of once, month; did you mean "month"?',
    ),
    "an unknown hue": (
        lambda d: d["metrics"][0].update(hue="red"),
        'metrics[0].hue: "red" is not one of blue, jade, purple, brown, pink, cyan, gold; '
        "known are blue, jade, purple, brown, pink, cyan, gold",
    ),
    "an unknown icon": (
        lambda d: d["metrics"][0].update(icon="user"),
        'metrics[0].icon: unknown icon "user"; did you mean "users"?',
    ),
    "an unknown voting type": (
        lambda d: d["plans"][0]["votingTypes"].update(rankd=True),
        'plans[0].votingTypes.rankd: unknown voting type; did you mean "ranked"?',
    ),
    "an unknown feature": (
        lambda d: d["plans"][0]["features"].update(whitelabel=True),
        'plans[0].features.whitelabel: unknown feature; did you mean "whiteLabel"?',
    ),
    "an unknown currency": (
        lambda d: d.update(currency="usdd"),
        'currency: unknown currency "usdd"; did you mean "usd"?',
    ),
    "a currency in capitals": (
        lambda d: d.update(currency="USD"),
        'currency: unknown currency "USD"; use an ISO code in small letters, such as usd',
    ),
    "a price that its currency can't be paid in": (
        lambda d: [d.update(currency="isk"), d["packs"][0].update(price_cents=450)],
        "packs[0].price_cents: must be a multiple of 100: ISK can't be paid more finely",
    ),
    "a trial longer than Stripe allows": (
        lambda d: d["plans"][1].update(trial_days=731),
        "plans[1].trial_days: must be at most 730, not 731",
    ),
    "more packs than a page can show": (
        lambda d: d.update(packs=[pack(f"p{number}") for number in range(501)]),
        "packs: has 501 items, at most 500 are allowed",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_place(name: str) -> None:
    spoil, expected = MISTAKES[name]
    document = small_document()
    spoil(document)
    assert mistakes_of(document) == [expected]


def test_all_mistakes_are_reported_at_once() -> None:
    document = small_document()
    alone = ("an unknown key, with what was meant", "a missing key", "two defaults", "two packs of one id")
    for name in (*alone, "a pack of an unknown metric", "an unknown hue", "a rate of an unknown metric"):
        MISTAKES[name][0](document)
    document["packs"][1].update(price_cents=-1, quantity=1.5)
    found = mistakes_of(document)
    assert len(found) == 9
    for name in ("an unknown key, with what was meant", "a missing key", "two defaults", "an unknown hue"):
        assert MISTAKES[name][1] in found


def test_the_error_says_the_first_mistakes_in_a_sentence_and_has_all_of_them() -> None:
    document = small_document()
    for found in (*document["packs"], *document["plans"]):
        found["public"] = "yes"
    with pytest.raises(CatalogInvalidError) as caught:
        parse_catalog(document, "plans.json")
    error = caught.value
    assert len(error.mistakes) == 5
    assert (error.status, error.code) == (422, "catalogue_invalid")
    assert error.detail.startswith('plans.json: plans[0].public: must be true or false, not "yes"; ')
    assert error.detail.endswith("; and 2 more")
    assert error.fields["mistakes"][4] == {"path": "packs[2].public", "message": 'must be true or false, not "yes"'}
    assert pickle.loads(pickle.dumps(error)).mistakes == error.mistakes


def test_a_missing_list_of_metrics_is_one_mistake_and_not_one_for_each_use_of_them() -> None:
    document = small_document()
    document["metrics"] = "none"
    assert mistakes_of(document) == ['metrics: must be a list, not "none"']


@pytest.mark.parametrize("document", [[], None, "plans", 3])
def test_a_document_that_is_no_object_is_one_mistake(document: Any) -> None:
    (found,) = mistakes_of(document)
    assert "must be an object" in found


def test_nothing_that_json_can_say_makes_the_reader_fail_in_another_way() -> None:
    """Puts every kind of value at every place of a sound document."""

    def places(value: Any) -> list[tuple[Any, Any]]:
        keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
        return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]

    document = small_document()
    for container, key in places(document):
        sound = container[key]
        for odd in (None, True, -1, 1.5, 2**70, "", "x" * 600, [], {}, [None], {"a": {"b": []}}):
            container[key] = odd
            try:
                parse_catalog(document, "plans.json")
            except CatalogInvalidError as error:
                assert error.mistakes
        container[key] = sound
    assert parse_catalog(document, "plans.json") == small_catalog()


# The file itself.


def test_a_file_that_is_no_json_is_told_by_line_and_column() -> None:
    (found,) = mistakes_of_text('{\n  "currency": usd\n}')
    assert found == "plans.json:2:15: is not JSON: expecting value"


def test_a_file_that_is_not_utf_8_is_told_by_line_and_column() -> None:
    (found,) = mistakes_of_text(b'{\n  "currency": "\xff"\n}')
    assert found == "plans.json:2:16: is not UTF-8 text; save the file as UTF-8"


def test_a_file_saved_with_a_byte_order_mark_is_read() -> None:
    text = json.dumps(small_document())
    assert read_catalog(b"\xef\xbb\xbf" + text.encode(), "plans.json") == small_catalog()
    assert read_catalog("\ufeff" + text, "plans.json") == small_catalog()


def test_a_key_that_is_written_twice_is_a_mistake_at_its_place() -> None:
    text = json.dumps(small_document()).replace('"memberships": 5', '"memberships": 5, "memberships": 6', 1)
    assert mistakes_of_text(text) == [
        "plans.json: plans[0].organization.memberships: is written more than once in the same object; keep one of them"
    ]


@pytest.mark.parametrize(
    ("number", "said"),
    [("1000.0", "not 1000.0"), ("1e3", "not 1E+3"), ("0.1", "not 0.1")],
)
def test_a_number_with_a_point_or_exponent_is_not_whole_even_if_it_could_be(number: str, said: str) -> None:
    text = json.dumps(small_document()).replace('"quantity": 1000,', f'"quantity": {number},')
    (found,) = mistakes_of_text(text)
    assert found.startswith("plans.json: packs[0].quantity: must be a whole number without decimal point or exponent")
    assert found.endswith(said)


@pytest.mark.parametrize(
    "text", ["", "[" * 100_000, '{"a": NaN}', '{"a": -Infinity}', '{"a": ' + "9" * 5000 + "}", "\0"]
)
def test_a_hostile_file_is_one_clear_mistake(text: str) -> None:
    (found,) = mistakes_of_text(text)
    assert found.startswith("plans.json")


def test_reading_leaves_the_document_as_it_was() -> None:
    document = small_document()
    before = copy.deepcopy(document)
    parse_catalog(document, "plans.json")
    assert document == before
