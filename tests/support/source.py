"""Reading our own source, for tests of what it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

VIEWS = re.compile(r"billing_app\.services\.(\w+\.)+views(_\w+)?(\.|$)")
"""Modules of frozen records: what a service answers."""

TEXT_MAY = {
    "organizations/text": "billing_app.services.common.audit_words",
    "organizations/profile_text": "billing_app.services.common.places",
}
"""The log's sentences are said once, for pages, API and command line; a place's clock needs the table of time zones."""


def dotted(node: ast.AST) -> str:
    """A dotted name such as `audit.record`; empty for anything else. `ast.unparse` would take most of such a test."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def imported(file: Path) -> Iterator[str]:
    """What a file imports: the modules, and each name from a module with its dots."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def wrong_in_pages(package: Path) -> list[str]:
    """What text and parts of pages must not import: import-linter has no names by their end.

    Text is made of records and values, without a framework. Parts are told what to show.
    """
    return [
        f"{'.'.join(file.relative_to(package.parent).with_suffix('').parts)} -> {name}"
        for file in sorted((package / "ui").rglob("*.py"))
        for name in imported(file)
        if (file.stem.endswith("text") and _is_no_text(f"{file.parent.name}/{file.stem}", name))
        or (file.stem.endswith("parts") and name.startswith("billing_app.services"))
    ]


def _is_no_text(place: str, name: str) -> bool:
    if name.partition(".")[0] == "reflex":
        return True
    allowed = VIEWS.match(name) or (place in TEXT_MAY and (name + ".").startswith(TEXT_MAY[place] + "."))
    return name.startswith("billing_app.services") and not allowed


class Function(NamedTuple):
    """A function, class or constant of ours: what of ours it names, and whether it changes rows itself."""

    names: set[str]
    writes: bool
    node: ast.stmt


WRITING = frozenset({"update", "delete", "insert", "upsert", "upsert_on"})
"""SQLAlchemy's statements and ours that change rows."""


def functions(package: Path) -> dict[str, Function]:
    """Every function, class and constant of a package, by its dotted name; whatever it names it may call."""
    found: dict[str, Function] = {}
    trees = {
        ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            file.read_text(encoding="utf-8")
        )
        for file in sorted(package.rglob("*.py"))
    }
    for module, tree in trees.items():
        here = {
            each.asname or each.name: f"{node.module}.{each.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(package.name)
            for each in node.names
        }
        tops = {name: node for node in tree.body if (name := _name_of(node))}
        here |= {name: f"{module}.{name}" for name in tops}
        for name, node in tops.items():
            used = {dotted(each) for each in ast.walk(node)} - {"", name}
            called = {dotted(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
            heads = [each.partition(".") for each in used]
            names = {here[head] + dot + rest for head, dot, rest in heads if head in here}
            added = any(each.endswith(("session.add", "session.add_all", "session.delete")) for each in called)
            found[f"{module}.{name}"] = Function(names, added or bool(called & WRITING), node)
    return {
        name: each._replace(names={known for full in each.names if (known := _known(full, found, trees))} - {name})
        for name, each in found.items()
    }


def _name_of(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _known(name: str, known: Mapping[str, Function], modules: Mapping[str, ast.Module]) -> str:
    """The function or class that a dotted name begins with; empty for a module or a constant."""
    while name and name not in known:
        name = name.rpartition(".")[0]
        if name in modules:
            return ""
    return name


def reaching(known: Mapping[str, Function], ends: Collection[str]) -> set[str]:
    """Whatever can come to one of `ends` by what it names."""
    found = more = set(ends)
    while more := {name for name, each in known.items() if name not in found and each.names & more}:
        found |= more
    return found
