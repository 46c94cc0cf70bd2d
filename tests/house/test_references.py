"""Whatever code, tests and docs cite is in the product's own docs: rules, fine points and laws of docs/credits.md,
decisions, pages and their sections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing_app.locations import ROOT

DOCS = ROOT / "docs"

NUMBERED = re.compile(
    r"\b(rule|fine point|law|decision)(?:s?)\s+(\d+(?:\s*(?:,|and|to|,\s*and)\s*\d+)*)", re.IGNORECASE
)
"""`rule 4`, `rules 9 and 10`, `fine points 6, 8 and 9`, `decision 17`."""

PAGE = re.compile(r"(?<![\w*{}<-])([A-Za-z0-9_./-]*[A-Za-z0-9_-]+\.md)\b(#[\w-]+)?")
"""`credits.md`, `docs/operations.md`, `decisions/0017-the-moment-of-a-lock.md`, `stripe.md#refunds`."""

SECTIONS = {"rule": "Rules", "fine point": "Fine points", "law": "Laws"}

READ = (".py", ".md", ".js", ".css", ".toml", ".json", ".html", ".mako", "")
"""Ends of the names of what is read."""

FOLDERS = (".ci", "assets", "benchmarks", "billing_app", "docs", "migrations", "packages", "tests")


def files() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            hidden = any(part in ("__pycache__", "external") for part in path.parts)
            if path.is_file() and path.suffix in READ and not hidden and path != Path(__file__):
                yield path
    yield from (path for path in sorted(ROOT.iterdir()) if path.is_file() and path.suffix in READ and path.suffix)


def numbers_of(section: str) -> set[int]:
    """The numbers that stand at the beginning of a line below a heading of docs/credits.md."""
    text = (DOCS / "credits.md").read_text(encoding="utf-8")
    below = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = [int(number) for number in re.findall(r"^(\d+)\. ", below, re.MULTILINE)]
    assert found == list(range(1, len(found) + 1)), f"{section} of docs/credits.md are not numbered from 1 on: {found}"
    return set(found)


def cited(text: str) -> Iterator[tuple[str, int]]:
    """What a text cites by number, also over the end of a line of code or comment."""
    joined = re.sub(r"\n[\s#*/]*", " ", text)
    for kind, numbers in NUMBERED.findall(joined):
        found = [int(number) for number in re.findall(r"\d+", numbers)]
        through = re.fullmatch(r"\d+\s*to\s*\d+", numbers)
        yield from ((kind.lower(), each) for each in (range(found[0], found[1] + 1) if through else found))


@pytest.fixture(scope="module")
def known() -> dict[str, set[int]]:
    decisions = {int(path.name[:4]) for path in (DOCS / "decisions").glob("[0-9]*.md")}
    return {kind: numbers_of(section) for kind, section in SECTIONS.items()} | {"decision": decisions}


def test_every_number_that_is_cited_is_in_the_docs(known: dict[str, set[int]]) -> None:
    lost = [
        f"{path.relative_to(ROOT)}: {kind} {number}"
        for path in files()
        for kind, number in cited(path.read_text(encoding="utf-8", errors="replace"))
        if number not in known[kind]
    ]
    assert lost == []


def test_every_page_that_is_cited_is_there() -> None:
    lost = []
    for path in files():
        for page, anchor in PAGE.findall(path.read_text(encoding="utf-8", errors="replace")):
            places = [place for place in (path.parent / page, ROOT / page, DOCS / page) if place.is_file()]
            if not places:
                lost.append(f"{path.relative_to(ROOT)}: {page}")
            elif anchor and anchor[1:] not in anchors(places[0]):
                lost.append(f"{path.relative_to(ROOT)}: {page}{anchor}")
    assert lost == []


FILE = re.compile(r"(?<![\w*{}<-])((?:[a-z_]+/)+[a-z_0-9]+\.py)\b")
"""`services/usage/recounts.py`, as pages cite a module: from the repository, the package, or their own folder."""


def test_every_module_that_a_page_cites_is_there() -> None:
    lost = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files()
        if path.suffix == ".md" and path.name != "CHANGELOG.md"
        for module in FILE.findall(path.read_text(encoding="utf-8"))
        if not any(
            (place / module).is_file()
            for place in (ROOT, ROOT / "billing_app", path.parent, path.parent / "fake_stripe")
        )
    ]
    assert lost == []


def anchors(page: Path) -> set[str]:
    """What links can point at in a page: its headings, as they are spelled in addresses."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


SECTION = re.compile(r"\b([a-z_]+\.md), ([A-Z][A-Za-z ]+[a-z])")
"""`credits.md, Gift cards and tokens`."""


def sections(page: Path) -> tuple[str, ...]:
    """Its headings, and paragraphs that begin with a name in bold."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    return tuple(re.findall(r"^(?:#+ |\*\*)([^*\n.]+)", text, re.MULTILINE))


def test_every_section_that_is_cited_is_there() -> None:
    lost = []
    for path in files():
        joined = re.sub(r"\n[\s#*/]*", " ", path.read_text(encoding="utf-8", errors="replace"))
        for page, section in SECTION.findall(joined):
            if not section.startswith(sections(DOCS / page) or ("\0",)):
                lost.append(f"{path.relative_to(ROOT)}: {page}, {section}")
    assert lost == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(rules 9 and 10)", [("rule", 9), ("rule", 10)]),
        ("fine points 6, 8 and 9", [("fine point", 6), ("fine point", 8), ("fine point", 9)]),
        ("as fine point\n    # 17 says", [("fine point", 17)]),
        ("decisions 17 to 19", [("decision", 17), ("decision", 18), ("decision", 19)]),
        ("Law 2", [("law", 2)]),
    ],
)
def test_what_is_cited_is_recognized(text: str, found: list[tuple[str, int]]) -> None:
    assert list(cited(text)) == found


@pytest.mark.parametrize(
    "name",
    ["billing_app/domain/credits/README.md", "billing_app/domain/credits/engine.py", "docs/credits.md", "CHANGELOG.md",
     "tests/scenarios/fine-12-a-reservation-holds-a-day.json", "packages/fake_stripe/README.md",
     "docs/decisions/0001-rooms.md"],
)  # fmt: skip
def test_every_sort_of_file_is_read(name: str) -> None:
    assert ROOT / name in set(files())
