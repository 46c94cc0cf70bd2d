"""Consume and reservations over HTTP, and that check says beforehand what consume then does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key, an_organization, the_catalogue

GB = 1_000_000_000
INCLUDED = 20 * GB
"""What the free plan has of bandwidth."""

keys = count()


class Product:
    """A program that uses bandwidth of acme, which has the free plan."""

    def __init__(self, api: Api) -> None:
        """Makes acme and its key."""
        self.api = api
        the_catalogue(api.database)
        with api.database.writing() as session:
            self.http = api.program(a_key(session, an_organization(session), *Scope)[0])

    def post(self, route: str, body: Any = None, key: str | None = None) -> httpx.Response:
        """A request about acme, with a key of its own unless told otherwise."""
        headers = {"Idempotency-Key": key or f"key-{next(keys)}"}
        return self.http.post(f"/organizations/acme/{route}", json=body or {}, headers=headers)

    def consume(self, quantity: int, *, mode: str = "reject", key: str | None = None) -> httpx.Response:
        """Takes bandwidth."""
        return self.post("consume", {"metric": "bandwidth", "quantity": quantity, "mode": mode}, key)

    def reserve(self, quantity: int, **more: Any) -> httpx.Response:
        """Holds bandwidth."""
        return self.post("reservations", {"metric": "bandwidth", "quantity": quantity, **more})

    def check(self, quantity: int = 1) -> dict[str, Any]:
        """Asks for bandwidth."""
        answer = self.post("check", {"metric": "bandwidth", "quantity": quantity})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def grant(self, quantity: int, name: str = "one") -> None:
        """Gives acme credits."""
        with self.api.database.writing() as session:
            acme = organizations.by_address(session, "acme")
            grants.grant(
                Context(session, acme, self.api.now),
                grants.NewGrant("bandwidth", quantity, source="given", source_key=name, reason="A test"),
            )


@pytest.fixture
def product(api: Api) -> Iterator[Product]:
    made = Product(api)
    yield made
    made.http.close()


def is_refused(answer: httpx.Response, **figures: Any) -> bool:
    content = answer.json()
    assert (answer.status_code, content["code"]) == (402, "credits_exhausted"), answer.text
    return figures.items() <= content.items()


class TestConsume:
    """Takes only what is there."""

    def test_what_fits_is_taken(self, product: Product) -> None:
        answer = product.consume(GB // 4)
        assert answer.status_code == 200
        assert answer.json() == {"accepted": GB // 4, "used": GB // 4, "allowance": INCLUDED, "credits": 0}

    def test_what_does_not_fit_whole_is_refused_with_the_same_figures(self, product: Product) -> None:
        product.consume(INCLUDED - 5)
        figures = {"accepted": 0, "used": INCLUDED - 5, "allowance": INCLUDED, "credits": 0, "requested": 6}
        assert is_refused(product.consume(6), **figures)

    def test_clamp_takes_what_fits_and_is_refused_when_nothing_does(self, product: Product) -> None:
        product.consume(INCLUDED - 5)
        assert product.consume(6, mode="clamp").json()["accepted"] == 5
        assert is_refused(product.consume(6, mode="clamp"), accepted=0, used=INCLUDED)

    def test_credits_pay_once_the_allowance_is_used(self, product: Product) -> None:
        product.grant(10)
        answer = product.consume(INCLUDED + 4)
        assert answer.json() == {"accepted": INCLUDED + 4, "used": INCLUDED + 4, "allowance": INCLUDED, "credits": 6}

    def test_a_repeated_key_gives_the_first_answer_and_takes_once(self, product: Product) -> None:
        first, again = (product.consume(7, key="one") for _ in range(2))
        assert first.json() == again.json()
        assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
        assert product.consume(7, key="two").json()["used"] == 14

    def test_a_refusal_is_repeated_though_there_are_credits_now(self, product: Product) -> None:
        assert is_refused(product.consume(INCLUDED + 1, key="one"))
        product.grant(10)
        assert is_refused(product.consume(INCLUDED + 1, key="one"), credits=0)
        assert product.consume(INCLUDED + 1, key="a new attempt").json()["credits"] == 9

    def test_another_request_needs_another_key(self, product: Product) -> None:
        product.consume(7, key="one")
        for answer in (product.consume(8, key="one"), product.consume(7, mode="clamp", key="one")):
            assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")

    def test_only_sums_are_consumed(self, product: Product) -> None:
        for metric, status, code in (("mau", 422, "not_consumable"), ("tokens", 404, "metric_not_found")):
            answer = product.post("consume", {"metric": metric, "quantity": 1})
            assert (answer.status_code, answer.json()["code"]) == (status, code)

    @pytest.mark.parametrize("quantity", [0, -1])
    def test_a_quantity_is_at_least_1(self, product: Product, quantity: int) -> None:
        answer = product.consume(quantity)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_quantity")


class TestReservations:
    """Hold, confirm, give back."""

    def test_what_is_held_is_not_there_for_others(self, product: Product) -> None:
        held = product.reserve(INCLUDED - 1)
        assert (held.status_code, held.json()["status"]) == (201, "open")
        assert is_refused(product.consume(2))
        assert product.check(1)["allowed"]
        assert product.check(2)["blocking"][0]["reserved"] == INCLUDED - 1

    def test_confirming_counts_what_was_used_and_gives_the_rest_back(self, product: Product) -> None:
        held = product.reserve(INCLUDED).json()
        answers = [product.post(f"reservations/{held['id']}/confirm", {"quantity": 3}) for _ in range(2)]
        for answer in answers:
            assert answer.status_code == 200
            assert (answer.json()["status"], answer.json()["confirmed_quantity"]) == ("confirmed", 3)
        assert product.consume(INCLUDED - 3).json()["used"] == INCLUDED

    def test_releasing_gives_all_back(self, product: Product) -> None:
        held = product.reserve(INCLUDED).json()
        for _ in range(2):
            answer = product.http.delete(f"/organizations/acme/reservations/{held['id']}")
            assert (answer.status_code, answer.json()["status"]) == (200, "released")
        assert product.consume(INCLUDED).status_code == 200
        late = product.post(f"reservations/{held['id']}/confirm")
        assert (late.status_code, late.json()["code"]) == (422, "reservation_expired")

    def test_a_reservation_runs_out_by_itself(self, product: Product) -> None:
        held = product.reserve(INCLUDED, timeout_s=60).json()
        product.api.now += timedelta(seconds=60)
        assert product.check(INCLUDED)["allowed"]
        late = product.post(f"reservations/{held['id']}/confirm")
        assert (late.status_code, late.json()["code"]) == (422, "reservation_expired")

    def test_refusals(self, product: Product) -> None:
        held = product.reserve(5).json()
        refusals = {
            "reservation_exceeded": product.post(f"reservations/{held['id']}/confirm", {"quantity": 6}),
            "invalid_quantity": product.post(f"reservations/{held['id']}/confirm", {"quantity": -1}),
            "invalid_timeout": product.reserve(1, timeout_s=86_401),
            "reservation_not_found": product.post("reservations/none/confirm"),
            "credits_exhausted": product.reserve(INCLUDED),
        }
        for code, answer in refusals.items():
            assert answer.json()["code"] == code

    def test_a_repeated_key_holds_once(self, product: Product) -> None:
        bodies = {"metric": "bandwidth", "quantity": INCLUDED}
        first, again = (product.post("reservations", bodies, key="one") for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()


class TestAgreement:
    """Check allows exactly what consume accepts (credits.md, Laws)."""

    @pytest.mark.parametrize("more", [-1, 0, 1])
    @pytest.mark.parametrize("credits_left", [0, GB // 10])
    @pytest.mark.parametrize("used", [0, 3 * GB // 10])
    @pytest.mark.parametrize("reserved", [0, GB // 4])
    def test_at_the_limit_and_on_either_side(
        self, product: Product, used: int, reserved: int, credits_left: int, more: int
    ) -> None:
        if credits_left:
            product.grant(credits_left)
        if used:
            product.consume(used)
        if reserved:
            product.reserve(reserved)
        wanted = INCLUDED + credits_left - used - reserved + more
        said = product.check(wanted)
        done = product.consume(wanted)
        assert said["allowed"] == (done.status_code == 200) == (more <= 0)
        if more > 0:
            figures = {"used": used, "allowance": INCLUDED, "credits": credits_left, "requested": wanted}
            assert is_refused(done, **figures)
            assert said["blocking"] == [{"metric": "bandwidth", "reserved": reserved, **figures}]

    @pytest.mark.both_databases
    def test_many_clients_at_once_fill_it_to_the_last_byte(self, product: Product) -> None:
        step = GB // 4
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: product.consume(3 * step), range(40)))
        accepted = sum(answer.status_code == 200 for answer in answers)
        assert accepted == INCLUDED // (3 * step)
        assert {answer.status_code for answer in answers} == {200, 402}
        rest = product.consume(3 * step, mode="clamp").json()
        assert (rest["accepted"], rest["used"]) == (INCLUDED - accepted * 3 * step, INCLUDED)


class TestWhatChecksCost:
    """A check reads; it waits for nobody and is never answered "no" for want of an answer."""

    def test_a_check_does_not_wait_for_a_writer(self, product: Product) -> None:
        product.consume(1)
        with product.api.database.writing() as session:
            organizations.raise_revision(session, 1)
            session.flush()
            assert product.check(1)["allowed"]

    def test_a_meter_that_is_out_of_date_is_computed_first(self, product: Product) -> None:
        product.consume(INCLUDED)
        assert not product.check(1)["allowed"]
        correction = {"events": [{"id": "c", "metric": "bandwidth", "quantity": -5}]}
        assert product.post("usage", correction).json()["accepted"] == 1
        assert product.check(5)["allowed"]
        assert not product.check(6)["allowed"]
        product.api.now += timedelta(days=31)
        assert product.check(INCLUDED)["allowed"]

    def test_without_an_answer_it_is_unavailable_and_not_refused(self, product: Product, site: Site) -> None:
        absent = Database("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2")
        Api(site, absent)
        questions = [("check", {"metric": "bandwidth"}), ("consume", {"metric": "bandwidth", "quantity": 1})]
        for route, body in questions:
            answer = product.post(route, body)
            assert (answer.status_code, answer.json()["code"]) == (503, "state_unavailable")
            assert int(answer.headers["retry-after"]) > 0
        absent.close()
