"""Features and ways of voting: what an organization may use. Every path to a process goes through `require`.

The plan in force of the payer says what there is, the operator's overrides stand in its place, and an admin may
switch off what there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from billing_app.domain.common.errors import ForbiddenError, InvalidError
from billing_app.domain.processes.voting import Given, Option, OptionKind, OptionState, options
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.context import Context
from billing_app.services.limits import limits
from billing_app.store.common import locks
from billing_app.store.organizations import overrides as override_store
from billing_app.store.processes import processes as store

NOT_IN_PLAN = {OptionKind.FEATURE: "feature_not_in_plan", OptionKind.VOTING_TYPE: "voting_type_not_in_plan"}
SWITCHED_OFF = {OptionKind.FEATURE: "feature_switched_off", OptionKind.VOTING_TYPE: "voting_type_switched_off"}


def available(context: Context) -> tuple[Option, ...]:
    """Every feature and way of voting as the organization has it now. What it is a part of may pay for it."""
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    plan = limits.plan_in_force(session, payer, now)
    given: dict[tuple[OptionKind, str], Given] = {}
    for owner in dict.fromkeys((payer.pk, organization.pk)):  # its own override stands above the payer's
        for kind in OptionKind:
            for row in override_store.in_force(session, owner, now, kind.value):
                given[kind, row.name] = Given(bool(row.value), row.ends_at)
    off = [(OptionKind(row.kind), row.name) for row in store.switched_off(session, organization.pk)]
    return options(versions.current(session, now), plan, given, off)


def require(context: Context, *, voting_type: str = "", features: Iterable[str] = ()) -> None:
    """Refuses what may not be used now.

    Raises ForbiddenError `voting_type_not_in_plan`, `feature_not_in_plan`, or `..._switched_off`, naming the plans
    that have it; InvalidError `unknown_feature` or `unknown_voting_type`.
    """
    found = {(each.kind, each.id): each for each in available(context)}
    wanted = [(OptionKind.VOTING_TYPE, voting_type)] if voting_type else []
    wanted += [(OptionKind.FEATURE, name) for name in features]
    for kind, name in wanted:
        option = _known(found, kind, name)
        if not option.usable:
            raise refusal(context, option)


def refusal(context: Context, option: Option) -> ForbiddenError:
    """Why an option may not be used, and what to do."""
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    plan = limits.plan_in_force(session, payer, now)
    noun = "way of voting" if option.kind is OptionKind.VOTING_TYPE else "feature"
    if option.state is OptionState.OFF:
        detail = f"{option.name} is switched off here. An admin can switch it on under Features."
        return ForbiddenError(detail, code=SWITCHED_OFF[option.kind], name=option.id, plan=plan.id)
    names = [each.name for each in versions.current(session, now).plans if each.id in option.plans]
    where = f" {_either(names)} has it." if names else ""
    return ForbiddenError(
        f"The plan {plan.name} does not include the {noun} {option.name}.{where}",
        code=NOT_IN_PLAN[option.kind],
        name=option.id,
        plan=plan.id,
        plans=list(option.plans),
        upgrade_url=f"/o/{payer.address}/plan",
    )


def switch(context: Context, wanted: Mapping[tuple[OptionKind, str], bool]) -> tuple[Option, ...]:
    """Switches options on or off: all of them, or none; what is not named stays. Gives how it is after that.

    Raises ForbiddenError `feature_not_in_plan`, `voting_type_not_in_plan` for one that would be switched on;
    InvalidError `unknown_feature`, `unknown_voting_type`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)
    found = {(each.kind, each.id): each for each in available(context.at(now))}
    before, after = {}, {}
    for (kind, name), on in wanted.items():
        option = _known(found, kind, name)
        if on and option.state is OptionState.LOCKED:
            raise refusal(context.at(now), option)
        if option.state is OptionState.LOCKED or option.usable == on:
            continue
        store.switch(session, owner, kind.value, name, now, on=on)
        before[name], after[name] = option.usable, on
    if after:
        audit.record(session, owner, now, actor, "features.switched", organization.address, before=before, after=after)
        organizations.raise_revision(session, owner)
    return available(context.at(now))


def _known(found: Mapping[tuple[OptionKind, str], Option], kind: OptionKind, name: str) -> Option:
    option = found.get((kind, name))
    if option is None:
        noun = "way of voting" if kind is OptionKind.VOTING_TYPE else "feature"
        raise InvalidError(f"There is no {noun} {name!r}.", code=f"unknown_{kind.value}", name=name)
    return option


def _either(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
