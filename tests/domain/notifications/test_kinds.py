"""The registry of events: complete, consistent, and what docs/notifications.md says."""

from __future__ import annotations

import json
import re

from billing_app.domain.notifications.kinds import KINDS, TEST, kind, kind_ids
from billing_app.locations import ROOT

WRITTEN = re.compile(r'"((?:metric|plan|credits|purchase|recurring_pack|top_up)\.[a-z_]+)"')


def test_every_kind_that_is_written_is_in_the_registry() -> None:
    """One that is not would be delivered to nobody."""
    written = set()
    for path in (ROOT / "billing_app" / "services").rglob("*.py"):
        text = path.read_text()
        if "outbox.add(" in text:
            written |= set(WRITTEN.findall(text))
    assert len(written) >= 6
    assert written - set(kind_ids()) == set()


def test_kinds_are_said_once_and_whole() -> None:
    assert len(set(kind_ids())) == len(KINDS)
    assert len({each.title for each in KINDS}) == len(KINDS)
    for each in KINDS:
        assert each.example.keys() <= each.fields.keys(), each.id
        assert each.description.endswith("."), each.id
        assert kind(each.id) is each
        json.dumps(each.example)
    assert TEST not in kind_ids()


def test_the_document_lists_every_kind_with_its_example() -> None:
    document = (ROOT / "docs" / "notifications.md").read_text()
    said = re.findall(r"^### `([a-z_.]+)`$", document, re.MULTILINE)
    assert said == list(kind_ids())
    for each in KINDS:
        section = document.split(f"### `{each.id}`")[1].split("\n### ")[0]
        assert each.description in section, each.id
        assert json.loads(section.split("```json\n")[1].split("```")[0]) == each.example, each.id
        for name, meaning in each.fields.items():
            assert f"| `{name}` | {meaning} |" in section, f"{each.id} {name}"
        assert ("Mailed by default." in section) == each.mailed, each.id
