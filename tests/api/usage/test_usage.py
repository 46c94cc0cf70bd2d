"""Reporting usage and asking before an action."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import httpx
import pytest

from tests.api.conftest import Api
from tests.support.builders import a_key, an_organization, the_catalogue


@pytest.fixture
def program(api: Api):
    """A program of acme, which is on the default plan: 1,000 MAU, no SMS."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        secret, _ = a_key(session, an_organization(session, "acme"))
    with api.program(secret) as client:
        yield client


def report(client: httpx.Client, *events: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/organizations/acme/usage", json={"events": list(events)})
    assert answer.status_code == 202, answer.text
    return answer.json()


def used(client: httpx.Client, metric: str) -> int:
    items = client.get("/organizations/acme/balances").json()["items"]
    return next(item["used"] for item in items if item["metric"] == metric)


def test_usage_is_counted(program: httpx.Client) -> None:
    answer = report(
        program,
        {"id": "1", "metric": "mau", "subject": "device-1"},
        {"id": "2", "metric": "mau", "subject": "device-1"},
        {"id": "3", "metric": "bandwidth", "quantity": 5_000, "at": "2026-03-09T23:00:00+01:00"},
    )
    assert answer == {"accepted": 3, "duplicates": [], "rejected": []}
    assert (used(program, "mau"), used(program, "bandwidth")) == (1, 5_000)


def test_sending_it_again_changes_nothing(program: httpx.Client) -> None:
    event = {"id": "1", "metric": "bandwidth", "quantity": 5_000}
    report(program, event)
    again = report(program, event, {**event, "quantity": 6_000})
    assert again["accepted"] == 0
    assert again["duplicates"] == [
        {"index": 0, "id": "1", "differs": False},
        {"index": 1, "id": "1", "differs": True},
    ]
    assert [(each["index"], each["code"]) for each in again["rejected"]] == [(1, "idempotency_mismatch")]
    assert used(program, "bandwidth") == 5_000


@pytest.mark.parametrize("other", [{"quantity": 6_000}, {"metric": "emails"}, {"at": "2026-03-09T23:00:00Z"}])
def test_an_id_with_other_content_is_a_mismatch(program: httpx.Client, other: dict[str, Any]) -> None:
    event = {"id": "1", "metric": "bandwidth", "quantity": 5_000}
    report(program, event)
    answer = program.post("/organizations/acme/usage", json={"events": [event | other]})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    good = report(program, event | other, {**event, "id": "2", "quantity": 1})
    assert (good["accepted"], [each["code"] for each in good["rejected"]]) == (1, ["idempotency_mismatch"])
    assert used(program, "bandwidth") == 5_001


def test_good_events_of_a_batch_are_kept(program: httpx.Client) -> None:
    answer = report(
        program,
        {"id": "1", "metric": "nonsense", "quantity": 1},
        {"id": "2", "metric": "bandwidth", "quantity": 7},
        {"id": "3", "metric": "bandwidth", "quantity": 1, "at": "2025-01-01T00:00:00Z"},
        {"id": "4", "metric": "bandwidth", "quantity": 1, "at": "2026-03-11T00:00:00Z"},
    )
    assert answer["accepted"] == 1
    assert [(each["index"], each["code"]) for each in answer["rejected"]] == [
        (0, "metric_not_found"),
        (2, "usage_too_old"),
        (3, "usage_in_future"),
    ]
    assert used(program, "bandwidth") == 7


GOOD = {"id": "0", "metric": "bandwidth", "quantity": 1}

NO_EVENTS: dict[str, str] = {
    '{"metric": "mau", "subject": "a"}': "invalid_id",
    '{"id": "", "metric": "mau", "subject": "a"}': "invalid_id",
    '{"id": null, "metric": "mau", "subject": "a"}': "invalid_id",
    '{"id": 1, "metric": "mau", "subject": "a"}': "invalid_id",
    '{"id": "1\\u0000", "metric": "bandwidth", "quantity": 1}': "invalid_id",
    '{"id": "1\\n", "metric": "bandwidth", "quantity": 1}': "invalid_id",
    '{"id": "\\ud800", "metric": "bandwidth", "quantity": 1}': "invalid_id",
    json.dumps({**GOOD, "id": "x" * 256}): "invalid_id",
    '{"id": "1", "quantity": 1}': "invalid_metric",
    '{"id": "1", "metric": ["bandwidth"], "quantity": 1}': "invalid_metric",
    '{"id": "1", "metric": "mau", "subject": ""}': "invalid_subject",
    '{"id": "1", "metric": "mau", "subject": "a\\u2028b"}': "invalid_subject",
    '{"id": "1", "metric": "bandwidth"}': "invalid_quantity",
    '{"id": "1", "metric": "bandwidth", "quantity": null}': "invalid_quantity",
    '{"id": "1", "metric": "bandwidth", "quantity": "5"}': "invalid_quantity",
    '{"id": "1", "metric": "bandwidth", "quantity": 5.5}': "invalid_quantity",
    '{"id": "1", "metric": "bandwidth", "quantity": true}': "invalid_quantity",
    '{"id": "1", "metric": "bandwidth", "quantity": NaN}': "invalid_quantity",
    '{"id": "1", "metric": "bandwidth", "quantity": 1e-400}': "invalid_quantity",
    '{"id": "1", "metric": "bandwidth", "quantity": {"value": 5}}': "invalid_quantity",
    '{"id": "1", "metric": "bandwidth", "quantity": 1e19}': "quantity_too_large",
    '{"id": "1", "metric": "bandwidth", "quantity": 1e400}': "quantity_too_large",
    json.dumps({**GOOD, "id": "1", "quantity": 2**63}): "quantity_too_large",
    json.dumps({**GOOD, "id": "1", "quantity": 10**400}): "quantity_too_large",
    '{"id": "1", "metric": "bandwidth", "quantity": %s}' % ("9" * 5_000): "quantity_too_large",
    '{"id": "1", "metric": "bandwidth", "quantity": 1, "at": 1700000000}': "invalid_at",
    '{"id": "1", "metric": "bandwidth", "quantity": 1, "at": ""}': "invalid_at",
    '{"id": "1", "metric": "bandwidth", "quantity": 1, "at": "2026-03-01"}': "invalid_at",
    '{"id": "1", "metric": "bandwidth", "quantity": 1, "at": "2026-03-01T00:00:00"}': "invalid_at",
    '{"id": "1", "metric": "bandwidth", "quantity": 1, "at": "0001-01-01T00:00:00+14:00"}': "invalid_at",
    '{"id": "1", "metric": "bandwidth", "quantity": 1, "at": "9999-12-31T23:59:59-14:00"}': "invalid_at",
    '{"id": "1", "metric": "bandwidth", "quantitiy": 1}': "invalid_event",
    "[]": "invalid_event",
    "null": "invalid_event",
    '"1"': "invalid_event",
}


@pytest.mark.parametrize("event", NO_EVENTS)
def test_an_event_that_is_no_event_is_rejected_by_its_index_and_the_others_count(
    program: httpx.Client, event: str
) -> None:
    body = f'{{"events": [{json.dumps(GOOD)}, {event}, {json.dumps({**GOOD, "id": "2"})}]}}'
    answer = program.post("/organizations/acme/usage", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2), answer.text
    assert [(each["index"], each["code"]) for each in answer.json()["rejected"]] == [(1, NO_EVENTS[event])]
    assert used(program, "bandwidth") == 2


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"events": {}}', '{"events": [], "more": 1}', "[" * 100_000])
def test_a_body_that_is_no_batch_is_refused(program: httpx.Client, body: str) -> None:
    answer = program.post("/organizations/acme/usage", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text


def test_a_byte_order_mark_is_read_over(program: httpx.Client) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"events": [GOOD]}).encode()
    answer = program.post("/organizations/acme/usage", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1), answer.text
    question = b"\xef\xbb\xbf" + json.dumps({"metric": "bandwidth"}).encode()
    answer = program.post("/organizations/acme/check", content=question, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text


def test_a_whole_number_may_be_written_with_a_point(program: httpx.Client) -> None:
    """JSON has one kind of number, and the document says `integer`, which 5.0 is."""
    answer = report(program, {"id": "1", "metric": "bandwidth", "quantity": 5.0})
    again = report(program, {"id": "1", "metric": "bandwidth", "quantity": 5})
    assert (answer["accepted"], again["duplicates"][0]["differs"], used(program, "bandwidth")) == (1, False, 5)


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_batch_has_one_to_a_thousand_events(program: httpx.Client, count: int) -> None:
    events = [{"id": str(n), "metric": "bandwidth", "quantity": 1} for n in range(count)]
    assert program.post("/organizations/acme/usage", json={"events": events}).status_code == 422


class TestCloudEvents:
    """The same as a batch of CloudEvents."""

    EVENT: ClassVar = {"specversion": "1.0", "id": "1", "source": "/eu", "type": "bandwidth", "data": {"quantity": 5}}

    def send(self, program: httpx.Client, events: Any, form: str = "cloudevents-batch") -> httpx.Response:
        headers = {"Content-Type": f"application/{form}+json; charset=utf-8"}
        return program.post("/organizations/acme/usage", json=events, headers=headers)

    def test_they_are_counted(self, program: httpx.Client) -> None:
        device = {"specversion": "1.0", "id": "2", "source": "/eu", "type": "mau", "subject": "device-1", "extra": 1}
        assert self.send(program, [self.EVENT, device]).json()["accepted"] == 2
        assert (used(program, "bandwidth"), used(program, "mau")) == (5, 1)

    def test_source_and_id_together_make_it_the_same_event(self, program: httpx.Client) -> None:
        answer = self.send(program, [self.EVENT, self.EVENT, {**self.EVENT, "source": "/us"}]).json()
        assert (answer["accepted"], len(answer["duplicates"])) == (2, 1)

    def test_a_source_with_a_blank_is_none_and_cannot_pass_for_another(self, program: httpx.Client) -> None:
        pair = [{**self.EVENT, "source": "a", "id": "b c"}, {**self.EVENT, "source": "a b", "id": "c"}]
        answer = self.send(program, pair).json()
        assert (answer["accepted"], answer["rejected"][0]["index"], answer["rejected"][0]["code"]) == (
            1,
            1,
            "invalid_event",
        )

    def test_one_alone_is_counted_once_whether_alone_or_in_a_batch(self, program: httpx.Client) -> None:
        alone = self.send(program, self.EVENT, form="cloudevents")
        assert (alone.status_code, alone.json()["accepted"]) == (202, 1)
        assert self.send(program, [self.EVENT]).json()["duplicates"][0]["differs"] is False
        assert used(program, "bandwidth") == 5
        wrong = self.send(program, {**self.EVENT, "specversion": "0.3"}, form="cloudevents").json()
        assert (wrong["accepted"], wrong["rejected"][0]["code"]) == (0, "invalid_event")

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"specversion": "0.3"}, "invalid_event"),
            ({"Subject": "a"}, "invalid_event"),
            ({"data": {"quantitiy": 1}}, "invalid_event"),
            ({"data": [5]}, "invalid_event"),
            ({"data_base64": "eyJxdWFudGl0eSI6IDV9"}, "invalid_event"),
            ({"source": None}, "invalid_event"),
            ({"id": None}, "invalid_id"),
            ({"id": "x" * 255}, "invalid_id"),
            ({"type": None}, "invalid_metric"),
            ({"data": {"quantity": "5"}}, "invalid_quantity"),
            ({"data": {"quantity": 2**63}}, "quantity_too_large"),
            ({"time": "2026-03-01T00:00:00"}, "invalid_at"),
        ],
    )
    def test_one_that_is_none_is_rejected_and_the_others_count(
        self, program: httpx.Client, change: dict[str, Any], code: str
    ) -> None:
        answer = self.send(program, [self.EVENT, {**self.EVENT, **change}, {**self.EVENT, "id": "3"}]).json()
        assert answer["accepted"] == 2, answer
        assert [(each["index"], each["code"]) for each in answer["rejected"]] == [(1, code)]

    def test_another_form_is_unsupported(self, program: httpx.Client) -> None:
        answer = program.post("/organizations/acme/usage", content=b"a,b", headers={"Content-Type": "text/csv"})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


