"""Control actions by method and path; each takes the account, the ids in its path and a JSON object."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fake_stripe.account import Account
from fake_stripe.errors import StripeError, missing_parameter, unknown_parameter

_MISSING = object()


class Sent:
    """The members of a JSON request, checked as they are read; `finish` refuses the ones nobody read."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = dict(members)

    def take(self, name: str, kind: type | tuple[type, ...], default: Any = _MISSING) -> Any:
        """The member, removed from what is left. Raises StripeError if it is absent or of another type."""
        value = self._members.pop(name, default)
        if value is _MISSING:
            raise missing_parameter(name)
        if value is not default and not isinstance(value, kind):
            raise StripeError(f"{name} is of the wrong type", param=name)
        return value

    def rest(self) -> dict[str, Any]:
        """Everything not yet taken."""
        rest, self._members = self._members, {}
        return rest

    def finish(self) -> None:
        """Raises StripeError if anything was not understood."""
        for name in self._members:
            raise unknown_parameter(name)


Action = Callable[[Account, dict[str, str], Sent], dict[str, Any]]


@dataclass(frozen=True)
class Route:
    """One control action."""

    method: str
    path: str
    action: Action


ROUTES: list[Route] = []


def control(method: str, path: str) -> Callable[[Action], Action]:
    """Register an action under `/_sandbox/control` + `path`."""

    def register(action: Action) -> Action:
        ROUTES.append(Route(method, path, action))
        return action

    return register
