"""What differs in case, form or name only: organizations' addresses, time zones, countries, codes of gift cards."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError, InvalidError
from billing_app.domain.credits import gift_codes
from billing_app.services.access import users
from billing_app.services.common import organizations, places
from billing_app.services.organizations import profiles
from tests.support.builders import an_organization

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_an_address_that_differs_in_case_alone_is_taken(database: Database) -> None:
    with database.writing() as session:
        an_organization(session, "Acme")
    for address in ("acme", "ACME", "Acme"):
        with database.writing() as session, pytest.raises(ConflictError) as refused:
            organizations.create(session, NOW, address=address)
        assert refused.value.code == "address_taken"
    with database.reading() as session:
        assert organizations.by_address(session, "Acme").address_key == "acme"


def test_pairs_that_were_there_before_stay_and_no_third_comes(database: Database) -> None:
    """The migration's statement over rows as they were: the first keeps the plain key, the other its address."""
    from importlib import import_module

    with database.writing() as session:
        for address in ("acme", "Globex", "b"):
            an_organization(session, address)
        connection = session.connection()
        connection.execute(sa.text("UPDATE organizations SET address_key = address"))
        connection.execute(sa.text("UPDATE organizations SET address = 'ACME', address_key = '1' WHERE address = 'b'"))
        connection.execute(sa.text(import_module("migrations.versions.0015_addresses_apart_from_case").KEYS))
        session.expire_all()
        keys = dict(connection.execute(sa.text("SELECT address, address_key FROM organizations")).all())
        second = organizations.by_address(session, "ACME")
        assert keys == {"acme": "acme", "Globex": "globex", "ACME": f"acme#{second.id}"}
        with pytest.raises(ConflictError):
            organizations.create(session, NOW, address="aCME")


@pytest.mark.parametrize(
    "zone",
    ["Factory", "localtime", "posixrules", "leapseconds", "", " ", "europe/lisbon", "EUROPE/LISBON", "../etc/passwd",
     "posix/Europe/Lisbon", "right/UTC", "Europe", "Europe/", "/usr/share/zoneinfo/UTC", "GMT+25", "GMT2", "UTC\u200b"],
)  # fmt: skip
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidError) as refused:
        profiles.validated({"timezone": zone})
    assert refused.value.fields["field"] == "timezone"


@pytest.mark.parametrize(
    "code", ["XX", "ZZ", "EU", "UN", "QO", "EZ", "XK", "UK", "AA", "P", "PRT", "П", "\uff30\uff34"]
)
def test_what_is_no_country_is_refused(code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        profiles.validated({"country": code})
    assert refused.value.fields["field"] == "country"


def test_what_is_there_is_taken() -> None:
    said = {"timezone": "Europe/Lisbon", "country": "pt"}
    assert profiles.validated(said) == {"timezone": "Europe/Lisbon", "country": "PT"}
    assert profiles.validated({"timezone": "UTC", "country": ""}) == {"timezone": "UTC", "country": ""}
    assert len(places.countries()) == 249


CODE = "ABCDEFGHJKMNPQRS"

BETWEEN = st.text(
    st.sampled_from(" -\t\u00a0\u2007\u202f\u3000\u200b\u200c\u200d\u2060\ufeff\u00ad\u2010\u2011\u2012\u2013\u2014"
                    "\u2212\uff0d\ufe63\u2800\u3164\u115f\ufe0f\u034f\u2066\u2069'\"\u201c\u201d._/"),
    max_size=3,
)  # fmt: skip


@given(st.lists(st.tuples(BETWEEN, st.integers(0, 2)), min_size=17, max_size=17))
def test_a_code_is_read_as_people_type_it(around: list[tuple[str, int]]) -> None:
    shapes = (str, str.lower, lambda letter: chr(ord(letter) + 0xFEE0))
    typed = "".join(between + shapes[shape](letter) for letter, (between, shape) in zip(CODE, around[:-1], strict=True))
    assert gift_codes.normal(typed + around[-1][0]) == CODE
    assert gift_codes.normal(unicodedata.normalize("NFD", typed)) == CODE


@pytest.mark.parametrize(
    "typed", ["", "-", CODE[:-1], CODE + "A", CODE[:-1] + "O", CODE[:-1] + "\u0410", CODE[:-1] + "é"]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert gift_codes.normal(typed) is None


@pytest.mark.parametrize(
    "email", ["\uff41da@example.org", "ada\u200b@example.org", "ada@example.org\ufeff", "a\u0308da@b.org"]
)  # fmt: skip
def test_an_e_mail_address_that_looks_like_another_is_refused(email: str) -> None:
    with pytest.raises(InvalidError):
        users.valid_email(email)


def test_an_e_mail_address_is_the_same_in_capitals() -> None:
    assert users.valid_email(" Ada@Example.ORG ") == "ada@example.org"