class TestCheck:
    """May the organization do this?"""

    def ask(self, program: httpx.Client, **question: Any) -> dict[str, Any]:
        answer = program.post("/organizations/acme/check", json=question)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def test_a_quantity_that_fits_is_allowed(self, program: httpx.Client) -> None:
        assert self.ask(program, metric="mau", quantity=1_000) == {"allowed": True, "blocking": [], "still_works": []}

    def test_what_does_not_fit_says_by_how_much_and_what_still_works(self, program: httpx.Client) -> None:
        answer = self.ask(program, metric="mau", quantity=1_001)
        assert not answer["allowed"]
        assert answer["blocking"] == [
            {"metric": "mau", "allowance": 1_000, "used": 0, "reserved": 0, "credits": 0, "requested": 1_001}
        ]
        assert "download" in answer["still_works"]

    @pytest.mark.parametrize("question", [{"quantities": {"mau": 1_001}}, {"quantities": {"bandwidth": 2**62}}])
    def test_a_refused_action_is_never_among_what_still_works(
        self, program: httpx.Client, question: dict[str, Any]
    ) -> None:
        answer = self.ask(program, action="update_check", **question)
        assert not answer["allowed"]
        assert answer["still_works"]
        assert "update_check" not in answer["still_works"]
        for action in answer["still_works"]:
            assert self.ask(program, action=action)["allowed"]

    def test_an_action_stops_for_its_own_metrics_only(self, program: httpx.Client) -> None:
        report(program, {"id": "1", "metric": "storage", "quantity": 2_000_000_000})
        upload = self.ask(program, action="upload")
        assert [each["metric"] for each in upload["blocking"]] == ["storage"]
        assert self.ask(program, action="download")["allowed"]

    @pytest.mark.parametrize(
        "question",
        [
            {},
            {"metric": "mau", "action": "upload"},
            {"action": "upload", "quantity": 1},
            {"metric": "mau", "quantity": 1.5},
            {"metric": "mau", "quantities": {"mau": 1}},
        ],
    )
    def test_a_question_is_one_question(self, program: httpx.Client, question: dict[str, Any]) -> None:
        assert program.post("/organizations/acme/check", json=question).status_code == 422

    def test_an_unknown_action_or_metric_is_not_found(self, program: httpx.Client) -> None:
        for question, code in (({"action": "fly"}, "action_not_found"), ({"metric": "fly"}, "metric_not_found")):
            answer = program.post("/organizations/acme/check", json=question)
            assert (answer.status_code, answer.json()["code"]) == (404, code)


class TestCatalogue:
    """What anyone may see."""

    def test_plans_packs_and_metrics_are_public(self, api: Api) -> None:
        the_catalogue(api.database)
        with api.client() as anyone:
            plans = anyone.get("/plans").json()["items"]
            assert plans[0]["organization"].keys() >= {"memberships", "subOrgs", "maxProcesses", "customURL"}
            assert anyone.get(f"/plans/{plans[0]['plan']}").json() == plans[0]
            assert anyone.get("/metrics").json()["items"][0]["id"] == "mau"
            packs = anyone.get("/packs", params={"metric": "sms"}).json()["items"]
            assert {pack["metric"] for pack in packs} == {"sms"}
            assert all(pack["price_cents"] > 0 and len(pack["currency"]) == 3 for pack in packs)

    def test_an_unknown_plan_is_not_found(self, api: Api) -> None:
        the_catalogue(api.database)
        with api.client() as anyone:
            answer = anyone.get("/plans/nonsense")
        assert (answer.status_code, answer.json()["code"]) == (404, "plan_not_found")

    def test_before_a_catalogue_is_loaded_the_answer_is_503(self, api: Api) -> None:
        with api.client() as anyone:
            assert (anyone.get("/plans").status_code) == 503
