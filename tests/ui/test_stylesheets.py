"""One meaning for each name of the stylesheets: a second rule under a name changes a part that nobody looks at."""

from __future__ import annotations

import re
from collections import Counter

from billing_app.locations import ROOT
from billing_app.ui.frame.theme import COLOURS
from billing_app.ui.kit.charts.palette import HUES

SHEETS = ("billing.css", "operator.css", "plan.css")

RADIX = {
    "amber", "blue", "bronze", "brown", "crimson", "cyan", "gold", "grass", "gray", "green", "indigo", "iris", "jade",
    "lime", "mauve", "mint", "olive", "orange", "pink", "plum", "purple", "red", "ruby", "sage", "sand", "sky", "slate",
    "teal", "tomato", "violet", "yellow",
}  # fmt: skip
"""All scales that Radix has."""


def rules(text: str) -> list[tuple[str, str]]:
    """Selectors and declarations outside of conditions; comments are no part of them."""
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    without = re.sub(r"@(?:media|keyframes)[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", bare)
    found = re.findall(r"([^{}]+)\{([^{}]*)\}", without)
    return [(one.strip(), body) for names, body in found for one in names.split(",")]


def test_every_name_has_one_meaning() -> None:
    said = Counter(
        (selector, declaration.partition(":")[0].strip())
        for sheet in SHEETS
        for selector, body in rules((ROOT / "assets" / sheet).read_text())
        for declaration in body.split(";")
        if ":" in declaration
    )
    assert [each for each, times in said.items() if times > 1 and not each[1].startswith("--")] == []


def test_two_meanings_would_be_seen() -> None:
    twice = rules(".answers { margin: 0; } @media (x) { .answers { margin: 1px; } } .wizard, .answers { margin: 2px; }")
    assert [selector for selector, _ in twice].count(".answers") == 2


def test_no_component_has_values_by_width() -> None:
    """Radix' rules for those are left out of the built pages (launcher/frontend.py)."""
    sources = [*(ROOT / "billing_app" / "ui").rglob("*.py"), ROOT / "rxconfig.py"]
    assert len(sources) > 100
    by_width = re.compile(r"breakpoints|\b(?:mobile|tablet|desktop)_(?:only|and)|\b(?:xs|sm|md|lg|xl):", re.IGNORECASE)
    assert [file.name for file in sources if by_width.search(file.read_text())] == []


def test_every_scale_that_is_used_is_loaded_and_no_other() -> None:
    """What is drawn in a colour that no stylesheet has would be transparent."""
    said = "".join((ROOT / "assets" / sheet).read_text() for sheet in SHEETS)
    code = "".join(file.read_text() for file in (ROOT / "billing_app" / "ui").rglob("*.py"))
    named = re.findall(r"var\(--([a-z]+)-a?\d", said + code)
    named += re.findall(r"data-accent-color=\"([a-z]+)\"", said)
    for value in re.findall(r"(?:color_scheme|ACCENT, GRAY) ?= ?([^\n]*)", code):
        named += re.findall(r"\"([a-z]+)\"", value)
    used = {name for name in named if name in RADIX} | {*HUES}
    assert used == {*COLOURS}
    assert len(COLOURS) == len({*COLOURS})
