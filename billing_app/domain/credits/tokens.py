"""How a conversion is shared out over the token grants that pay for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from billing_app.domain.credits.facts import Grant


@dataclass(frozen=True, slots=True)
class Piece:
    """`tokens` tokens of `grant` become `quantity` base units. `paid_cents` is what was paid for them.

    Of a paid grant `paid_cents` is at least 1, so that what becomes of it is of the paid kind, too.
    """

    grant: Grant
    tokens: int
    quantity: int
    paid_cents: int


def pieces(left: Iterable[tuple[Grant, int]], tokens: int, quantity: int) -> tuple[Piece, ...]:
    """Takes `tokens` tokens from grants in the given order (grant, what is left of it), and shares `quantity` out.

    In proportion to the tokens, rounded down in total after each grant: nothing is lost, and a piece may get 0. There
    must be enough left.
    """
    found: list[Piece] = []
    used = given = 0
    for grant, available in left:
        part = min(available, tokens - used)
        if not part:
            continue
        used += part
        shared = quantity * used // tokens
        paid = max(1, grant.paid_cents * part // grant.quantity) if grant.paid_cents else 0
        found.append(Piece(grant, part, shared - given, paid))
        given = shared
    return tuple(found)
