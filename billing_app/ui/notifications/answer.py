"""The first words of the page of alerts: who is told, and whether it arrives."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from billing_app.services.notifications.views import AlertsView, WebhookAnswer
from billing_app.ui.kit.formats import clock, day
from billing_app.ui.notifications.records import Reader


@dataclass(frozen=True)
class Answer:
    """A sentence with its tone, and a quieter one."""

    sentence: str = ""
    tone: str = ""
    rest: str = ""


def answer(view: AlertsView) -> Answer:
    """What is wrong comes first; else that it works."""
    mail = _mail(view)
    off = [each for each in view.endpoints if each.disabled_at is not None]
    failing = [each for each in view.endpoints if each.disabled_at is None and each.failing_since is not None]
    if off:
        sentence = f"{name_of(off[0])} is switched off, so it hears of nothing."
        return Answer(sentence, "blocked", f"{off[0].disabled_reason} {mail}".strip())
    if failing:
        sentence = f"Nothing reaches {name_of(failing[0])} at the moment."
        return Answer(sentence, "soon", f"It is tried again for three days. {mail}")
    if not view.endpoints:
        people = sum(1 for each in view.audiences if each.kinds)
        if view.mail and people:
            return Answer(mail, "", "No program of yours is told. A webhook does that within seconds.")
        return Answer("Nobody is told of anything yet.", "soon", f"{mail} A webhook tells a program within seconds.")
    names = _and([name_of(each) for each in view.endpoints])
    verb = "hears" if len(view.endpoints) == 1 else "hear"
    arrived = max((each.arrived_at for each in view.endpoints if each.arrived_at is not None), default=None)
    if arrived is None:
        return Answer(f"{names} {verb} of what happens from now on.", "", f"Nothing was sent yet. {mail}")
    last = f"{day(arrived, view.now)}, {clock(arrived)} UTC"
    return Answer(f"{names} {verb} of what happens within seconds.", "", f"The last message arrived {last}. {mail}")


def name_of(endpoint: WebhookAnswer) -> str:
    """What people call an endpoint: its description, else its host."""
    return endpoint.description or urlsplit(endpoint.url).hostname or endpoint.url


def notified_of(kinds: Collection[str], view: AlertsView) -> str:
    """Of how much somebody is told."""
    known = len([kind for kind in view.kinds if kind.id in kinds])
    if known == len(view.kinds):
        return "everything"
    return "nothing" if not known else f"{known} of {len(view.kinds)} kinds"


def readers(view: AlertsView) -> list[Reader]:
    """Everybody who is told by mail, or could be."""
    found = []
    for each in view.audiences:
        if each.channel != "mail":
            continue
        people = "1 person" if each.people == 1 else f"{each.people} people"
        note = each.email or ("nobody has this role" if not each.people else people)
        found.append(Reader(each.name, note, notified_of(each.kinds, view)))
    return found


def _mail(view: AlertsView) -> str:
    notified = [
        each for each in view.audiences if each.channel == "mail" and each.kinds and (each.people or each.email)
    ]
    if not view.mail:
        return "Nobody is mailed: no mail server is set up."
    if not notified:
        return "Nobody is told by mail."
    people = sum(each.people or 1 for each in notified)
    return "1 person is told by mail." if people == 1 else f"{people} people are told by mail."


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
