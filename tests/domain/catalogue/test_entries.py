"""Numbers as people type them."""

from __future__ import annotations

import pytest

from billing_app.domain.catalogue import parse_catalog
from billing_app.domain.catalogue.quantities import cents_in, quantity_in
from billing_app.domain.common.errors import InvalidError
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions

CATALOG = parse_catalog(versions.read_document(ROOT / "plans.json"), "plans.json")


@pytest.mark.parametrize(
    ("metric", "text", "quantity"),
    [("mau", "5,000", 5_000), ("mau", " 0 ", 0), ("storage", "1.5", 1_500_000_000), ("storage", "50", 50 * 10**9)],
)
def test_a_quantity_is_read_in_display_units(metric: str, text: str, quantity: int) -> None:
    assert quantity_in(text, CATALOG.metric(metric)) == quantity


@pytest.mark.parametrize("text", ["", "-1", "five", "1.5", "1e5", "NaN", "9" * 41, "9" * 20, "1.2.3", "٥"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        quantity_in(text, CATALOG.metric("mau"))


@pytest.mark.parametrize(
    ("currency", "text", "cents"), [("usd", "200", 20_000), ("usd", "199.50", 19_950), ("jpy", "1,500", 1_500)]
)
def test_an_amount_is_read_in_whole_currency(currency: str, text: str, cents: int) -> None:
    assert cents_in(text, currency) == cents


@pytest.mark.parametrize(
    ("currency", "text"), [("usd", "0"), ("usd", "1.005"), ("jpy", "1.5"), ("usd", ""), ("usd", "-2")]
)
def test_what_is_no_amount_is_refused(currency: str, text: str) -> None:
    with pytest.raises(InvalidError):
        cents_in(text, currency)
