"""Reading our own source, for tests of what it says."""

from __future__ import annotations

import ast


def dotted(node: ast.AST) -> str:
    """A dotted name such as `audit.record`; empty for anything else. `ast.unparse` would take most of such a test."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""
