"""An edit of the catalogue as a document: reading and changing one place of it. The given document is never changed.

Plans say something of every feature and metric, packs, actions and rates name metrics: an id that is typed anew is
followed there, and what is taken out goes from there, too. All of it shows in the edit's changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from billing_app.domain.catalogue import Hue
from billing_app.domain.catalogue.changes import IDENTITIES
from billing_app.ui.kit.values import Kind, typed
from billing_app.ui.operators.catalogue.grids import Document, Path, Place, factor

Draft = dict[str, Any]


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


def changed(document: Document, place: Place, text: str) -> Draft:
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
    elif place.path[0] in ("metrics", "features") and last == "id":
        _rename(draft, str(place.path[0]), holder, str(value))
    else:
        holder[last] = value
    if last == "default" and value:
        for plan in draft["plans"]:
            plan["default"] = plan is holder  # exactly one plan is
    return draft


def without(document: Document, key: str, at: int) -> Draft:
    """The document without one item of a list, and without what can't be without it."""
    draft = deepcopy(dict(document))
    if key not in IDENTITIES or not 0 <= at < len(draft.get(key, ())):
        return draft
    gone = draft[key].pop(at).get("id")
    if key == "metrics":
        for named in ("packs", "token_rates"):
            draft[named] = [each for each in draft[named] if each.get("metric") != gone]
        for action in draft["actions"]:
            action["metrics"] = [metric for metric in action["metrics"] if metric != gone]
    return _fitted(draft)


def earlier(document: Document, key: str, at: int) -> Draft:
    """The document with one item of a list a place further to the front."""
    draft = deepcopy(dict(document))
    if key in IDENTITIES and 0 < at < len(draft.get(key, ())):
        draft[key].insert(at - 1, draft[key].pop(at))
    return draft


def with_one_more(document: Document, key: str) -> Draft:
    """The document with one item more in a list; nobody can see or buy it before it was looked at."""
    draft = deepcopy(dict(document))
    made = {
        "plans": _plan, "packs": _pack, "metrics": _metric, "features": _feature, "actions": _action,
        "token_rates": _rate,
    }[key](draft)  # fmt: skip
    if made:
        draft[key].append(made)
    return _fitted(draft)


def _switch(draft: Draft, names: list[str], name: str, *, on: bool) -> None:
    """Puts a metric into a list or takes it out, in the catalogue's order."""
    order = [metric["id"] for metric in draft["metrics"]]
    wanted = (set(names) - {name}) | ({name} if on else set())
    names[:] = sorted(wanted, key=order.index)


def _rename(draft: Draft, key: str, item: Draft, name: str) -> None:
    """Another id, also where the old one is named. One that is taken already is a mistake, and followed nowhere."""
    old, ids = item["id"], [each["id"] for each in draft[key]]
    item["id"] = name
    if name and ids.count(old) == 1 and name not in ids:
        for plan in draft["plans"]:
            held = plan["features" if key == "features" else "included"]
            if old in held:
                held[name] = held.pop(old)
        if key == "metrics":
            for each in (*draft["packs"], *draft["token_rates"]):
                each["metric"] = name if each["metric"] == old else each["metric"]
            for action in draft["actions"]:
                action["metrics"] = [name if metric == old else metric for metric in action["metrics"]]
    _fitted(draft)


def _fitted(draft: Draft) -> Draft:
    """Every plan says something of every feature and metric: no, and none, unless it says otherwise already."""
    for plan in draft["plans"]:
        for named, key, absent in (("features", "features", False), ("included", "metrics", 0)):
            held = plan[named]
            plan[named] = {each["id"]: held.get(each["id"], absent) for each in draft[key] if each["id"]}
    return draft


def _pack(draft: Draft) -> Draft:
    metric = draft["metrics"][0]
    return {
        "id": _free(f"{metric['id']}-new", draft, "packs"),
        "metric": metric["id"],
        "quantity": 1_000 * factor(metric),
        "price_cents": 1_000,
        "interval": "once",
        "public": False,
    }


def _plan(draft: Draft) -> Draft:
    """A copy of the last, not public and nobody's default."""
    plan = deepcopy(draft["plans"][-1])
    plan |= {
        "plan": _free("new-plan", draft, "plans"),
        "name": "New plan",
        "stripePlanId": None,
        "default": False,
        "public": False,
    }
    plan.pop("retired", None)
    return plan


def _metric(draft: Draft) -> Draft:
    taken = {metric.get("hue") for metric in draft["metrics"]}
    return {
        "id": _free("new-metric", draft, "metrics"),
        "name": "New metric",
        "caption": "counted",
        "aggregation": "sum",
        "unit": "units",
        "display_unit": "units",
        "factor": 1,
        "price_per": 1,
        "hue": next((hue.value for hue in Hue if hue.value not in taken), Hue.BLUE.value),
        "icon": "activity",
        "deficit": "forgive",
        "refund_shortfall": "debt",
    }


def _feature(draft: Draft) -> Draft:
    return {"id": _free("newFeature", draft, "features"), "name": "New feature", "description": "What it does."}


def _action(draft: Draft) -> Draft:
    return {"id": _free("new_action", draft, "actions"), "name": "New action", "metrics": [draft["metrics"][0]["id"]]}


def _rate(draft: Draft) -> Draft | None:
    """A rate for the first metric that has none."""
    held = {rate["metric"] for rate in draft["token_rates"]}
    free = next((metric for metric in draft["metrics"] if metric["id"] not in held), None)
    return free and {"metric": free["id"], "tokens": 1, "quantity": factor(free)}


def _free(name: str, draft: Draft, key: str) -> str:
    """The name, or with a number behind it where it is taken."""
    taken, number, chosen = {each[IDENTITIES[key]] for each in draft[key]}, 2, name
    while chosen in taken:
        chosen, number = f"{name}-{number}", number + 1
    return chosen
