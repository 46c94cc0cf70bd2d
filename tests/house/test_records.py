"""One record for a fact (decision 25): no schema of the API repeats a record of the services."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from billing_app.locations import ROOT

PACKAGE = ROOT / "billing_app"

DIFFERENT = {
    "AffectedAnswer": "its changes are the domain's own, each with a kind that the API says as text",
    "ChoicesAnswer": "the record is what is sent, too",
    "ConvertedAnswer": "its grants are stored rows",
    "ExplainAnswer": "its steps are flattened: a step's period and label are objects to a page",
    "GivenAnswer": "made from a stored row; the record is an order to make one",
    "OfferAnswer": "currencies are small letters on the wire",
    "PaidGrantAnswer": "made from a stored row; the record is an order to make one",
    "RecountedAnswer": "made from a count that a recount goes on adding to",
    "RedeemedAnswer": "its grants are stored rows",
    "SavedAnswer": "its changes are the domain's own",
    "VersionAnswer": "its changes are the domain's own",
}
"""Schemas that have all the names of a record and say something else, and what."""

FEWEST = 3
"""Fields that two classes share by chance."""


def classes(folder: str, pattern: str = "*.py") -> Iterator[tuple[Path, ast.ClassDef]]:
    for path in sorted((PACKAGE / folder).rglob(pattern)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield path, node


def fields_of(node: ast.ClassDef) -> set[str]:
    return {
        each.target.id for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }


def is_record(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(each) for each in node.decorator_list)


def test_no_schema_repeats_a_record() -> None:
    records = {node.name: fields_of(node) for _, node in classes("services") if is_record(node)}
    repeated = {
        node.name: name
        for _, node in classes("api", "*schemas*.py")
        if node.name.endswith("Answer")
        for name, fields in records.items()
        if len(fields_of(node)) >= FEWEST and fields_of(node) <= fields
    }
    assert set(repeated) == set(DIFFERENT), "answer with the record itself (decision 25), or say here what differs"


def test_no_two_records_are_the_same() -> None:
    found: dict[frozenset[str], list[str]] = {}
    for path, node in classes("services"):
        if is_record(node) and len(fields_of(node)) >= FEWEST:
            annotated = frozenset(ast.unparse(each) for each in node.body if isinstance(each, ast.AnnAssign))
            found.setdefault(annotated, []).append(f"{path.relative_to(PACKAGE)}: {node.name}")
    assert [names for names in found.values() if len(names) > 1] == []
