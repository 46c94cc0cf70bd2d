"""Errors in the shape that the SDK turns into its own exceptions."""

from typing import Any


class StripeError(Exception):
    """An answer that refuses a request.

    `kind` is the `type` of the error body, `status` the HTTP status. With `keeps_effects` the transaction is
    committed all the same: a declined charge really happened, although the request failed.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        status: int = 400,
        keeps_effects: bool = False,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.status = status
        self.keeps_effects = keeps_effects
        self.details = details

    def body(self) -> dict[str, Any]:
        """The JSON answer; absent parts are left out, as Stripe does."""
        parts = {"type": self.kind, "message": self.message, "code": self.code, "param": self.param, **self.details}
        return {"error": {name: value for name, value in parts.items() if value is not None}}


def missing(kind: str, identifier: str, param: str = "id", status: int = 404) -> StripeError:
    """No such object: 404 when the URL names it, 400 when a parameter does."""
    return StripeError(f"No such {kind}: '{identifier}'", code="resource_missing", param=param, status=status)


def unknown_parameter(path: str) -> StripeError:
    """The contract has no parameter of this name."""
    return StripeError(f"Received unknown parameter: {path}", code="parameter_unknown", param=path)


def missing_parameter(path: str) -> StripeError:
    """A parameter without which the request means nothing."""
    return StripeError(f"Missing required param: {path}.", code="parameter_missing", param=path)


def invalid(path: str, message: str, code: str | None = None) -> StripeError:
    """A known parameter with a value that is not allowed."""
    return StripeError(message, code=code, param=path)


def unsupported(path: str) -> StripeError:
    """Stripe knows this parameter, the fake Stripe does not act on it; silence would make a test lie."""
    return StripeError(
        f"The fake Stripe does not implement the parameter {path}; real Stripe accepts it.",
        code="sandbox_unsupported",
        param=path,
    )
