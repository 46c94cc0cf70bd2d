"""Who changes something says so: the service raises the revision of open pages and writes the entry of the audit log,
in its transaction. An entry point does neither.

Whatever is public in services and writes rows has to come to both, or every service that calls it has to. What it may
call is read from the source, so a call that is never made counts too: of single cases other tests tell.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.access import api_keys
from billing_app.services.common import organizations
from tests.support.builders import NOON, an_organization
from tests.support.source import Function, functions, reaching

PACKAGE = Path(__file__).parents[3] / "billing_app"

SERVICES, STORE = "billing_app.services.", "billing_app.store."

RAISING = {
    f"{STORE}organizations.organizations.raise_revision",
    f"{STORE}organizations.organizations.raise_revisions",
    f"{STORE}organizations.organizations.raise_all_revisions",
}
RECORDING = {f"{STORE}common.audit.add"}

BESIDE = (
    "common.audit",
    "common.idempotency",
    "common.locks",
    "common.runs",
    "common.statements.upsert",
    "usage.meters.lock",
)
"""Of the store: locks, leases and answers kept are no change; entries themselves are none either."""

A_PERSONS_OWN = "a person's own session, link or attempt to sign in: shown on no page of an organization"
NOBODY_YET = "nobody's page is open on what was not there"
OF_THE_CONSOLE = "the console's own: shown to operators, whose pages read anew"
COMPUTED = "keeps what was computed from facts; who records facts says so"

WITHOUT_A_REVISION = {
    "access.api_keys.note_use": "when a key was last used may be seen later: each request would refresh pages",
    "access.one_time_links.invite": A_PERSONS_OWN, "access.one_time_links.make": A_PERSONS_OWN,
    "access.one_time_links.reset_link": A_PERSONS_OWN, "access.one_time_links.set_password": A_PERSONS_OWN,
    "access.one_time_links.set_up": A_PERSONS_OWN, "access.one_time_links.set_up_link": A_PERSONS_OWN,
    "access.one_time_links.use": A_PERSONS_OWN, "access.password_reset.ask": A_PERSONS_OWN,
    "access.sessions.note_use": A_PERSONS_OWN,
    "access.sessions.renew": A_PERSONS_OWN, "access.sessions.sign_in": A_PERSONS_OWN,
    "access.sessions.sign_out": A_PERSONS_OWN, "access.sessions.start": A_PERSONS_OWN,
    "access.sign_in_links.follow": A_PERSONS_OWN, "access.sign_in_throttle.begin": A_PERSONS_OWN,
    "access.sign_in_throttle.succeed": A_PERSONS_OWN,
    "access.sign_up.ask": NOBODY_YET, "access.users.create": NOBODY_YET, "access.users.known_or_new": NOBODY_YET,
    "common.organizations.create": NOBODY_YET,
    "credits.gift_cards.begin": OF_THE_CONSOLE, "credits.gift_cards.create": OF_THE_CONSOLE,
    "credits.gift_cards.void": OF_THE_CONSOLE, "notifications.operator_mails.send": OF_THE_CONSOLE,
    "payments.payment_account.confirm": OF_THE_CONSOLE, "payments.stripe_names.keep": OF_THE_CONSOLE,
    "payments.stripe_names.push": OF_THE_CONSOLE,
    "plans.changes.preview": "keeps the answer that a person is looking at",
    "usage.entitlements.check_action": COMPUTED, "usage.entitlements.check_metric": COMPUTED,
    "usage.entitlements.working_actions": COMPUTED, "usage.meters.fresh": COMPUTED, "usage.meters.recompute": COMPUTED,
    "usage.meters.recomputed": COMPUTED, "usage.snapshots.basis": COMPUTED, "usage.snapshots.due": COMPUTED,
    "usage.entitlements.by_figures": COMPUTED,
    "access.fast_path.FastPath": "a debit counts itself on its meter, and pages hear of that (decision 15)",
    "usage.recounts.post": COMPUTED, "usage.top_up_arming.look": "that one is due is not shown; its charge is",
}  # fmt: skip

EVENTS = "usage is no entry: every event is kept"
LEDGER = "the ledger is the record of it"
DELIVERIES = "the log of deliveries is the record of it"

WITHOUT_AN_ENTRY = {
    "access.api_keys.note_use": "when a key was last used stands beside it",
    "access.one_time_links.make": "whoever makes a link for somebody writes why",
    "access.one_time_links.reset_link": A_PERSONS_OWN, "access.one_time_links.set_up_link": A_PERSONS_OWN,
    "access.one_time_links.use": A_PERSONS_OWN, "access.password_reset.ask": A_PERSONS_OWN,
    "access.sessions.note_use": A_PERSONS_OWN,
    "access.sessions.renew": A_PERSONS_OWN, "access.sessions.sign_in": A_PERSONS_OWN,
    "access.sessions.sign_out": A_PERSONS_OWN, "access.sessions.start": A_PERSONS_OWN,
    "access.sign_in_links.follow": A_PERSONS_OWN, "access.sign_in_throttle.begin": A_PERSONS_OWN,
    "access.sign_in_throttle.succeed": A_PERSONS_OWN,
    "catalogue.versions.load": "every version is kept, with where it came from; an operator's edit is an entry besides",
    "common.operator_mails.write": "the mail is the record of it",
    "common.organizations.create": "whoever makes one for somebody writes the entry",
    "common.organizations.raise_revision": "the other half of this test",
    "credits.gift_cards.begin": "an attempt to redeem, counted so that codes are not guessed",
    "notifications.delivery_log.resend": DELIVERIES, "notifications.delivery_log.test": DELIVERIES,
    "notifications.fan_out.fan_out": DELIVERIES, "notifications.operator_mails.send": DELIVERIES,
    "notifications.webhook_endpoints.move": "the demo's receiver is where the console is: a start is no change",
    "payments.payment_account.confirm": "which account the console sells with is asked of Stripe, not decided",
    "payments.stripe_names.keep": "names of what Stripe was told, for finding it again",
    "payments.stripe_names.push": "the same: the versions of the catalogue are the record of it",
    "plans.changes.preview": "nothing has changed yet",
    "processes.processes.save": "a draft is written in many steps; that it began, and what became of it, are entries",
    "usage.consumption.confirm": EVENTS, "usage.consumption.consume": EVENTS, "usage.consumption.release": EVENTS,
    "usage.consumption.reserve": EVENTS, "usage.consumption.use": EVENTS, "usage.reporting.report": EVENTS,
    "usage.batches.consume_many": EVENTS,
    "usage.recording.record": EVENTS, "usage.reporting.report_many": EVENTS, "access.fast_path.FastPath": EVENTS,
    "usage.entitlements.check_action": COMPUTED, "usage.entitlements.check_metric": COMPUTED,
    "usage.entitlements.by_figures": COMPUTED,
    "usage.entitlements.working_actions": COMPUTED, "usage.meters.fresh": COMPUTED, "usage.meters.prepare": COMPUTED,
    "usage.meters.recompute": COMPUTED, "usage.snapshots.basis": COMPUTED, "usage.snapshots.due": COMPUTED,
    "usage.meters.recomputed": COMPUTED, "usage.top_up_arming.look": COMPUTED,
    "usage.recounts.demand": LEDGER, "usage.recounts.post": LEDGER, "usage.recounts.run": LEDGER,
    "usage.wrong_clocks.was_repaired": "operators are told by mail, and the run has it",
}  # fmt: skip


@cache
def known() -> Mapping[str, Function]:
    return functions(PACKAGE)


@cache
def writers() -> frozenset[str]:
    """Public functions and classes of services that come to a row being written."""
    beside = tuple(f"{STORE}{each}" for each in BESIDE)
    ends = {
        name
        for name, each in known().items()
        if each.writes and name.startswith((SERVICES, STORE)) and name not in RAISING and not name.startswith(beside)
    }
    return frozenset(
        name.removeprefix(SERVICES)
        for name in reaching(known(), ends)
        if name.startswith(SERVICES)
        and isinstance(known()[name].node, ast.FunctionDef | ast.ClassDef)
        and not name.rpartition(".")[2].startswith("_")
    )


def silent(said: set[str]) -> set[str]:
    """Writers that come to none of these by themselves, and that somebody calls who does not either."""
    callers: dict[str, set[str]] = {name: set() for name in known()}
    for other, each in known().items():
        for name in each.names:
            callers[name].add(other)

    def speaks(name: str, seen: frozenset[str]) -> bool:
        if name in told:
            return True
        above = callers[name] - seen
        inside = all(each.startswith((SERVICES, STORE)) for each in above)
        return inside and bool(above) and all(speaks(each, seen | {each}) for each in above)

    told = reaching(known(), said)
    return {name for name in writers() if not speaks(SERVICES + name, frozenset({SERVICES + name}))}


def test_services_that_write_are_found() -> None:
    some = {"access.api_keys.create", "access.members.invite", "limits.overrides.put", "usage.consumption.consume"}
    assert some <= writers()
    assert len(writers()) > 150


def test_every_service_that_writes_raises_the_revision() -> None:
    assert silent(RAISING) == set(WITHOUT_A_REVISION)


def test_every_service_that_writes_writes_its_entry() -> None:
    assert silent(RECORDING) == set(WITHOUT_AN_ENTRY)


def test_whoever_writes_an_entry_of_an_organization_raises_its_revision() -> None:
    """In the function itself or in what it calls: each entry is shown on a page."""
    raising = reaching(known(), RAISING)
    recording = {
        name
        for name, each in known().items()
        if f"{SERVICES}common.audit.record" in each.names and _is_of_an_organization(each.node)
    }
    assert {name.removeprefix(SERVICES) for name in recording - raising} == {"access.sign_up.ask"}


def _is_of_an_organization(node: ast.AST) -> bool:
    """audit.record(session, somebody, ...): not None, which is the whole console."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and ast.unparse(each.func) == "audit.record"]
    return any(ast.unparse(each.args[1]) not in ("None", "audit.CONSOLE") for each in calls)


def test_entry_points_leave_it_to_services() -> None:
    """Neither a revision nor an entry, nor a row."""
    itself = RAISING | RECORDING | {f"{SERVICES}common.audit.record"}
    itself |= {
        f"{SERVICES}common.organizations.raise_revision",
        f"{SERVICES}common.organizations.raise_revisions_above",
    }
    outside = {name: each for name, each in known().items() if not name.startswith((SERVICES, STORE))}
    assert {name for name, each in outside.items() if each.names & itself} == set()
    assert {name for name, each in outside.items() if each.writes} == set()


def test_a_key_made_or_revoked_anywhere_shows_on_open_pages(database: Database) -> None:
    def revision() -> int:
        with database.reading() as session:
            return organizations.revisions_by_address(session, ["acme"]).get("acme", 0)

    with database.writing() as session:
        owner = an_organization(session, "acme").pk
    before = revision()
    with database.writing() as session:
        made = api_keys.create(session, owner, "Program", [Scope.READ], "tests", NOON)
    assert revision() == before + 1
    with database.writing() as session:
        api_keys.revoke(session, owner, made.id, NOON, actor="tests")
    assert revision() == before + 2
