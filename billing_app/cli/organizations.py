"""`billing organization`: customers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from billing_app import clock, wiring
from billing_app.cli.printing import ACTOR, AsJson, moment, number, print_done, print_items
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.common.money import format_money
from billing_app.domain.common.texts import required_reason
from billing_app.gateways.payments import Payments
from billing_app.services.common import audit
from billing_app.services.common import organizations as orgs
from billing_app.services.common.audit_words import Words
from billing_app.services.common.context import Context
from billing_app.services.common.months import rfc3339
from billing_app.services.common.organizations import Organization
from billing_app.services.limits import overrides
from billing_app.services.limits.overrides import Kind, OrganizationOverride
from billing_app.services.operators import organizations as operators
from billing_app.services.organizations import profiles
from billing_app.services.plans import stripe_endings
from billing_app.services.purchases import endings
from billing_app.services.subscriptions.views_endings import EndingAnswer, PaidThingAnswer
from billing_app.services.usage import plans_in_force
from billing_app.settings import settings

app = typer.Typer(no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="the organization's address")]
Why = Annotated[str, typer.Option("--reason", help="why; it is kept")]
What = Annotated[str, typer.Argument(help="limit, feature or voting_type")]
Name = Annotated[str, typer.Argument(help="which one, such as memberships, whiteLabel or ranked")]

COLUMNS = ("address", "name", "plan", "members", "blocked")


@app.command("list")
def list_organizations(
    search: Annotated[str, typer.Option(help="only those with this in their name or address")] = "",
    as_json: AsJson = False,
) -> None:
    """List organizations with their plans, those with something wrong first.

    Example: billing organization list --search acme
    """
    items: list[dict[str, Any]] = []
    with wiring.database().reading() as session:
        cursor = ""
        while True:
            page = operators.organizations(session, search, cursor, clock.now())
            items += [
                {
                    "address": line.address, "name": line.name, "plan": line.plan_name, "members": line.members,
                    "blocked": line.blocked, "troubles": [each.kind.value for each in line.troubles],
                }
                for line in page.organizations
            ]  # fmt: skip
            cursor = page.next_cursor
            if not cursor:
                break
    print_items(items, COLUMNS, as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="how it is called")],
    address: Annotated[str, typer.Option(help="its address; default: a generated one")] = "",
    plan: Annotated[str, typer.Option(help="its plan; default: the catalogue's default plan")] = "",
    anchor: Annotated[str, typer.Option(help="when its first period begins; default: now")] = "",
    as_json: AsJson = False,
) -> None:
    """Make an organization. `billing member invite` lets people in.

    Example: billing organization create "Acme Maps" --address acme --plan pro
    """
    now = clock.now()
    with wiring.database().writing() as session:
        made = operators.make(
            session, now, name=name, address=address or None, plan=plan or None, anchor=moment(anchor), actor=ACTOR
        )
        item = _item(made) | {"plan": plans_in_force.plans(session, made.pk).plan_at(now)}
    print_done(item, f"Made {made.name} at the address {made.address}, on the plan {item['plan']}.", as_json=as_json)


@app.command("set-plan")
def set_plan(
    address: Address, plan: Annotated[str, typer.Argument(help="the plan's id")], reason: Why, as_json: AsJson = False
) -> None:
    """Give an organization another plan, from now on. A subscription at Stripe is not touched.

    Example: billing organization set-plan acme pro --reason "agreed by contract"
    """
    with wiring.database().writing() as session:
        found = orgs.by_address(session, address)
        operators.set_plan(Context(session, found, clock.now(), ACTOR), plan, reason=reason)
    print_done({"address": address, "plan": plan}, f"{found.name} holds {plan} from now on.", as_json=as_json)


@app.command("list-overrides")
def list_overrides(address: Address, as_json: AsJson = False) -> None:
    """List what an organization has beside its plan, or had.

    Example: billing organization list-overrides acme
    """
    with wiring.database().reading() as session:
        items = [_override(row) for row in overrides.every(session, orgs.by_address(session, address))]
    print_items(items, ("kind", "name", "value", "starts_at", "ends_at", "ended_at", "reason"), as_json=as_json)


@app.command()
def override(
    address: Address,
    what: What,
    name: Name,
    value: Annotated[str, typer.Argument(help="a number, unlimited, on or off")],
    reason: Why,
    until: Annotated[str, typer.Option(help="the day on which it ends; default: it does not")] = "",
    as_json: AsJson = False,
) -> None:
    """Put something in place of what the plan says, until a day or for good.

    Example: billing organization override acme limit memberships 25 --until 2027-01-31 --reason "a pilot"
    """
    with wiring.database().writing() as session:
        row = overrides.put(
            Context(session, orgs.by_address(session, address), clock.now(), ACTOR),
            _kind(what),
            name,
            _value(value),
            ends_at=moment(until),
            reason=reason,
        )
        item = _override(row)
    end = f" until {until}" if until else ""
    print_done(item, f"For {address}, {name} is {value}{end}.", as_json=as_json)


@app.command("end-override")
def end_override(address: Address, what: What, name: Name, as_json: AsJson = False) -> None:
    """Take an override back: the plan holds again.

    Example: billing organization end-override acme limit memberships
    """
    with wiring.database().writing() as session:
        overrides.end(Context(session, orgs.by_address(session, address), clock.now(), ACTOR), _kind(what), name)
    item = {"address": address, "kind": what, "name": name}
    print_done(item, f"For {address}, {name} is what the plan says.", as_json=as_json)


@app.command()
def end(
    address: Address,
    reason: Why,
    now: Annotated[bool, typer.Option("--now", help="at once, instead of when what is paid has run out")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask first")] = False,
    as_json: AsJson = False,
) -> None:
    """End an organization with all its parts: it pays for nothing any more. Credits and history stay readable.

    Example: billing organization end acme --reason "they moved on"
    """
    database, payments = wiring.database(), _payments()
    with database.reading() as session:
        view = endings.look(Context(session, orgs.by_address(session, address), clock.now()))
    if not (yes or as_json):
        for line in _said(view):
            typer.echo(line)
        typer.confirm(f"End {view.name} {'now' if now else f'on {view.ends_at:%d %b %Y}'}?", abort=True)
    with database.writing() as session:
        found = orgs.by_address(session, address)
        endings.decide(
            Context(session, found, clock.now(), ACTOR), at_period_end=not now, reason=required_reason(reason)
        )
        owner = found.pk
    problem = stripe_endings.notify_stripe_at_once(database.writing, payments, owner, clock.now)
    _print_ending(address, problem, as_json=as_json)


@app.command()
def keep(address: Address, as_json: AsJson = False) -> None:
    """Take back that an organization ends; one that is over works again. What has ended at Stripe stays ended.

    Example: billing organization keep acme
    """
    database, payments = wiring.database(), _payments()
    with database.writing() as session:
        found = orgs.by_address(session, address)
        if not found.active:
            profiles.set_active(Context(session, found, clock.now(), ACTOR), True)
        else:
            endings.withdraw(Context(session, found, clock.now(), ACTOR), reopen=True)
        owner = found.pk
    problem = stripe_endings.notify_stripe_at_once(database.writing, payments, owner, clock.now)
    _print_ending(address, problem, as_json=as_json)


def _payments() -> Payments | None:
    from billing_app.gateways.stripe.payments import payments_of

    known = settings()
    return payments_of(known) if known.selling else None


def _said(view: EndingAnswer) -> list[str]:
    """What ends, a line each."""
    lines = [f"  {_paid(each)}" for each in view.pays]
    for part in view.parts:
        lines.append(f"  with it ends {part.name} ({part.address})")
        lines += [f"    {_paid(each)}" for each in part.pays]
    return lines or ["  It pays for nothing."]


def _paid(thing: PaidThingAnswer) -> str:
    return f"{thing.kind:7} {thing.name}: {format_money(thing.price_cents, thing.currency)}"


def _print_ending(address: str, problem: str, *, as_json: bool) -> None:
    with wiring.database().reading() as session:
        view = endings.look(Context(session, orgs.by_address(session, address), clock.now()))
    item = {
        "address": address, "ending": view.decided_at is not None, "ends_at": view.ends_at, "done": view.done,
        "told": view.told, "error": problem,
    }  # fmt: skip
    state = "is over" if view.done else f"ends on {view.ends_at:%d %b %Y}" if view.decided_at else "goes on"
    more = f" Stripe could not be told yet, which is tried again: {problem}" if problem else ""
    print_done(item, f"{view.name} {state}.{more}", as_json=as_json)


def _item(organization: Organization) -> dict[str, Any]:
    return {"address": organization.address, "name": organization.name, "anchor": organization.anchor}


def _override(row: OrganizationOverride) -> dict[str, Any]:
    names = ("kind", "name", "value", "starts_at", "ends_at", "ended_at", "reason", "actor")
    return {name: getattr(row, name) for name in names}


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise InvalidError(f"What is overridden is one of {', '.join(Kind)}.", code="invalid_override") from None


def _value(text: str) -> int | None:
    words = {"unlimited": None, "on": 1, "off": 0}
    if text in words:
        return words[text]
    if not (text.isascii() and text.isdigit()):
        raise InvalidError("A value is a number, unlimited, on or off.", code="invalid_override")
    return int(text[:20])  # what is longer is refused for its size, not read for hours


@app.command("audit")
def show_audit(
    address: Address,
    count: Annotated[int, number("how many, the newest first", least=1, most=1_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who changed what of an organization, the newest first.

    Example: billing organization audit acme --count 10
    """
    with wiring.database().reading() as session:
        found = audit.entries(session, orgs.by_address(session, address).pk, count)
        words = Words.of(session, clock.now())
    items = [
        {"at": rfc3339(entry.at), "action": entry.action, "actor": entry.actor, "said": words.text_of(entry).sentence}
        for entry in found
    ]
    print_items(items, ("at", "said"), as_json=as_json)
