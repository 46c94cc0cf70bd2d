"""The page of alerts: what it shows, who may change it, and that a secret never lies in its state."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from billing_app.domain.common.access import ADMIN_ROLES
from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.notifications.kinds import KINDS, kind_ids
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.notifications import delivery_log, webhook_endpoints
from billing_app.ui.access import live
from billing_app.ui.access.session import GUARD
from billing_app.ui.kit.formats import Formats
from billing_app.ui.notifications.page import AlertsState
from billing_app.ui.notifications.text import AlertsScreen, alerts_screen, answer
from billing_app.ui.overview.page import OverviewState
from tests.support.builders import NOON
from tests.ui.conftest import Meridian
from tests.ui.records.facts import NOW
from tests.ui.records.notifications import alerts
from tests.ui.records.overview import frame
from tests.ui.states import move

PAGE = "/o/meridian/alerts"
GONE = "00000000-0000-0000-0000-000000000009"
"""The id of nothing."""


def run(work: Any) -> Any:
    return asyncio.run(work)


def shown(address: str = "meridian", state: str = "", delivery: str = "") -> AlertsScreen:
    """What the screen says of the records."""
    return alerts_screen(alerts(address, state, delivery), frame(address), Formats(), state=state)


def loaded(meridian: Meridian, url: str = PAGE, role: str = "admin") -> Any:
    state = meridian.open(AlertsState, url, role)
    run(state.load())
    return state


def notified(state: Any, kind: str, place: int) -> bool:
    """The tick of a kind in a column."""
    return next(line for line in state.screen.lines if line.kind == kind).cells[place].notified


def a_hook(meridian: Meridian) -> str:
    """The id of an endpoint that there is."""
    with meridian.database.writing() as session:
        organization = organizations.by_address(session, "meridian")
        made = webhook_endpoints.create(
            Context(session, organization, NOON, "tests"), "https://hooks.meridian.example/b"
        )
        return str(made.id)


def test_every_kind_has_a_line_with_a_cell_for_everybody() -> None:
    screen = shown()
    kinds = [line for line in screen.lines if line.kind]
    assert [line.kind for line in kinds] == sorted(kind_ids(), key=[line.kind for line in kinds].index)
    assert {len(line.cells) for line in kinds} == {len(screen.columns)} == {5}
    assert (screen.mail_columns, screen.webhook_columns) == (4, 1)
    blocked = next(line for line in kinds if line.kind == "metric.blocked")
    assert [cell.notified for cell in blocked.cells] == [True, True, False, True, True]
    assert [cell.first for cell in blocked.cells] == [False, False, False, False, True]
    assert blocked.cells[4].label == "Something is blocked: tell hooks.meridian.example by webhook"


def test_every_topic_of_a_kind_has_its_heading() -> None:
    lines = shown().lines
    assert len([line for line in lines if line.kind]) == len(KINDS)
    assert lines[0].topic == "Usage"


def test_thresholds_are_said_in_the_readers_own_figures() -> None:
    line = next(line for line in shown().lines if line.kind == "plan.usage")
    assert line.note == "At 50, 70, 90 and 100 %, once each a month. For MAU: at 12,500, 17,500, 22,500 and 25,000."


def test_deliveries_say_what_became_of_them() -> None:
    waiting, delivered, failed = shown().deliveries
    assert (waiting.state, waiting.tone, waiting.note) == ("Waiting", "soon", "It answered 503. Again at 14:15")
    assert (delivered.state, delivered.tone, delivered.note) == ("Delivered", "good", "")
    assert (failed.state, failed.tone, failed.note) == ("Failed", "blocked", "It answered 500.")


def test_a_filter_and_an_opened_delivery_live_in_the_url() -> None:
    screen = shown(state="failed", delivery="00000000-0000-0000-0000-000000000001")
    assert [row.state for row in screen.deliveries] == ["Failed"]
    assert screen.opened.visible
    assert '"type": "metric.blocked"' in screen.opened.body
    assert (screen.opened.tries[0].result, screen.opened.tries[0].answer) == ("It answered 500.", "try later")
    assert screen.close_href == f"{PAGE}?state=failed"


def test_the_filter_of_the_url_is_the_pages_and_rubbish_is_none(meridian: Meridian) -> None:
    state = loaded(meridian)
    delivery = str(run(state.test(a_hook(meridian)))).partition("delivery=")[2][:36]
    screen = loaded(meridian, f"{PAGE}?state=waiting&delivery={delivery}").screen
    assert (screen.state, len(screen.deliveries), screen.opened.visible) == ("waiting", 1, True)
    assert loaded(meridian, f"{PAGE}?state=failed").screen.deliveries == []
    assert loaded(meridian, f"{PAGE}?state=rubbish&delivery=rubbish").screen.state == "all"


@pytest.mark.parametrize("role", ["member", "billing"])
def test_only_admins_open_it(meridian: Meridian, role: str) -> None:
    state = loaded(meridian, role=role)
    assert (state.problem, state.screen.ready, state.frame.alerts_href) == ("forbidden", False, "")
    assert loaded(meridian).frame.alerts_href == PAGE


def test_a_tab_that_is_refused_a_page_hears_no_more_of_the_page_before(meridian: Meridian) -> None:
    before = meridian.open(OverviewState, "/o/meridian", "member", token="goes-on")
    run(before.load())
    assert "goes-on" in live._tabs
    refused = meridian.open(AlertsState, PAGE, "member", token="goes-on")
    run(refused.load())
    assert refused.problem == "forbidden"
    assert "goes-on" not in live._tabs


def test_every_handler_is_for_admins() -> None:
    own = {name: value for name, value in vars(AlertsState).items() if type(value).__name__ == "EventHandler"}
    assert len(own) >= 10
    for name, found in own.items():
        assert getattr(found.fn, GUARD, None) == ADMIN_ROLES, name


def test_a_tick_is_one_choice(meridian: Meridian) -> None:
    state = loaded(meridian)
    assert not notified(state, "metric.blocked", 2)
    run(state.choose("role:member", "metric.blocked", True))
    assert notified(state, "metric.blocked", 2)
    run(state.choose_person("cleo@meridian.example", True))
    assert [(each.name, each.note) for each in state.screen.readers][-1] == ("Cleo", "cleo@meridian.example")
    run(state.choose_person("cleo@meridian.example", False))
    assert "cleo@meridian.example" not in [each.note for each in state.screen.readers]


def test_a_secret_goes_to_the_browser_once_and_into_no_state(meridian: Meridian) -> None:
    state, hook = loaded(meridian), a_hook(meridian)
    for work, argument in ((state.add, {"url": "https://x.example"}), (state.rotate, hook)):
        sent = str(run(work(argument)))
        secret = sent[sent.index("whsec_") :][:38]
        assert state.fresh
        assert secret[:20] not in str(state.dict())
        assert secret[:20] not in str(run(state.hide_secret()))
        assert not state.fresh


def test_a_refused_address_is_said_in_the_form(meridian: Meridian) -> None:
    state = loaded(meridian)
    run(state.open_adding(True))
    run(state.add({"url": "http://x.example"}))
    assert (state.problem, state.adding, state.fresh) == ("", True, False)
    assert "https://" in state.refused
    run(state.open_adding(False))
    assert (state.refused, state.adding) == ("", False)


def test_a_test_opens_its_delivery(meridian: Meridian) -> None:
    sent_to = str(run(loaded(meridian).test(a_hook(meridian))))
    with meridian.database.reading() as session:
        (made,) = delivery_log.latest(Context(session, organizations.by_address(session, "meridian"), NOON), limit=5)
    assert f"delivery={made.id}" in sent_to


def test_an_organization_without_any_has_words_for_it() -> None:
    screen = shown("fresh-start")
    assert (screen.mail, screen.endpoints, screen.deliveries, screen.webhook_columns) == (False, [], [], 0)


def test_what_a_button_does_not_find_any_more_is_a_sentence_and_the_page_is_read_anew(meridian: Meridian) -> None:
    state = loaded(meridian)
    assert run(state.resend(GONE)) == AlertsState.load
    for _its_own_and_a_push in range(2):
        run(state.load())
        assert (state.problem, state.problem_detail) == ("refused", "There is no such delivery.")
        assert state.screen.ready
    run(state.load())
    assert (state.problem, state.problem_detail) == ("", "")


def test_what_was_gone_on_one_page_is_not_said_on_another(meridian: Meridian) -> None:
    state = loaded(meridian)
    run(state.resend(GONE))
    assert state.problem == "refused"
    move(state._get_root_state(), f"{PAGE}/other", meridian.cookies["admin"])
    run(state.load())
    assert state.problem == ""


def test_an_organization_that_is_gone_takes_the_page_with_it(
    meridian: Meridian, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = loaded(meridian)

    def gone(*_arguments: object) -> None:
        raise NotFoundError("There is no such organization.", code="organization_not_found")

    monkeypatch.setattr(delivery_log, "resend", gone)
    run(state.resend(GONE))
    assert state.problem == "not_found"


def test_the_page_begins_with_who_is_told_and_whether_it_arrives() -> None:
    screen = shown()
    assert screen.answer.sentence == "Team chat hears of what happens within seconds."
    assert screen.answer.rest == "The last message arrived 21 Nov, 04:10 UTC. 4 people are told by mail."
    assert [(each.name, each.note) for each in screen.readers][-1] == ("Ben Ito", "ben@meridian.example")
    assert [each.notified_of for each in screen.readers][2] == "nothing"
    assert (screen.endpoints[0].notified_of, screen.endpoints[0].detail) == (
        "everything",
        "Last message 21 Nov, 04:10 UTC.",
    )


@pytest.mark.parametrize(
    ("change", "sentence", "tone"),
    [
        ({"disabled_at": NOW, "disabled_reason": "It answered 410 Gone."}, "Team chat is switched off", "blocked"),
        ({"failing_since": NOW}, "Nothing reaches Team chat at the moment.", "soon"),
        ({"arrived_at": None}, "Team chat hears of what happens from now on.", ""),
    ],
)
def test_what_is_wrong_with_an_endpoint_comes_first(change: dict[str, Any], sentence: str, tone: str) -> None:
    view = alerts("meridian", "", "")
    view = replace(view, endpoints=(replace(view.endpoints[0], **change),))
    found = answer(view)
    assert found.sentence.startswith(sentence)
    assert found.tone == tone


def test_without_a_webhook_the_page_says_who_is_mailed() -> None:
    view = replace(alerts("meridian", "", ""), endpoints=())
    assert answer(view).sentence == "4 people are told by mail."
    assert answer(alerts("fresh-start", "", "")).sentence == "Nobody is told of anything yet."
