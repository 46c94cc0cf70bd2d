"""Reading what pages show: the figures behind a chart, and numbers as they are printed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from playwright.sync_api import Locator, Page, expect

UNITS = {"": 1, "MB": 10**6, "GB": 10**9, "TB": 10**12}
PRINTED = re.compile(r"(-?[\d,]+(?:\.\d+)?)(?: ([MGT]B))?")
READ_TRACES = """plot => Object.fromEntries(
    plot.data.map(trace => [trace.name, {x: [...trace.x], y: [...trace.y]}])
)"""
PLACE_OF = """(plot, place) => {
    const {xaxis, yaxis} = plot._fullLayout;
    return {x: xaxis._offset + xaxis.l2p(place), y: yaxis._offset + yaxis._length - 4};
}"""


def panel(page: Page, title: str) -> Locator:
    """The panel with a chart of this title."""
    titled = page.get_by_role("heading", level=2, name=title, exact=True)
    return page.locator("section.panel").filter(has=titled)


def plot(page: Page, title: str) -> Locator:
    """A chart, drawn."""
    drawn = panel(page, title).locator(".js-plotly-plot")
    expect(drawn.locator(".main-svg").first).to_be_visible()
    return drawn


def traces(page: Page, title: str) -> dict[str, Any]:
    """The figures of a chart by trace, as Plotly has them."""
    return plot(page, title).evaluate(READ_TRACES)


def heights(page: Page, title: str, name: str, months: int) -> list[int]:
    """A chart's bars in base units; the unit stands beside the title. A trace that is all zero is left out."""
    found = traces(page, title).get(name)
    if found is None:
        return [0] * months
    step = UNITS[unit_beside(page, title)]
    return [round((height or 0) * step) for height in found["y"]]


def unit_beside(page: Page, title: str) -> str:
    """The unit of the axis, as the words beside a chart's title name it; empty for counts."""
    named = re.search(r"\b([MGT]B)\b", panel(page, title).locator("small").first.inner_text())
    return named[1] if named else ""


def clicks_on(page: Page, title: str, place: int) -> None:
    """Clicks on a bar of a chart."""
    drawn = plot(page, title)
    drawn.click(position=drawn.evaluate(PLACE_OF, place))


def reads_as(text: str, quantity: int) -> bool:
    """Whether a printed figure ("13.2 GB", "10,606") is this quantity, rounded to what is printed."""
    printed = PRINTED.fullmatch(text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-").strip())
    assert printed is not None, text
    number = Decimal(printed[1].replace(",", ""))
    half = Decimal(1).scaleb(-max(0, -int(number.as_tuple().exponent))) / 2
    return abs(Decimal(quantity) / UNITS[printed[2] or ""] - number) <= half


def exactly(figure: Locator) -> int:
    """The exact figure that is shown on hover: "13,240,800,000 bytes"."""
    return int(re.sub(r"[^\d-]", "", str(figure.get_attribute("title")).replace("\N{MINUS SIGN}", "-")))
