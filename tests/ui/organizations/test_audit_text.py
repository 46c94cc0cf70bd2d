"""The audit log in words says who did what, on pages as in commands and over the API."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from billing_app.domain.catalogue.model import TOKEN
from billing_app.locations import ROOT
from billing_app.services.common.audit_verbs import VERBS
from billing_app.services.common.audit_words import _SAYINGS, Words
from billing_app.services.common.views import Entry
from billing_app.services.organizations.views import AuditPage
from billing_app.ui.kit.formats import Formats
from billing_app.ui.organizations.text import audit_rows
from tests.support.source import dotted
from tests.ui.records.facts import GB, METRICS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = "2027-03-01T00:00:00+00:00"
WORDS = Words((*METRICS, TOKEN), "usd")


def entry(
    action: str, subject: str = "", actor: str = "kim@example.org", before: Any = None, after: Any = None
) -> Entry:
    return Entry(UUID(int=1), NOW, actor, actor, action, subject, before or {}, after or {})


@pytest.mark.parametrize(
    ("actor", "source", "said"),
    [
        ("kim@example.org", "purchase", "kim@example.org bought 1,000 MAU credits, valid until 1 Mar 2027."),
        ("purchase", "purchase", "Somebody bought 1,000 MAU credits, valid until 1 Mar 2027."),
        (
            "kim@example.org",
            "gift_card",
            "kim@example.org redeemed a gift card for 1,000 MAU credits, valid until 1 Mar 2027, “Why”.",
        ),
        (
            "kim@example.org",
            "conversion",
            "kim@example.org converted tokens into 1,000 MAU credits, valid until 1 Mar 2027.",
        ),
        ("recurring", "recurring", "The console renewed a monthly pack of 1,000 MAU credits, valid until 1 Mar 2027."),
        ("top_up", "top_up", "The console topped up 1,000 MAU credits, valid until 1 Mar 2027."),
        ("op@example.org", "operator", "op@example.org granted 1,000 MAU credits, valid until 1 Mar 2027, “Why”."),
        (
            "command line",
            "operator",
            "An operator at the command line granted 1,000 MAU credits, valid until 1 Mar 2027, “Why”.",
        ),
    ],
)
def test_credits_came_in_by_what_brought_them(actor: str, source: str, said: str) -> None:
    after = {"metric": "mau", "quantity": 1_000, "until": UNTIL, "source": source, "reason": "Why"}
    assert WORDS.text_of(entry("grant.made", "gr_1", actor, after=after)).sentence == said


@pytest.mark.parametrize(
    ("action", "subject", "before", "after", "said"),
    [
        (
            "grant.refund",
            "gr_1",
            {},
            {"refunded_cents": 250, "reason": "Mistake"},
            "refunded $2.50 of a grant, “Mistake”, grant gr_1",
        ),
        ("grant.void", "gr_1", {}, {"reason": "Mistake"}, "voided what was left of a grant, “Mistake”, grant gr_1"),
        ("grant.dispute", "gr_1", {}, {"status": "opened"}, "noted a dispute of a grant, grant gr_1"),
        ("grant.dispute", "gr_1", {}, {"status": "lost"}, "noted that a dispute of a grant was lost, grant gr_1"),
        (
            "credits.converted",
            "storage",
            {},
            {"from": 20, "to": 5 * GB, "metric": "storage"},
            "converted 20 tokens into 5 GB of Storage credits",
        ),
        (
            "plan.changed",
            "pro",
            {"plan": "free"},
            {"plan": "pro", "reason": "Upgraded"},
            "changed the plan from free to pro, “Upgraded”",
        ),
        ("plan.changed", "free", {}, {"plan": "free", "reason": "Signed up"}, "changed the plan to free, “Signed up”"),
        (
            "process.published",
            "01a",
            {},
            {"state": "published", "title": "Board", "used": {"emails": 184}},
            "published the process “Board”, using 184 Emails",
        ),
        (
            "process.published",
            "01a",
            {},
            {"state": "published", "title": "Board", "used": {}},
            "published the process “Board”",
        ),
        ("process.closed", "01a", {"state": "published"}, {"state": "closed", "given_back": {}}, "closed the process"),
        (
            "process.cancelled",
            "01a",
            {"state": "published"},
            {"state": "cancelled", "given_back": {"sms": 3}},
            "cancelled the process, 3 SMS came back",
        ),
        ("features.switched", "acme", {"a": False, "b": True}, {"a": True, "b": False}, "switched on a and off b"),
        (
            "override.set",
            "limit memberships",
            {},
            {"memberships": 2000, "until": None, "reason": "Trial"},
            "overrode the limit memberships: 2,000, without an end, “Trial”",
        ),
        (
            "override.set",
            "voting_type ranked",
            {"ranked": 0},
            {"ranked": 1, "until": UNTIL},
            "overrode the way of voting ranked: 0, now 1, valid until 1 Mar 2027",
        ),
        ("override.ended", "feature whiteLabel", {"whiteLabel": 1}, {}, "ended the override of the feature whiteLabel"),
        ("member.invited", "a@example.org", {}, {"role": "member"}, "invited a@example.org, as member"),
        ("member.joined", "kim@example.org", {}, {"role": "admin"}, "joined, as admin"),
        (
            "member.role_changed",
            "a@example.org",
            {"role": "member"},
            {"role": "admin"},
            "changed the role of a@example.org from member to admin",
        ),
        ("member.removed", "a@example.org", {"role": "member"}, {}, "removed a@example.org, until then as member"),
        (
            "api_key.created",
            "Up",
            {},
            {"hint": "bk_live_x...y", "name": "Up", "scopes": ["check", "read"]},
            "made the API key Up, bk_live_x...y, for check, read",
        ),
        (
            "catalogue.saved",
            "version 3",
            {},
            {"version": 3, "changes": ["plans.pro.price"]},
            "saved the catalogue as version 3, 1 change: plans.pro.price",
        ),
        (
            "gift_card.created",
            "Welcome",
            {},
            {"cards": 2, "each holds": "40 token", "redemptions": 100, "until": None},
            "made 2 gift cards “Welcome”, each of 40 token, to be redeemed 100 times, without an end",
        ),
        (
            "notifications.changed",
            "plan.changed role:admin",
            {"told": False},
            {"told": True},
            "chose to tell admin of plan.changed",
        ),
        (
            "organization.changed",
            "acme",
            {"size": "10", "color": ""},
            {"size": "20", "color": "#fff"},
            "changed the profile, size from 10 to 20, color from nothing to #fff",
        ),
        (
            "organization.ending",
            "acme",
            {},
            {"when": "now", "ends_at": UNTIL, "reason": "Over"},
            "decided to end the organization at once, on 1 Mar 2027, “Over”",
        ),
        (
            "sub_organization.created",
            "part",
            {},
            {"name": "Part", "part_of": "acme"},
            "made the sub-organization part, named Part, part of acme",
        ),
    ],
)
def test_what_was_done_is_a_sentence(action: str, subject: str, before: Any, after: Any, said: str) -> None:
    assert WORDS.text_of(entry(action, subject, before=before, after=after)).sentence == f"kim@example.org {said}."


def test_a_page_says_the_same_in_the_signs_of_its_reader() -> None:
    after = {"metric": "mau", "quantity": 1_000, "until": UNTIL, "source": "purchase", "reason": "1,000 MAU"}
    page = AuditPage((entry("grant.made", "gr_1", after=after),), "", METRICS, "usd")
    (row,) = audit_rows(page, NOW, Formats(locale="de"))
    assert (row.who, row.did, row.changes) == (
        "kim@example.org",
        "bought 1.000 MAU credits",
        ["valid until 1 Mar 2027"],
    )


def test_stripe_and_overrides_are_named() -> None:
    text = WORDS.text_of(entry("override.set", "voting_type ranked", "stripe", after={"ranked": 1}))
    assert text.sentence == "Stripe overrode the way of voting ranked: 1."


def _noted() -> set[str]:
    """Every action that code notes as a plain text."""
    found: set[str] = set()
    for file in Path(ROOT, "billing_app").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "audit.record(" in text else ():
            if isinstance(node, ast.Call) and dotted(node.func) == "audit.record":
                found |= {
                    each.value
                    for each in ast.walk(node)
                    if isinstance(each, ast.Constant)
                    and isinstance(each.value, str)
                    and re.fullmatch(r"[a-z_]+\.[a-z_]+", each.value)
                }
    return found


def test_no_action_is_told_by_its_bare_name() -> None:
    noted = _noted()
    assert len(noted) > 25
    known = {*VERBS, *_SAYINGS}
    assert {each for each in noted if each not in known and f"{each.partition('.')[0]}." not in known} == set()


@pytest.mark.parametrize("action", sorted({*VERBS, *_SAYINGS}))
def test_no_sentence_has_a_raw_pair(action: str) -> None:
    values = {"some_name": {"emails": 1}, "flag": False, "empty": {}, "many": ["a", "b", "c", "d"], "none": None}
    values |= {"role": "admin"}
    for before, after in (({}, values), (values, {}), (values, values | {"some_name": {}})):
        said = WORDS.text_of(
            entry(action if not action.endswith(".") else f"{action}x", "it", before=before, after=after)
        ).sentence
        assert not re.search(r"[{}\[\]']|\w_\w|None|False|True", said), said


def test_auto_top_up_is_said_in_words() -> None:
    values = {"pack": "mau-10k", "count": 1, "threshold": "1,000", "cap_cents": 5_000}
    assert WORDS.text_of(entry("top_up.switched_on", "MAU", after=values)).sentence == (
        "kim@example.org switched on auto top-up of MAU, with the pack mau-10k, 1 at a time, "
        "when credits fall to 1,000, for at most $50.00 a month."
    )
