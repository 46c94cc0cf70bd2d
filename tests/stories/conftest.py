"""Stories that go through the API share its test server."""

from tests.api.conftest import site

__all__ = ["site"]
