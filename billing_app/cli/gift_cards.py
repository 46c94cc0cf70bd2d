"""`billing gift-card`: codes that become credits."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer

from billing_app import clock, wiring
from billing_app.cli.printing import ACTOR, AsJson, moment, number, print_done, print_items, print_json
from billing_app.domain.common.errors import InvalidError
from billing_app.services.credits import gift_cards
from billing_app.services.credits.views_cards import GiftCardAnswer

app = typer.Typer(no_args_is_help=True)

PAGE = 500
"""Cards read at once."""

CardId = Annotated[str, typer.Argument(help="the card's id, as `billing gift-card list` shows it; not its code")]


@app.command("list")
def list_cards(as_json: AsJson = False) -> None:
    """List gift cards, the newest first. Their codes are not stored.

    Example: billing gift-card list
    """
    items: list[dict[str, Any]] = []
    with wiring.database().reading() as session:
        page = gift_cards.page(session, clock.now(), PAGE)
        while page:
            items += [_item(card) for card in page]
            page = gift_cards.page(session, clock.now(), PAGE, page[-1].id)
    print_items(items, ("id", "name", "hint", "contents", "redemptions", "expires_at", "state"), as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="what the customer reads when redeeming it")],
    holds: Annotated[list[str], typer.Option("--holds", help="METRIC=QUANTITY in base units; may be repeated")],
    count: Annotated[int, number("how many cards")] = 1,
    redemptions: Annotated[int, number("how many organizations may redeem each")] = 1,
    until: Annotated[str, typer.Option(help="the day from which they can't be redeemed; default: none")] = "",
    as_json: AsJson = False,
) -> None:
    """Make gift cards and print their codes, one a line. They are shown this once and cannot be shown again.

    Example: billing gift-card create "Welcome" --holds mau=5000 --holds token=10 --count 20
    """
    with wiring.database().writing() as session:
        made = gift_cards.create(
            session, name, _contents(holds), clock.now(),
            count=count, max_redemptions=redemptions, expires_at=moment(until), actor=ACTOR,
        )  # fmt: skip
    if as_json:
        print_json({"items": [_item(card) for card in made]})
        return
    print("Keep them safe, they are not shown again.", file=sys.stderr)
    for card in made:
        print(card.code)


@app.command()
def void(
    card: CardId, reason: Annotated[str, typer.Option("--reason", help="why; it is kept")], as_json: AsJson = False
) -> None:
    """End a card. What was redeemed stays.

    Example: billing gift-card void 019a3c5e-7d1f-7b52-8a55-2f6c1d9be001 --reason "lost in the post"
    """
    with wiring.database().writing() as session:
        voided = gift_cards.void(session, _uuid(card), reason, clock.now(), actor=ACTOR)
    print_done(_item(voided), f"{voided.name} ({voided.hint}) can no longer be redeemed.", as_json=as_json)


@app.command()
def redemptions(card: CardId, as_json: AsJson = False) -> None:
    """List who redeemed a card.

    Example: billing gift-card redemptions 019a3c5e-7d1f-7b52-8a55-2f6c1d9be001
    """
    with wiring.database().reading() as session:
        items = [asdict(each) for each in gift_cards.redemptions(session, _uuid(card), PAGE)]
    print_items(items, ("address", "name", "redeemed_at", "actor"), as_json=as_json)


def _contents(holds: list[str]) -> dict[str, int]:
    found = [_content(each) for each in holds]
    if len(dict(found)) != len(found):
        raise InvalidError("A card holds each metric once: say its whole quantity.", code="invalid_contents")
    return dict(found)


def _content(text: str) -> tuple[str, int]:
    metric, _, quantity = text.partition("=")
    if not metric or not (quantity.isascii() and quantity.isdigit()):
        raise InvalidError(f"{text!r} is not METRIC=QUANTITY, such as mau=5000.", code="invalid_contents")
    return metric, int(quantity[:20])  # what is longer is refused for its size


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidError(f"{text!r} is not the id of a card.", code="invalid_id") from None


def _item(card: GiftCardAnswer) -> dict[str, Any]:
    return asdict(card)
