"""Which of Stripe's operations our gateways call, read from their source."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import stripe

from billing_app import gateways
from billing_app.gateways.stripe.connection import READS
from tests.support.source import dotted

CLIENT = "self._v1."
"""What the connection calls the SDK's services."""


def operations() -> set[str]:
    """Their names as in the SDK, such as `checkout.sessions.create`."""
    (folder,) = gateways.__path__
    found: set[str] = set(READS)
    for file in sorted(Path(folder).rglob("*.py")):
        found.update(used(file.read_text(encoding="utf-8")))
    return found


def used(source: str) -> Iterator[str]:
    """Those of one module, called or handed on. Raises AttributeError for one that the SDK does not have."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            chains = list(_chains(function))
            services = {
                target.id: dotted(node.value)
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and dotted(node.value).startswith(CLIENT)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for chain in chains:
                root, _, rest = chain.partition(".")
                whole = f"{services[root]}.{rest}" if root in services else chain
                if whole.startswith(CLIENT) and _is_operation(whole.removeprefix(CLIENT)):
                    yield whole.removeprefix(CLIENT)
                elif whole.startswith(CLIENT):
                    assert chain in services.values(), f"{function.name} hands {chain} on, which cannot be followed"


def _is_operation(name: str) -> bool:
    return inspect.ismethod(attrgetter(name)(stripe.StripeClient("sk_test_of_nobody").v1))


def _chains(function: ast.FunctionDef) -> Iterator[str]:
    """Dotted names that are not part of a longer one."""
    inner = {id(node.value) for node in ast.walk(function) if isinstance(node, ast.Attribute)}
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and id(node) not in inner and dotted(node):
            yield dotted(node)
