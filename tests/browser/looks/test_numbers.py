"""The figures on the pages are those of `billing history` and of the API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.looks.figures import clicks_on, exactly, heights, reads_as, traces
from tests.browser.people import FELIX, GRETA, LARKFIELD, MARLOW, NORA, PEBBLEBROOK, THEO, Person, Watch, arrives
from tests.browser.terminal import history
from tests.support.console import Console

NAMES = {"mau": "MAU", "storage": "Storage", "bandwidth": "Bandwidth", "emails": "Emails", "sms": "SMS"}
SHOWN = 13
READ_CELLS = "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => cell.innerText))"
PLACES = [(FELIX, LARKFIELD), (THEO, MARLOW), (GRETA, PEBBLEBROOK)]


def same_bars(page: Page, title: str, months: list[dict[str, Any]]) -> None:
    """The chart's bars are these months, whoever paid."""
    assert heights(page, title, "covered", SHOWN) == [month["covered"] for month in months]
    assert heights(page, title, "burned", SHOWN) == [month["burned"] for month in months]
    unpaid = [month["uncovered"] + month["deficit"] for month in months]
    assert heights(page, title, "uncovered", SHOWN) == unpaid


def same_rows(table: Locator, months: list[dict[str, Any]]) -> None:
    """The table's rows are these months, the newest first, as figures are printed."""
    heads = table.locator("thead th").all_inner_texts()[5:]
    rows = table.locator("tbody tr").evaluate_all(READ_CELLS)
    assert len(rows) == len(months)
    for (used, included, plan, credits, *unpaid), month in zip(rows, reversed(months), strict=True):
        assert reads_as(used, month["used"])
        assert included == "unlimited" if month["allowance"] is None else reads_as(included, month["allowance"])
        assert reads_as(plan, month["covered"])
        assert reads_as(credits, month["burned"])
        told = {head.lower(): cell for head, cell in zip(heads, unpaid, strict=True)}
        assert all(reads_as(told.get(name, "0"), month[name]) for name in ("uncovered", "deficit"))


def balances(person: Person, address: str) -> dict[str, Any]:
    """Balances by metric, as the API tells them."""
    return {one["metric"]: one for one in person.asks(f"/organizations/{address}/balances")["items"]}


@pytest.mark.parametrize(("who", "where"), PLACES)
def test_the_overview_shows_what_the_api_says(watch: Watch, console: Console, who: str, where: str) -> None:
    person, address = watch.signed_in(who), where.removeprefix("/o/")
    overview, told = person.opens(where), balances(watch.signed_in(who), address)
    for metric, name in NAMES.items():
        row = overview.get_by_role("row").filter(has=overview.get_by_role("link", name=name, exact=True))
        used, left = row.locator(".meter-used .figure"), row.locator(".meter-left .figure")
        assert exactly(used) == told[metric]["used"]
        assert exactly(left) == told[metric]["credits"]
        assert reads_as(used.inner_text(), told[metric]["used"])
        assert reads_as(left.inner_text(), told[metric]["credits"])
        state = {"ok": "Within plan", "using_credits": "Using credits", "blocked": "Blocked"}[told[metric]["state"]]
        expect(row.locator(".meter-state")).to_have_text(state)
    title = overview.get_by_role("heading", level=2, name=re.compile(" by month$")).inner_text()
    metric = next(metric for metric, name in NAMES.items() if title == f"{name} by month")
    same_bars(overview, title, history(console, address)[metric][-SHOWN:])


@pytest.mark.parametrize(
    ("who", "where", "metrics"),
    [(FELIX, LARKFIELD, ("mau", "emails")), (THEO, MARLOW, tuple(NAMES)), (GRETA, PEBBLEBROOK, ("storage", "sms"))],
)
def test_the_usage_page_shows_what_history_says(
    watch: Watch, console: Console, who: str, where: str, metrics: tuple[str, ...]
) -> None:
    address = where.removeprefix("/o/")
    usage, told = watch.signed_in(who).opens(f"{where}/usage"), history(console, address)
    for metric in metrics:
        name = NAMES[metric]
        usage.get_by_role("radiogroup", name="Metric").get_by_role("radio", name=name, exact=True).click()
        expect(usage.get_by_role("heading", name=f"{name} by month")).to_be_visible()
        arrives(usage)
        months = told[metric][-SHOWN:]
        same_bars(usage, f"{name} by month", months)
        figures = usage.locator(".stats .figure")
        assert exactly(figures.nth(0)) == months[-1]["used"]
        assert exactly(figures.nth(1)) == months[-1]["covered"]
        assert exactly(figures.nth(2)) == months[-1]["burned"]
        same_rows(usage.get_by_role("table", name=f"{name} by month"), months)


def test_history_is_the_same_from_the_command_line_and_over_the_api(watch: Watch, console: Console) -> None:
    told = watch.signed_in(FELIX).asks("/organizations/larkfield-maps/history?metric=mau")["items"]
    assert sorted(told, key=lambda month: month["period"]) == history(console, "larkfield-maps")["mau"]


def test_a_click_on_a_month_shows_its_days_and_they_add_up(watch: Watch, console: Console) -> None:
    usage = watch.signed_in(NORA).opens(f"{LARKFIELD}/usage?metric=emails")
    months = history(console, "larkfield-maps")["emails"][-SHOWN:]
    for place in (SHOWN - 2, SHOWN - 4):
        clicks_on(usage, "Emails by month", place)
        usage.wait_for_url(f"**/usage?metric=emails&month={months[place]['start'][:10]}")
        expect(usage.locator(".stats .figure").first).to_have_attribute(
            "title", re.compile(f"^{months[place]['used']:,} ")
        )
        title = usage.get_by_role("heading", level=2, name=re.compile(" by day$")).inner_text()
        days = traces(usage, title)
        assert sum(days["hover"]["y"]) == months[place]["used"]


def test_the_balance_is_the_same_on_the_credits_page_explained_and_over_the_api(watch: Watch) -> None:
    felix = watch.signed_in(FELIX)
    left = balances(felix, "larkfield-maps")["mau"]["credits"]
    credits = felix.opens(f"{LARKFIELD}/credits?metric=mau")
    assert exactly(credits.locator(".figure.hero")) == left
    explain = felix.opens(f"{LARKFIELD}/credits/explain?metric=mau")
    equation = explain.get_by_role("paragraph").filter(has_text="granted")
    expect(equation).to_have_text(re.compile(rf"=\s*{left:,}\s*MAU credits left"))
