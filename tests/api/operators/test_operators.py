"""What operators do over HTTP, and what customers do with what they are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from billing_app.domain.common.access import Scope
from billing_app.services.common import organizations
from billing_app.services.credits import gift_cards
from tests.api.conftest import Api
from tests.support.builders import a_key, an_organization, the_catalogue

Body = dict[str, Any]


@pytest.fixture
def operator(api: Api) -> Iterator[httpx.Client]:
    """The operator's program."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        an_organization(session, "acme")
        secret, _ = a_key(session, None)
    with api.program(secret) as client:
        yield client


@pytest.fixture
def customer(api: Api, operator: httpx.Client) -> Iterator[httpx.Client]:
    """acme's program."""
    with api.database.writing() as session:
        secret, _ = a_key(session, organizations.by_address(session, "acme"), *Scope)
    with api.program(secret) as client:
        yield client


def once(client: httpx.Client, path: str, body: Body, key: str = "1") -> httpx.Response:
    return client.post(path, json=body, headers={"Idempotency-Key": key})


def give(operator: httpx.Client, key: str = "1", **more: Any) -> httpx.Response:
    body = {"organization": "acme", "metric": "mau", "quantity": 500, "reason": "an outage on our side", **more}
    return once(operator, "/admin/grants", body, key)


def credits_of(client: httpx.Client, metric: str) -> int:
    balances = client.get("/organizations/acme/balances").json()["items"]
    return next(each["credits"] for each in balances if each["metric"] == metric)


