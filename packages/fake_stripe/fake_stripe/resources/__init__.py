"""One module per kind of object: what it holds and what can be done with it."""

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every resource, so that its operations and timers are registered."""
    for module in ("checkout", "receipts"):
        import_module(f"fake_stripe.billing.{module}")
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
