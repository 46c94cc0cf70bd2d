"""Entries of the audit log as sentences: who did what, and what changed. One place for pages, API and commands.

Entries keep names and figures as programs need them; nobody should have to read them so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlmodel import Session

from billing_app.domain.catalogue.model import TOKEN, Metric
from billing_app.domain.catalogue.quantities import format_size
from billing_app.domain.common.errors import UnavailableError
from billing_app.domain.common.money import format_money
from billing_app.services.catalogue import versions
from billing_app.services.common.audit_verbs import GRANTED, NAMES_ITS_PACK, NOBODY, OVERRIDDEN, PHRASES, VERBS
from billing_app.services.common.views import Entry

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$")
"""Moments as the log writes them down."""

LONGEST = 80
"""Characters of a value; what is longer is cut with an ellipsis."""

MOST_NAMES = 3
"""Of longer lists only the length is told."""


class Signs(Protocol):
    """How a reader's language writes figures and dates."""

    def size(self, metric: Metric, value: int) -> str:
        """A quantity with its unit."""
        ...

    def money(self, cents: int, currency: str) -> str:
        """An amount with its currency."""
        ...


class English:
    """Figures as commands and the API write them."""

    def size(self, metric: Metric, value: int) -> str:
        """A quantity with its unit."""
        return format_size(value, metric)

    def money(self, cents: int, currency: str) -> str:
        """An amount with its currency."""
        return format_money(cents, currency)


