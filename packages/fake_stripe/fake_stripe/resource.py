"""Resources declared, not coded: a kind of object, and the operations that all kinds share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from fake_stripe import errors, ids
from fake_stripe.account import Account
from fake_stripe.contract.operations import Contract, contract_of
from fake_stripe.contract.parameters import Parameters
from fake_stripe.contract.shapes import annotations_of, build
from fake_stripe.storage import objects
from fake_stripe.storage.objects import Body

DEFAULT_PAGE = 10
MAX_PAGE = 100
# Parameters of every list that are not filters.
_PAGING = ("limit", "starting_after", "ending_before", "expand")


@dataclass(frozen=True)
class Request:
    """A validated call: the ids in its path, in order, and its parameters."""

    ids: tuple[str, ...]
    parameters: Parameters
    path: str


Handler = Callable[[Account, Request], Body]


@dataclass(frozen=True)
class Operation:
    """A contract and the function that fulfils it."""

    contract: Contract
    handler: Handler


OPERATIONS: list[Operation] = []


def operation(name: str) -> Callable[[Handler], Handler]:
    """Register a handler for the operation that the SDK calls `name`, such as `products.create`."""

    def register(handler: Handler) -> Handler:
        OPERATIONS.append(Operation(contract_of(name), handler))
        return handler

    return register


@dataclass(frozen=True)
class Resource:
    """A kind of object: the SDK's class, the prefix of its ids, and fields shown only when set or expanded."""

    sdk: Any
    prefix: str
    hidden: frozenset[str] = frozenset({"deleted"})
    length: int = ids.DEFAULT_LENGTH

    @property
    def kind(self) -> str:
        """The `object` member, such as `checkout.session`."""
        return self.sdk.OBJECT_NAME

    def new(self, account: Account, clock: str | None = None, /, **values: Any) -> Body:
        """A complete object, not yet kept; it is created now, or at the frozen time of `clock`."""
        defaults: Body = {"id": ids.make(self.prefix, self.length)}
        if "created" in annotations_of(self.sdk):
            defaults["created"] = account.now(clock)
        return build(self.sdk, self.hidden, **{**defaults, **values})


def retrieve(name: str, resource: Resource) -> None:
    """`GET /v1/things/{id}`."""

    @operation(name)
    def handler(account: Account, request: Request) -> Body:
        identifier = request.ids[-1]
        body = objects.find(account.connection, account.id, identifier, resource.kind)
        if body is None:
            return account.get(identifier, resource.kind)
        if body.get("deleted"):
            return _gravestone(body)
        return body


def delete(name: str, resource: Resource, event: str | None) -> None:
    """`DELETE /v1/things/{id}` for kinds of which nothing remains but the id."""

    @operation(name)
    def handler(account: Account, request: Request) -> Body:
        body = account.get(request.ids[-1], resource.kind)
        return bury(account, body, event)


def bury(account: Account, body: Body, event: str | None) -> Body:
    """Mark as deleted; what remains to be seen is its gravestone."""
    account.unschedule(body)
    if event:
        account.emit(event, body)
    account.save({**body, "deleted": True})
    return _gravestone(body)


def _gravestone(body: Body) -> Body:
    return {"id": body["id"], "object": body["object"], "deleted": True}


@dataclass(frozen=True)
class Listing:
    """How a list is filtered: by members of the same name unless `members` says otherwise, and by `tests`."""

    resource: Resource
    members: dict[str, str] = field(default_factory=dict)
    tests: dict[str, Callable[[Body, Any], bool]] = field(default_factory=dict)
    always: Callable[[Body, Parameters], bool] = lambda body, parameters: True


def listing(name: str, of: Listing) -> None:
    """`GET /v1/things`: newest first, with cursors."""

    @operation(name)
    def handler(account: Account, request: Request) -> Body:
        return page(account, request, of, {})


def page(account: Account, request: Request, of: Listing, fixed: dict[str, Any]) -> Body:
    """One page of a list whose members equal `fixed` and what the request asks for."""
    parameters = request.parameters
    equal, tests = dict(fixed), []
    for name in parameters.names():
        if name in _PAGING:
            continue
        value = parameters[name]
        if name in of.tests:
            tests.append((of.tests[name], value))
        elif name == "created" or isinstance(value, Parameters):
            tests.append((_range(of.members.get(name, name)), value))
        else:
            equal[of.members.get(name, name)] = value
    after, before = (
        _cursor(account, of.resource.kind, parameters, name) for name in ("starting_after", "ending_before")
    )
    matching = (
        body
        for body in account.walk(of.resource.kind, equal, after, before)
        if not body.get("deleted") and of.always(body, parameters) and all(test(body, value) for test, value in tests)
    )
    found = envelope(request.path, matching, _limit(parameters), newest_last=before is not None)
    if not found["data"]:
        # Filters read what they are told as they look at objects; with nothing to look at, nothing was ignored.
        for _, value in tests:
            if isinstance(value, Parameters):
                value.plain()
    return found


def envelope(path: str, bodies: Iterable[Body], limit: int = DEFAULT_PAGE, newest_last: bool = False) -> Body:
    """A `list` object with the first `limit` of `bodies`."""
    taken = list(islice(bodies, limit + 1))
    data = taken[:limit]
    if newest_last:
        data.reverse()
    return {"object": "list", "data": data, "has_more": len(taken) > limit, "url": path}


def slice_page(request: Request, bodies: list[Body]) -> Body:
    """A page of a list that is at hand as a whole, such as the lines of an invoice."""
    parameters = request.parameters
    places = {body["id"]: place for place, body in enumerate(bodies)}
    limit = _limit(parameters)
    after, before = parameters.get("starting_after"), parameters.get("ending_before")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in places:
            raise errors.missing("item", cursor, name, 400)
    if before is not None:
        return envelope(request.path, reversed(bodies[: places[before]]), limit, newest_last=True)
    return envelope(request.path, bodies[places[after] + 1 :] if after else bodies, limit)


def _limit(parameters: Parameters) -> int:
    limit = parameters.get("limit", DEFAULT_PAGE)
    if not 1 <= limit <= MAX_PAGE:
        raise errors.invalid("limit", f"limit must be from 1 to {MAX_PAGE}", "parameter_invalid_integer")
    return limit


def _cursor(account: Account, kind: str, parameters: Parameters, name: str) -> int | None:
    identifier = parameters.get(name)
    if identifier is None:
        return None
    place = objects.position(account.connection, account.id, kind, identifier)
    if place is None:
        raise errors.missing(kind.rpartition(".")[2], identifier, name, 400)
    return place


def _range(member: str) -> Callable[[Body, Any], bool]:
    def test(body: Body, value: Any) -> bool:
        actual = body.get(member)
        if not isinstance(value, Parameters):
            return actual == value
        bounds = value.plain()
        checks = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
        if not all(name in checks for name in bounds):
            nested = actual if isinstance(actual, dict) else {}
            return all(nested.get(name) == wanted for name, wanted in bounds.items())
        return actual is not None and all(checks[name](actual, bound) for name, bound in bounds.items())

    return test
