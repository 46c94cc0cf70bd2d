"""Operations named as the SDK names them, `products.create`, with method, path and parameters taken from it."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import Any

import stripe

_PLACEHOLDER = re.compile(r"__(\w+?)__")


@dataclass(frozen=True)
class Contract:
    """One operation of the API: `POST /v1/products`, and which class of the SDK says what it takes."""

    name: str
    method: str
    template: str
    package: str
    parameters: str

    @cached_property
    def shape(self) -> type:
        """The TypedDict of what it takes, loaded when it is first called: all of them take longer than the rest."""
        return getattr(import_module(self.package), self.parameters)

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches a path and captures its ids, in order."""
        return re.compile(_PLACEHOLDER.sub("([^/]+)", re.escape(self.template)))


class _Recorder:
    """Stands where the SDK's requestor would, and notes what it was asked to send."""

    def request(self, method: str, url: str, *_: Any, **__: Any) -> None:
        self.method = method
        self.url = url


@cache
def _services() -> Any:
    """One client is enough: nothing is ever sent with it."""
    return stripe.StripeClient("sk_test_contract").v1


def contract_of(name: str) -> Contract:
    """Read one operation off the SDK. Raises AttributeError if the installed SDK has no such operation."""
    recorder = _Recorder()
    service: Any = _services()
    *path, verb = name.split(".")
    for part in path:
        service = getattr(service, part)
    service._requestor = recorder
    function = getattr(service, verb)
    positional = [
        f"__{parameter.name}__"
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY
    ]
    function(*positional, {})
    return Contract(name, recorder.method.upper(), recorder.url, *_parameters(service, function))


def _parameters(service: Any, function: Callable[..., Any]) -> tuple[str, str]:
    """The params TypedDict lies in `stripe.params`, in the same sub-package as the service."""
    annotation = inspect.signature(function).parameters["params"].annotation
    match = re.search(r"(\w+Params)\b", str(annotation))
    if match is None:
        raise AttributeError(f"an operation of {type(service).__name__} names no parameters")
    package = type(service).__module__.split(".")[1:-1]
    return ".".join(["stripe", "params", *package]), match[1]
