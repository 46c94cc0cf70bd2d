"""One module per subject of the control API."""

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every subject, so that its actions are registered."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
