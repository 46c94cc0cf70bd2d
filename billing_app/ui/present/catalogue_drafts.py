"""An edit of the catalogue as a document: reading and changing one place of it. The given document is never changed."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from billing_app.ui.present.catalogue_grids import Document, Path, Place
from billing_app.ui.present.catalogue_values import Kind, typed


def value_at(document: Document, path: Path | None) -> Any:
    """What lies there; None for nothing. In a list of names the last part of a path asks whether it is in."""
    found: Any = document
    for part in path or ():
        if isinstance(found, list) and isinstance(part, str):
            return part in found
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            return None
    return found


def changed(document: Document, place: Place, text: str) -> dict[str, Any]:
    """The document with what somebody typed there."""
    draft = deepcopy(dict(document))
    if place.spec.kind is Kind.STILL:
        return draft
    *way, last = place.path
    holder: Any = draft
    for part in way:
        holder = holder[part]
    value = typed(text, place.spec)
    if isinstance(holder, list) and isinstance(last, str):
        _switch(draft, holder, last, on=bool(value))
    elif last == "retired" and not value:
        holder.pop("retired", None)
    else:
        holder[last] = value
    return draft


def _switch(draft: dict[str, Any], names: list[str], name: str, *, on: bool) -> None:
    """Puts a metric into a list or takes it out, in the catalogue's order."""
    order = [metric["id"] for metric in draft["metrics"]]
    wanted = (set(names) - {name}) | ({name} if on else set())
    names[:] = sorted(wanted, key=order.index)


def without(document: Document, key: str, at: int) -> dict[str, Any]:
    """The document without one item of a list."""
    draft = deepcopy(dict(document))
    if key in ("packs", "token_rates", "plans") and 0 <= at < len(draft.get(key, ())):
        del draft[key][at]
    return draft


def with_pack(document: Document) -> dict[str, Any]:
    """The document with one pack more, which nobody can buy before it was looked at."""
    draft = deepcopy(dict(document))
    metric = draft["metrics"][0]
    draft["packs"].append(
        {
            "id": _free(f"{metric['id']}-new", {pack["id"] for pack in draft["packs"]}),
            "metric": metric["id"],
            "quantity": 1_000 * metric["factor"],
            "price_cents": 1_000,
            "interval": "once",
            "public": False,
        }
    )
    return draft


def with_plan(document: Document) -> dict[str, Any]:
    """The document with one plan more: a copy of the last, not public and nobody's default."""
    draft = deepcopy(dict(document))
    plan = deepcopy(draft["plans"][-1])
    plan |= {
        "plan": _free("new-plan", {each["plan"] for each in draft["plans"]}),
        "name": "New plan",
        "stripePlanId": None,
        "default": False,
        "public": False,
    }
    plan.pop("retired", None)
    draft["plans"].append(plan)
    return draft


def with_rate(document: Document) -> dict[str, Any]:
    """The document with a rate for the first metric that has none."""
    draft = deepcopy(dict(document))
    held = {rate["metric"] for rate in draft["token_rates"]}
    for metric in draft["metrics"]:
        if metric["id"] not in held:
            draft["token_rates"].append({"metric": metric["id"], "tokens": 1, "quantity": metric["factor"]})
            break
    return draft


def _free(name: str, taken: set[str]) -> str:
    number = 2
    chosen = name
    while chosen in taken:
        chosen, number = f"{name}-{number}", number + 1
    return chosen
