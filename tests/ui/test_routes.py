"""Links: what is asked for is in the URL, and nothing of it breaks out."""

from __future__ import annotations

import pytest

from billing_app.domain.common.errors import InvalidError
from billing_app.ui import routes
from billing_app.ui.credits.explain import moment_in
from billing_app.ui.usage.page import day_in


def test_what_is_empty_is_left_out() -> None:
    assert routes.usage("a", metric="mau", months="", month=None) == "/o/a/usage?metric=mau"
    assert routes.overview("a") == "/o/a"


def test_values_are_quoted() -> None:
    assert routes.ledger("a", search="a&b=c#d") == "/o/a/ledger?search=a%26b%3Dc%23d"
    assert routes.overview("a/b?c") == "/o/a%2Fb%3Fc"


def test_the_sign_in_page_comes_back() -> None:
    assert routes.sign_in("/o/a/usage?metric=mau") == "/sign-in?next=%2Fo%2Fa%2Fusage%3Fmetric%3Dmau"


@pytest.mark.parametrize(
    ("path", "address"),
    [("/o/acme/usage", "acme"), ("/o/acme", "acme"), ("/o/", ""), ("/", ""), ("/x/acme", ""), ("/o/a%2Eb", "a.b")],
)
def test_the_address_is_in_the_path(path: str, address: str) -> None:
    assert routes.address_in(path) == address


NO_DAYS = [
    "yesterday",
    "2025-13-01",
    "2025-02-30",
    "2025-01-01T00:00",
    "9" * 400,
    "\u0662025-01-01",
    "0001-01-01",
    "9999-12-31",
]


@pytest.mark.parametrize("text", NO_DAYS)
def test_a_day_that_is_none_is_refused(text: str) -> None:
    """A page about another day than its address says would be wrong without a word."""
    with pytest.raises(InvalidError):
        day_in(text)
    with pytest.raises(InvalidError):
        moment_in(text if "T" not in text else f"{text}T")
    assert (day_in(""), moment_in("")) == (None, None)


def test_moments_are_in_utc() -> None:
    moment = moment_in("2025-11-21T14:10")
    assert moment is not None
    assert moment.isoformat() == "2025-11-21T14:10:00+00:00"