@dataclass(frozen=True, slots=True)
class AuditText:
    """An entry in words: `who` and `did` are the sentence, `details` what more there is to it."""

    who: str
    did: str
    details: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it, in one."""
        return f"{self.who} {self.did}{''.join(f', {each}' for each in self.details)}."


class Words:
    """Puts entries into words, with the catalogue's names of what they are about."""

    def __init__(self, metrics: tuple[Metric, ...] = (), currency: str = "usd", signs: Signs | None = None) -> None:
        """What the catalogue calls metrics, and the currency that the console sells in."""
        self._metrics = {metric.id: metric for metric in metrics}
        self._currency, self._signs = currency, signs or English()

    @classmethod
    def of(cls, session: Session, now: datetime) -> Words:
        """With what the catalogue says now; without one, ids stand for names."""
        try:
            current = versions.current(session, now)
        except UnavailableError:
            return cls()
        return cls((*current.metrics, TOKEN), current.currency)

    def text_of(self, entry: Entry) -> AuditText:
        """The entry as a sentence."""
        who = NOBODY.get(entry.actor, entry.who)
        say = _SAYINGS.get(entry.action) or _SAYINGS.get(f"{entry.action.partition('.')[0]}.") or Words._plainly
        did, details = say(self, entry)
        return AuditText(who, did, tuple(each for each in details if each))

    def _verb(self, entry: Entry) -> str:
        return VERBS.get(entry.action, entry.action.replace("_", " ").replace(".", " "))

    def _plainly(self, entry: Entry) -> tuple[str, Iterator[str]]:
        return f"{self._verb(entry)} {entry.subject}".strip(), self._changes(entry)

    def _alone(self, entry: Entry) -> tuple[str, Iterator[str]]:
        """Whose subject would only repeat who did it."""
        return self._verb(entry), self._changes(entry)

    def _role(self, entry: Entry) -> tuple[str, Iterator[str]]:
        old, new = entry.before.get("role"), entry.after.get("role")
        return f"changed the role of {entry.subject} from {_text(old)} to {_text(new)}", iter(())

    def _granted(self, entry: Entry) -> tuple[str, Iterator[str]]:
        """Credits came in by buying, renewing, topping up, and only sometimes by somebody's grant."""
        values = entry.after
        source = str(values.get("source"))
        verb = GRANTED.get(source, "granted")
        without = {"metric", "quantity", "source"} | ({"reason"} if source in NAMES_ITS_PACK else set())
        return f"{verb} {self._amount(values.get('metric'), values.get('quantity'))}", self._changes(entry, without)

    def _refunded(self, entry: Entry) -> tuple[str, Iterator[str]]:
        cents = entry.after.get("refunded_cents")
        what = f"refunded {self._money(cents)} of a grant" if isinstance(cents, int) else "refunded a grant"
        return what, self._of_grant(entry, {"refunded_cents"})

    def _disputed(self, entry: Entry) -> tuple[str, Iterator[str]]:
        status = str(entry.after.get("status", "opened"))
        what = "noted a dispute of a grant" if status == "opened" else f"noted that a dispute of a grant was {status}"
        return what, self._of_grant(entry, {"status"})

    def _voided(self, entry: Entry) -> tuple[str, Iterator[str]]:
        return "voided what was left of a grant", self._of_grant(entry, set())

    def _of_grant(self, entry: Entry, without: set[str]) -> Iterator[str]:
        yield from self._changes(entry, without)
        yield f"grant {entry.subject}"

    def _converted(self, entry: Entry) -> tuple[str, Iterator[str]]:
        tokens, quantity = entry.after.get("from"), entry.after.get("to")
        into = self._amount(entry.after.get("metric"), quantity)
        noun = "token" if tokens == 1 else "tokens"
        return f"converted {_figure(tokens)} {noun} into {into}", self._changes(entry, {"from", "to", "metric"})

    def _process(self, entry: Entry) -> tuple[str, Iterator[str]]:
        title = entry.after.get("title") or entry.before.get("title")
        did = f"{self._verb(entry)} “{title}”" if title else self._verb(entry)
        return did, self._process_changes(entry)

    def _process_changes(self, entry: Entry) -> Iterator[str]:
        yield from self._changes(entry, {"title", "state", "used", "given_back"})
        for name, words in (("used", "using {}"), ("given_back", "{} came back")):
            found = entry.after.get(name)
            if isinstance(found, dict) and found:
                yield words.format(" and ".join(self._quantity(metric, amount) for metric, amount in found.items()))

    def _plan(self, entry: Entry) -> tuple[str, Iterator[str]]:
        old, new = entry.before.get("plan"), entry.after.get("plan", entry.subject)
        change = f"from {old} to {new}" if old else f"to {new or 'none'}"
        return f"changed the plan {change}", self._changes(entry, {"plan"})

    def _switched(self, entry: Entry) -> tuple[str, Iterator[str]]:
        sides = ((True, "on"), (False, "off"))
        said = [
            f"{word} {', '.join(names)}"
            for on, word in sides
            if (names := [name for name, value in entry.after.items() if value is on])
        ]
        return f"switched {' and '.join(said)}" if said else "switched features", iter(())

    def _overridden(self, entry: Entry) -> tuple[str, Iterator[str]]:
        """Of an override "the limit memberships", never the pair as it is written down."""
        kind, _, name = entry.subject.partition(" ")
        what = f"{OVERRIDDEN[kind]} {name}" if kind in OVERRIDDEN else entry.subject
        if entry.action == "override.ended":
            return f"ended the override of {what}", iter(())
        if name not in entry.after:
            return f"overrode {what}", self._changes(entry)
        old, new = (_figure(each.get(name)) if name in each else "" for each in (entry.before, entry.after))
        return f"overrode {what}: {f'{old}, now {new}' if old else new}", self._changes(entry, {name})

    def _catalogue(self, entry: Entry) -> tuple[str, Iterator[str]]:
        changes = entry.after.get("changes")
        count = len(changes) if isinstance(changes, list) else 0
        counted = f"{count} change{'s' * (count != 1)}: {_short(', '.join(map(str, changes or [])))}" if count else ""
        return f"{self._verb(entry)} {entry.subject}", iter((counted,))

    def _cards(self, entry: Entry) -> tuple[str, Iterator[str]]:
        cards = entry.after.get("cards", 1)
        did = f"made {_figure(cards)} gift card{'s' * (cards != 1)} “{entry.subject}”"
        return did, self._changes(entry, {"cards"})

    def _notified(self, entry: Entry) -> tuple[str, Iterator[str]]:
        kind, _, audience = entry.subject.partition(" ")
        if not audience or not isinstance(entry.after.get("told"), bool):
            return self._verb(entry), self._changes(entry)
        verb = "chose to tell" if entry.after["told"] else "chose not to notify"
        return f"{verb} {audience.partition(':')[2] or audience} of {kind}", iter(())

    def _ending(self, entry: Entry) -> tuple[str, Iterator[str]]:
        when = "at once" if entry.after.get("when") == "now" else "when what is paid has run out"
        return f"decided to end the organization {when}", self._changes(entry, {"when"})

    def _changes(self, entry: Entry, without: set[str] | None = None) -> Iterator[str]:
        """What no saying of its own has told: each as words, never as a raw pair."""
        before, after, left_out = entry.before, entry.after, without or set()
        for name in [*before, *(name for name in after if name not in before)]:
            if name in left_out or after.get(name, before.get(name)) == entry.subject:
                continue
            label = name.removesuffix("_cents").replace("_", " ")
            if name in before and name in after:
                yield f"{label} from {self._value(name, before)} to {self._value(name, after)}"
            elif name in after:
                if after[name] not in (None, "", [], {}, False) or name == "until":
                    yield self._phrase(name, label, after)
            elif before[name] not in (None, "", [], {}, False):
                yield f"{'until then ' * (name == 'role')}{self._phrase(name, label, before)}"

    def _phrase(self, name: str, label: str, values: Mapping[str, Any]) -> str:
        if name == "until" and values[name] is None:
            return "without an end"
        if values[name] is True:
            return label
        return PHRASES.get(name, f"{label} {{}}").format(self._value(name, values))

    def _value(self, name: str, values: Mapping[str, Any]) -> str:
        value = values[name]
        if isinstance(value, int) and not isinstance(value, bool):
            if name.endswith("_cents"):
                return self._money(value)
            if name == "quantity":
                return self._quantity(values.get("metric"), value)
            return _figure(value)
        if name == "metric":
            return self._metrics[value].name if value in self._metrics else str(value)
        return _text(value)

    def _money(self, cents: int) -> str:
        return self._signs.money(cents, self._currency.upper())

    def _amount(self, metric: Any, quantity: Any) -> str:
        """ "1,000 MAU credits", "100 GB of Storage credits"."""
        found = self._metrics.get(str(metric))
        if found is None or not isinstance(quantity, int):
            return f"{_figure(quantity)} {metric} credits" if metric and quantity else "credits"
        return f"{self._signs.size(found, quantity)} {'' if found.counts else 'of '}{found.name} credits"

    def _quantity(self, metric: Any, quantity: Any) -> str:
        found = self._metrics.get(str(metric))
        if found is None or not isinstance(quantity, int):
            return f"{_figure(quantity)} {metric or ''}".strip()
        return f"{self._signs.size(found, quantity)} {found.name if found.counts else f'of {found.name}'}"


def _figure(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and MOMENT.match(value):
        moment = datetime.fromisoformat(value)
        return f"{moment.day} {moment:%b %Y}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) if len(value) <= MOST_NAMES else f"{len(value)} of them"
    if isinstance(value, dict):
        return " and ".join(f"{_figure(amount)} {name}" for name, amount in value.items()) or "nothing"
    return _short(str(value)) or "nothing"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


_SAYINGS: dict[str, Callable[[Words, Entry], tuple[str, Iterator[str]]]] = {
    "grant.made": Words._granted,
    "grant.refund": Words._refunded,
    "grant.dispute": Words._disputed,
    "grant.void": Words._voided,
    "credits.converted": Words._converted,
    "process.": Words._process,
    "plan.changed": Words._plan,
    "features.switched": Words._switched,
    "override.": Words._overridden,
    "catalogue.": Words._catalogue,
    "gift_card.created": Words._cards,
    "notifications.changed": Words._notified,
    "organization.ending": Words._ending,
    "member.role_changed": Words._role,
    "organization.changed": Words._alone,
    "member.joined": Words._alone,
    "member.left": Words._alone,
}
"""What is said in words of its own, by the action or its noun; the rest is told by VERBS and PHRASES."""
