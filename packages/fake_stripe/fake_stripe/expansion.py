"""`expand`: ids replaced by the objects they stand for, and parts that are only shown when asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fake_stripe.errors import StripeError

if TYPE_CHECKING:
    from fake_stripe.account import Account

MAX_LEVELS = 4
MAX_PATHS = 20
Body = dict[str, Any]
# (object kind, field) -> how the part that is shown only when expanded is made.
INCLUDABLE: dict[tuple[str, str], Callable[["Account", Body], Any]] = {}


def includable(kind: str, name: str) -> Callable[[Callable[["Account", Body], Any]], Callable[["Account", Body], Any]]:
    """Register a field that answers leave out unless it is expanded, such as a session's `line_items`."""

    def register(function: Callable[["Account", Body], Any]) -> Callable[["Account", Body], Any]:
        INCLUDABLE[kind, name] = function
        return function

    return register


def expand(account: "Account", answer: Body, paths: list[str]) -> Body:
    """`answer` with every path expanded. Raises StripeError for one that leads nowhere."""
    if len(paths) > MAX_PATHS:
        raise StripeError(f"At most {MAX_PATHS} properties can be expanded at once.", param="expand")
    for path in paths:
        parts = path.split(".")
        if len(parts) > MAX_LEVELS + (parts[0] == "data"):
            raise StripeError(f"Only {MAX_LEVELS} levels can be expanded: {path}", param="expand")
        _expand(account, answer, parts, path)
    return answer


def _expand(account: "Account", value: Any, parts: list[str], path: str) -> None:
    if isinstance(value, list):
        for item in value:
            _expand(account, item, parts, path)
        return
    if not parts or value is None:
        return
    name, rest = parts[0], parts[1:]
    if isinstance(value, dict) and name not in value:
        maker = INCLUDABLE.get((value.get("object", ""), name))
        if maker is not None:
            value[name] = maker(account, value)
    if not isinstance(value, dict) or name not in value:
        raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
    value[name] = _resolved(account, value[name], path)
    _expand(account, value[name], rest, path)


def _resolved(account: "Account", value: Any, path: str) -> Any:
    """The object that an id stands for, or those of a list of ids; anything else is itself."""
    if isinstance(value, list):
        return [_resolved(account, item, path) for item in value]
    if not isinstance(value, str):
        return value
    found = account.find(value)
    if found is None:
        raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
    return found
