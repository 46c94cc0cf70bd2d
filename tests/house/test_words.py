"""The words of the field are the words of the product: those that were given up do not come back.

Only what is gone is listed. Commit messages and CHANGELOG.md tell history in the words of its time and are not read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing_app.locations import ROOT

PRODUCT = ("billing_app", "packages")
TEXTS = (*PRODUCT, "benchmarks", "docs", "tests")

PARTS = {
    "around": "frame",
    "desk": "service",
    "desks": "services",
    "founder": "who creates",
    "hands": "manual changes",
    "jobvisit": "Context",
    "knock": "access",
    "lateness": "late usage",
    "sandbox": "fake Stripe",
    "shell": "frame",
    "takeback": "clawback",
    "takebacks": "clawbacks",
    "topped": "top-up",
    "unattended": "operator's session",
    "visit": "Context",
    "wording": "notification text",
}
"""Parts of names in the product, and what is said now."""

BELOW = ("billing_app/domain", "billing_app/store", "billing_app/services")

PARTS_BELOW = {
    "course": "timeline",
    "hands": "manual changes",
    "hindsight": "late facts",
    "outlook": "forecast",
    "spell": "past-due period",
    "spells": "past-due periods",
    "tell": "notify",
    "tells": "notifies",
    "told": "notified, sent",
    "trouble": "account issue",
}
"""Parts of names in the domain, the store and the services, beside those of all the product. Records of services are
answered as they are, so that a field of JSON keeps its name there."""

MODULES = {
    "alerts": "notifications",
    "around": "frame",
    "attempts": "sign_in_throttle",
    "bodies": "body_limits",
    "by_hand": "manual_changes",
    "catalog": "catalogue",
    "course": "timeline",
    "documented": "responses",
    "endings_told": "stripe_endings",
    "forgotten": "password_reset",
    "founding": "create",
    "handshakes": "websocket_guard",
    "hindsight": "late_facts",
    "hot_path": "fast_path",
    "leaving": "external_redirect",
    "links": "one_time_links",
    "nowhere": "not_found",
    "operating": "operators",
    "options": "features",
    "orgs": "organizations",
    "outlooks": "forecasts",
    "patience": "retries",
    "paying": "payers",
    "peaks": "reported_levels",
    "quiet": "ungranted_meters",
    "returned": "checkout_return",
    "running": "subscription_changes",
    "staging": "test_clocks",
    "troubles": "account_issues",
}
"""Names of modules and folders in the product, and what they are called now."""

PHRASES = {
    r"asked of nobody": "say who is asked",
    r"asks? for its owner": "requires authentication",
    r"by the operator\b": "operators",
    r"gone on with": "continued",
    r"hot[ -]path\b": "fast path",
    r"is no id\b": "is not an id",
    r"stand-in": "fake Stripe, or placeholder",
    r"whoever pays": "its payer",
}
"""Of code, comments, messages, docs and tests."""

OF_DOCS = {
    r"computed anew|made anew|written anew": "recomputed, created again, rewritten",
    r"desks?\b": "service",
    r"hindsight": "late facts",
    r"mend(ed|s)?\b": "fix",
    r"outlooks?\b": "forecast",
    r"spells?\b": "past-due period",
    r"takebacks?\b": "clawback",
    r"told (by|of|late|once)\b": "notified, recorded late, announced",
    r"troubles?\b": "account issue",
}
"""Of the written pages alone: names and comments in code still have some of these."""

SANDBOX = re.compile(
    r"_sandbox|sandbox_(unsupported|fault|settings)|sandbox\.(db|log|address|settings)|Stripe-Sandbox/|\"Sandbox\""
    r"|log\(\"sandbox\"\)|\"sandbox\": Command|`billing sandbox`|test mode \(a sandbox\)",
)
"""What keeps the word: addresses, codes, files and a command that are in use outside, and Stripe's own sandboxes."""


def sources(*folders: str, ends: tuple[str, ...] = (".py",)) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            skipped = {"__pycache__", "external"} & {*path.parts} or path in (Path(__file__), ROOT / "docs" / "api.md")
            if path.is_file() and path.suffix in ends and not skipped:
                yield path


def pages() -> Iterator[Path]:
    yield from (path for path in sources("docs", "packages", "billing_app", "tests", ends=(".md",)))
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))


def names(path: Path) -> set[str]:
    """Every name that a file gives to something of its own."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return found


def parts(name: str) -> list[str]:
    """`JobVisit` and `job_visit` are both `job`, `visit`."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def test_names_have_the_words_of_the_field() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}, say {PARTS[part]}"
        for path in sources(*PRODUCT)
        for name in sorted({*names(path), path.stem})
        for part in (*parts(name), name.lower())
        if part in PARTS
    ]
    assert found == []


def test_names_below_the_entry_points_have_them() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}, say {PARTS_BELOW[part]}"
        for path in sources(*BELOW)
        if not path.stem.startswith("views")
        for name in sorted({*names(path), path.stem})
        for part in parts(name)
        if part in PARTS_BELOW
    ]
    assert found == []


def test_modules_and_folders_have_them() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {place}, say {MODULES[place]}"
        for path in sources("billing_app")
        for place in (path.stem, *path.relative_to(ROOT / "billing_app").parts[:-1])
        if place in MODULES
    }
    assert found == set()


def said(text: str, phrases: dict[str, str]) -> Iterator[str]:
    """What a text says that it should not, also over the end of a line."""
    joined = re.sub(r"\n[\s#*]*|\"\s*\n\s*f?\"", " ", text)
    for phrase, instead in phrases.items():
        yield from (f"{match[0]!r}, say {instead}" for match in re.finditer(r"\b" + phrase, joined, re.IGNORECASE))


def test_sentences_have_them() -> None:
    files = [*sources(*TEXTS, ends=(".py", ".md")), *pages()]
    found = {f"{path.relative_to(ROOT)}: {each}" for path in files for each in said(path.read_text("utf-8"), PHRASES)}
    assert found == set()


def test_pages_have_them() -> None:
    found = {f"{path.relative_to(ROOT)}: {each}" for path in pages() for each in said(path.read_text("utf-8"), OF_DOCS)}
    assert found == set()


def test_the_fake_stripe_is_called_so() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in [*sources(*PRODUCT), *pages()]
        for line in path.read_text(encoding="utf-8").splitlines()
        if "sandbox" in SANDBOX.sub("", line).lower()
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a run that is gone\n    # on with", ["'gone on with', say continued"]),
        ("the hot-path", ["'hot-path', say fast path"]),
        ("Whoever pays", ["'Whoever pays', say its payer"]),
        ("the payer's part", []),
    ],
)
def test_what_is_said_is_recognized(text: str, found: list[str]) -> None:
    assert list(said(text, PHRASES)) == found
    assert parts("JobVisit_deskTop") == ["job", "visit", "desk", "top"]