class TestGrantsByHand:
    """Credits with a reason."""

    def test_a_reason_is_kept_in_the_customers_ledger(self, operator: httpx.Client, customer: httpx.Client) -> None:
        given = give(operator)
        assert (given.status_code, given.json()["source"], given.json()["paid_cents"]) == (201, "operator", 0)
        assert credits_of(customer, "mau") == 500
        (entry,) = customer.get("/organizations/acme/ledger").json()["items"]
        assert entry["reason"] == "an outage on our side"

    def test_the_same_key_gives_once(self, operator: httpx.Client, customer: httpx.Client) -> None:
        first, again = give(operator), give(operator)
        assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
        assert give(operator, quantity=7).json()["code"] == "idempotency_mismatch"
        assert credits_of(customer, "mau") == 500

    @pytest.mark.parametrize(
        ("wrong", "status", "code"),
        [
            ({"reason": ""}, 422, "invalid_fields"),
            ({"reason": "   "}, 422, "reason_required"),
            ({"quantity": 0}, 422, "invalid_fields"),
            ({"organization": "nowhere"}, 404, "organization_not_found"),
            ({"metric": "nothing"}, 404, "metric_not_found"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "invalid_expiry"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, operator: httpx.Client, wrong: Body, status: int, code: str) -> None:
        answer = give(operator, **wrong)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    def test_null_never_ends(self, operator: httpx.Client) -> None:
        assert give(operator, expires_at=None).json()["expires_at"] is None
        assert give(operator, key="2").json()["expires_at"] is not None

    def test_voiding_forfeits_what_is_left_once(self, operator: httpx.Client, customer: httpx.Client) -> None:
        grant = give(operator).json()["id"]
        for _ in range(2):
            answer = operator.post(f"/admin/grants/{grant}/void", json={"reason": "given to the wrong one"})
            assert answer.status_code == 200
        assert credits_of(customer, "mau") == 0
        missing = operator.post("/admin/grants/none/void", json={"reason": "x"})
        assert (missing.status_code, missing.json()["code"]) == (404, "grant_not_found")


class TestGiftCards:
    """Codes that are told once."""

    def make(self, operator: httpx.Client, key: str = "c", **more: Any) -> httpx.Response:
        body = {"name": "Welcome", "contents": {"mau": 200, "token": 4}, **more}
        return once(operator, "/admin/gift-cards", body, key)

    def test_from_making_to_redeeming(self, operator: httpx.Client, customer: httpx.Client) -> None:
        (card,) = self.make(operator).json()["items"]
        redeemed = once(customer, "/organizations/acme/gift-cards/redeem", {"code": card["code"].lower()})
        assert [grant["metric"] for grant in redeemed.json()["grants"]] == ["mau", "token"]
        assert credits_of(customer, "mau") == 200
        (listed,) = operator.get("/admin/gift-cards").json()["items"]
        assert (listed["state"], listed["redemptions"], "code" in listed) == ("used_up", 1, False)
        (who,) = operator.get(f"/admin/gift-cards/{card['id']}/redemptions").json()["items"]
        assert who["address"] == "acme"

    def test_codes_are_told_this_once(self, operator: httpx.Client) -> None:
        assert self.make(operator).status_code == 201
        again = self.make(operator)
        assert (again.status_code, again.json()["code"]) == (409, "answer_not_kept")
        assert len(operator.get("/admin/gift-cards").json()["items"]) == 1

    def test_redeeming_again_replays_and_a_new_attempt_is_refused(
        self, operator: httpx.Client, customer: httpx.Client
    ) -> None:
        (card,) = self.make(operator, max_redemptions=3).json()["items"]
        path, body = "/organizations/acme/gift-cards/redeem", {"code": card["code"]}
        first, again, anew = once(customer, path, body), once(customer, path, body), once(customer, path, body, "2")
        assert first.json() == again.json()
        assert (anew.status_code, anew.json()["code"]) == (409, "gift_card_redeemed")
        assert credits_of(customer, "mau") == 200

    def test_guessing_ends_in_429(self, customer: httpx.Client) -> None:
        path = "/organizations/acme/gift-cards/redeem"
        wrong = [once(customer, path, {"code": "2222-3333-4444-5555"}, str(n)) for n in range(gift_cards.MAX_GUESSES)]
        assert {(answer.status_code, answer.json()["code"]) for answer in wrong} == {(404, "gift_card_not_found")}
        last = once(customer, path, {"code": "2222-3333-4444-5555"}, "last")
        assert (last.status_code, last.headers["retry-after"]) == (429, "900")

    def test_pages_of_the_list_meet(self, operator: httpx.Client) -> None:
        self.make(operator, count=5)
        seen, cursor = [], ""
        while True:
            answer = operator.get(f"/admin/gift-cards?limit=2{cursor}").json()
            seen += [card["id"] for card in answer["items"]]
            if answer["next_cursor"] is None:
                break
            cursor = f"&cursor={answer['next_cursor']}"
        assert len(seen) == len(set(seen)) == 5

    def test_a_void_card_says_why(self, operator: httpx.Client, customer: httpx.Client) -> None:
        (card,) = self.make(operator).json()["items"]
        voided = operator.post(f"/admin/gift-cards/{card['id']}/void", json={"reason": "lost in the post"})
        assert (voided.json()["state"], voided.json()["void_reason"]) == ("void", "lost in the post")
        refused = once(customer, "/organizations/acme/gift-cards/redeem", {"code": card["code"]})
        assert refused.json()["code"] == "gift_card_void"


class TestTokens:
    """Tokens over HTTP."""

    def test_tokens_become_credits_once_per_key(self, operator: httpx.Client, customer: httpx.Client) -> None:
        give(operator, metric="token", quantity=10)
        path, body = "/organizations/acme/tokens/convert", {"metric": "mau", "tokens": 4}
        first, again = once(customer, path, body), once(customer, path, body)
        assert (first.json()["quantity"], first.json()["reason"]) == (400, "Increase MAU limit by 400")
        assert again.json() == first.json()
        assert credits_of(customer, "mau") == 400
        short = once(customer, path, {"metric": "mau", "tokens": 7}, "2")
        assert (short.status_code, short.json()["code"], short.json()["credits"]) == (402, "credits_exhausted", 6)


class TestOrganizations:
    """Found, made, given a plan and overrides."""

    def test_made_found_and_given_a_plan(self, operator: httpx.Client) -> None:
        made = operator.post("/admin/organizations", json={"address": "newco", "name": "New Co", "plan": "pro"})
        assert (made.status_code, made.json()["plan"]) == (201, "pro")
        (found,) = operator.get("/admin/organizations?search=new").json()["items"]
        assert (found["address"], found["plan_name"]) == ("newco", "Pro")
        operator.put("/admin/organizations/newco/plan", json={"plan": "free", "reason": "trial ended"})
        assert operator.get("/admin/organizations?search=newco").json()["items"][0]["plan_name"] == "Free"
        again = operator.post("/admin/organizations", json={"address": "newco"})
        assert (again.status_code, again.json()["code"]) == (409, "address_taken")

    def test_an_override_stands_until_it_is_taken_back(self, operator: httpx.Client) -> None:
        path = "/admin/organizations/acme/overrides/limit/memberships"
        put = operator.put(path, json={"value": 9, "reason": "a pilot", "ends_at": "2030-01-01T00:00:00Z"})
        assert (put.status_code, put.json()["value"]) == (200, 9)
        assert operator.delete(path).status_code == 204
        (listed,) = operator.get("/admin/organizations/acme/overrides").json()["items"]
        assert listed["ended_at"] is not None

    def test_the_audit_log_knows_who_did_what(self, operator: httpx.Client) -> None:
        give(operator)
        entry = operator.get("/admin/audit").json()["items"][0]
        assert (entry["action"], entry["who"]) == ("grant.made", "API key test")


class TestCatalogue:
    """Edits over HTTP."""

    def edit(self, operator: httpx.Client, **more: Any) -> Body:
        found = operator.get("/admin/catalogue").json()
        found["document"]["plans"][0]["included"]["mau"] = 2_000
        return {"document": found["document"], "based_on": found["version"], **more}

    def test_looked_at_then_saved(self, operator: httpx.Client) -> None:
        edit = self.edit(operator)
        seen = operator.post("/admin/catalogue/preview", json=edit).json()
        assert (seen["affected_count"], seen["affected"][0]["address"]) == (1, "acme")
        assert seen["affected"][0]["metrics"][0]["allowance_after"] == 2_000
        saved = operator.put("/admin/catalogue", json=edit).json()
        assert (saved["version"], saved["written"]) == (edit["based_on"] + 1, True)
        newest, first = operator.get("/admin/catalogue/versions").json()["items"]
        assert [change["path"] for change in newest["changes"]] == ["plans.free.included.mau"]
        old = operator.get(f"/admin/catalogue/versions/{first['version']}").json()
        assert old["document"]["plans"][0]["included"]["mau"] == 1_000

    def test_an_edit_of_an_older_version_is_refused(self, operator: httpx.Client) -> None:
        edit = self.edit(operator)
        operator.put("/admin/catalogue", json=edit)
        edit["document"]["grace_days"] = 3
        answer = operator.put("/admin/catalogue", json=edit)
        assert (answer.status_code, answer.json()["code"]) == (409, "catalogue_changed")

    def test_every_mistake_has_its_place(self, operator: httpx.Client) -> None:
        edit = self.edit(operator)
        edit["document"]["plans"][0]["included"]["mau"] = 1.5
        edit["document"]["packs"][0]["price_cents"] = -1
        checked = operator.post("/admin/catalogue/validate", json={"document": edit["document"]}).json()
        assert [mistake["path"] for mistake in checked["mistakes"]] == ["plans[0].included.mau", "packs[0].price_cents"]
        refused = operator.put("/admin/catalogue", json=edit)
        assert (refused.status_code, refused.json()["code"]) == (422, "catalogue_invalid")
        assert len(refused.json()["mistakes"]) == 2

    def test_the_export_is_the_file(self, operator: httpx.Client) -> None:
        answer = operator.get("/admin/catalogue/plans.json")
        assert answer.headers["content-disposition"] == 'attachment; filename="plans.json"'
        assert answer.json() == operator.get("/admin/catalogue").json()["document"]
