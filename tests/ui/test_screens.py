"""From views to what screens say: sentences, sums and links."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from billing_app.domain.catalogue.model import Hue, Metric
from billing_app.domain.credits.facts import Aggregation
from billing_app.services.credits.views import GrantStatus
from billing_app.services.credits.views_ledger import LedgerFilters
from billing_app.services.overview.views import BannerKind, BannerView
from billing_app.services.purchases.views_buying import CheckoutView
from billing_app.ui.credits.explain_text import explain_screen
from billing_app.ui.credits.ledger_text import ledger_screen
from billing_app.ui.credits.text import credits_screen, grant_row
from billing_app.ui.frame.text import frame_screen
from billing_app.ui.kit.formats import Formats
from billing_app.ui.kit.records import chart_caption, in_a_sentence
from billing_app.ui.overview.text import OverviewScreen, overview_screen
from billing_app.ui.purchases.checkout_return_text import checkout_return_screen
from billing_app.ui.purchases.text import buy_screen
from billing_app.ui.sign_in.text import link_screen, refusal
from billing_app.ui.usage.text import usage_screen
from tests.ui.records import credits as accounts
from tests.ui.records import overview as overviews
from tests.ui.records import purchases as shop
from tests.ui.records import usage as usages
from tests.ui.records.facts import BANDWIDTH, EMAILS, MAU, NOW, SMS, STORAGE, at, period

FORMATS = Formats()
FRAME = overviews.frame("meridian")
GAP = "\N{NO-BREAK SPACE}"


def overview(**changes: Any) -> OverviewScreen:
    """The overview's screen of the sample, changed."""
    return overview_screen(replace(overviews.meridian(), **changes), FRAME, FORMATS)


def test_the_answer_comes_first_in_a_sentence() -> None:
    banner = overview().banner
    assert banner.title == "MAU runs out on 14 Dec at this pace."
    assert banner.text == "50,000 more cost $49.00 and last until 18 Jan."
    assert banner.action == f"Buy 50,000{GAP}MAU"
    assert banner.action_full == f"Buy 50,000{GAP}MAU for $49.00"
    assert banner.action_href == "/o/meridian/credits/buy?metric=mau&basket=mau-50k%3A1"


def test_one_banner_the_worst_and_how_many_more() -> None:
    shown = overview_screen(overviews.stopped(), overviews.frame("stopped"), FORMATS)
    assert shown.banner.title == "Uploads are blocked: storage is used up"
    assert shown.banner.text.endswith("Everything else works.")
    assert (shown.banner.tone, shown.banner.more, len(shown.others)) == ("blocked", "and 2 more", 2)
    assert shown.actions[0].name == "Uploads blocked"
    assert [one.works for one in shown.actions] == [False, True, True, True, True]


def test_what_it_takes_adds_up() -> None:
    takes = overview_screen(overviews.stopped(), overviews.frame("stopped"), FORMATS).takes
    assert [line.value for line in takes.lines] == [f"250{GAP}GB", f"−100{GAP}GB"]
    assert takes.result.value == f"150{GAP}GB"
    assert f"150{GAP}GB pay for December at this level, 50{GAP}GB are room to grow." in takes.text


def test_what_is_already_used_is_said_first() -> None:
    view = overviews.stopped()
    assert view.takes is not None
    owing = replace(view, takes=replace(view.takes, pays_for_past=6 * 10**9))
    text = overview_screen(owing, overviews.frame("stopped"), FORMATS).takes.text
    assert f"6{GAP}GB pay for what is already used, 150{GAP}GB for December at this level, 44{GAP}GB are room" in text


@pytest.mark.parametrize(
    ("banner", "title", "tone"),
    [
        (BannerView(BannerKind.RUNS_OUT, EMAILS, at("2025-12-17")), "Emails run out on 17 Dec at this pace.", "soon"),
        (BannerView(BannerKind.DEBT, MAU, quantity=1200), "1,200 MAU credits are owed.", "blocked"),
        (BannerView(BannerKind.PAST_DUE, at=at("2025-11-28")), "The last payment for your plan failed.", "soon"),
        (
            BannerView(BannerKind.OVER_LIMIT, limit_name="members"),
            "There are more members than the plan allows.",
            "soon",
        ),
        (BannerView(BannerKind.BLOCKED, SMS, NOW), "SMS is used up", "blocked"),
        (
            BannerView(BannerKind.ENDS_UNUSED, BANDWIDTH, at("2025-12-08"), 10**12),
            f"1.00{GAP}TB bandwidth credits end on 8 Dec, unused.",
            "soon",
        ),
    ],
)
def test_each_kind_of_banner_has_its_sentence(banner: BannerView, title: str, tone: str) -> None:
    shown = overview(banners=(banner,)).banner
    assert (shown.title, shown.tone, shown.more) == (title, tone, "")


def test_several_blocked_actions_are_listed() -> None:
    banner = BannerView(BannerKind.BLOCKED, MAU, NOW, actions=("Uploads", "Downloads", "Update checks"))
    assert (
        overview(banners=(banner,)).banner.title == "Uploads, downloads and update checks are blocked: MAU is used up"
    )


def test_a_quiet_overview_has_no_banner() -> None:
    assert not overview(banners=()).banner.visible


def test_who_may_not_buy_is_told_why() -> None:
    member = overviews.frame("meridian", "member")
    assert "Your role here cannot buy" in overview_screen(overviews.meridian(), member, FORMATS).banner.action_why_not
    unsold = replace(FRAME, selling=False)
    assert "Payments are not set up" in frame_screen(unsold).buying
    assert frame_screen(FRAME).buying == ""


def test_a_new_organization_is_empty_and_shows_its_meters() -> None:
    shown = overview_screen(overviews.fresh(), overviews.frame("fresh-start"), FORMATS)
    assert shown.empty
    assert len(shown.meters) == 5
    assert shown.recount.startswith("Not counted yet")


def test_a_failed_recount_says_that_figures_are_exact() -> None:
    shown = overview(recount=replace(overviews.meridian().recount, failed=True))
    assert shown.recount_failed
    assert "figures are exact" in shown.recount


def test_usage_keeps_metric_range_and_month_in_the_url() -> None:
    shown = usage_screen(usages.usage("meridian", "sms", 3, None), FRAME, FORMATS, months=3)
    assert shown.month_hrefs[0] == "/o/meridian/usage?metric=sms&months=3&month=2025-09-01"
    assert shown.month_hrefs[-1] == "/o/meridian/usage?metric=sms&months=3"
    assert (shown.metric_base, shown.span_base) == (
        "/o/meridian/usage?months=3&metric=",
        "/o/meridian/usage?metric=sms&months=",
    )
    assert shown.csv_href == "/api/v1/organizations/meridian/history.csv?metric=sms"


def test_usage_shows_the_chosen_month() -> None:
    shown = usage_screen(usages.usage("meridian", "mau", 13, at("2025-03-10")), FRAME, FORMATS)
    assert [(one.label, one.value) for one in shown.stats] == [
        ("Mar 2025", "13,910"),
        ("Covered by plan", "10,000"),
        ("Covered by credits", "1,000"),
        ("Uncovered", "2,910"),
    ]
    assert [row.name for row in shown.rows if row.chosen] == ["Mar 2025"]
    assert shown.rows[0].name == "Nov so far"


def test_what_nobody_paid_has_its_own_name_while_the_month_runs() -> None:
    view = usages.usage("meridian", "mau", 13, None)
    *ended, running = view.months
    owing = replace(running, burned=running.burned - 90, deficit=90)
    shown = usage_screen(replace(view, months=(*ended, owing)), FRAME, FORMATS)
    assert (shown.stats[3].label, shown.stats[3].value, shown.stats[3].tone) == ("Deficit", "90", "blocked")
    assert shown.chart.table.heads[-2:] == ["Uncovered", "Deficit"]
    assert [(one.label, one.value) for one in shown.rows[0].unpaid] == [("Uncovered", "0"), ("Deficit", "90")]
    assert [(one.value, one.tone) for one in shown.rows[8].unpaid] == [("2,910", "blocked"), ("0", "quiet")]
    assert {len(row.cells) + len(row.unpaid) + 1 for row in shown.rows} == {len(shown.chart.table.heads)}
    assert shown.chart.unpaid == "Uncovered or deficit"
    assert "Deficit so far: 90." in shown.chart.alt

    alone = usage_screen(replace(view, months=(owing,)), FRAME, FORMATS)
    assert (alone.chart.table.heads[-1], alone.chart.unpaid) == ("Deficit", "Deficit")
    assert usage_screen(view, FRAME, FORMATS).chart.table.heads[-2:] == ["By credits", "Uncovered"]


def test_sources_are_shown_when_there_are_several() -> None:
    assert usage_screen(usages.usage("meridian", "mau", 13, None), FRAME, FORMATS).sources == []
    several = usage_screen(usages.usage("meridian", "bandwidth", 13, None), FRAME, FORMATS)
    assert [one.name for one in several.sources] == ["Meridian Apps", "Meridian Labs"]


def test_credits_are_a_sum() -> None:
    shown = credits_screen(accounts.credits("meridian", "mau", 6), FRAME, FORMATS)
    assert [(one.label, one.value) for one in shown.sums] == [
        ("Granted", "81,000"),
        ("Burned", "−55,880"),
        ("not yet posted", "−194"),
        ("Expired", "0"),
    ]
    assert (shown.left, shown.until, shown.until_tone) == ("25,120", "14 Dec", "soon")
    assert [choice.label for choice in shown.filters] == ["All 5", "With credits left 2"]


def test_only_grants_with_credits_left() -> None:
    shown = credits_screen(accounts.credits("meridian", "mau", 6), FRAME, FORMATS, only_left=True)
    assert [row.name for row in shown.grants] == ["50,000 pack", "10,000 pack"]
    assert shown.total_left == "25,120"


def test_a_grant_names_the_months_that_burned_it() -> None:
    row = grant_row(accounts.GRANTS[0], MAU, NOW, "", FORMATS)
    assert row.burns == ["Sep 10,720", "Oct 4,870", "Nov 19,290"]
    assert (row.badge, row.note, row.dim) == ("Burning now", "bought, $49.00", False)
    used_up = grant_row(accounts.GRANTS[2], MAU, NOW, "", FORMATS)
    assert (used_up.dim, used_up.note, used_up.badge) == (True, "“Outage on 16 Oct”", "")


def test_many_months_of_one_grant_are_summed_up() -> None:
    many = tuple(
        replace(accounts.GRANTS[0].burns[0], period=period(at(f"2025-{month:02}-05")), quantity=month)
        for month in range(1, 9)
    )
    row = grant_row(replace(accounts.GRANTS[0], burns=many), MAU, NOW, "", FORMATS)
    assert row.burns == ["earlier 10", "May 5", "Jun 6", "Jul 7", "Aug 8"]


def test_a_disputed_grant_is_on_hold() -> None:
    held = replace(accounts.GRANTS[0], left=0, held=15_120, status=GrantStatus.HELD)
    row = grant_row(held, MAU, NOW, "", FORMATS)
    assert (row.badge, row.end_note, row.dim) == ("On hold", "15,120 on hold", False)


def test_the_explanation_is_an_equation_with_every_step() -> None:
    shown = explain_screen(accounts.explain("meridian", "mau", None), FRAME, FORMATS)
    assert [f"{one.value} {one.label}" for one in shown.terms] == ["81,000 granted", "55,880 burned", "0 expired"]
    assert (shown.left, shown.steps[0].what, shown.steps[0].href) == ("25,120", "Not yet posted", "")
    assert shown.steps[3].note == "620 reported late, on 3 Nov"
    assert [line.value for line in shown.later.lines] == ["35,030", "−620"]
    assert shown.later.result.value == "34,410"


def test_the_ledger_ends_with_what_is_not_yet_posted() -> None:
    shown = ledger_screen((accounts.ledger("meridian", LedgerFilters(), ""), None), FRAME, FORMATS)
    assert (shown.rows[0].unposted, shown.rows[0].change, shown.rows[0].note) == (True, "−194", "posts at 18:00 UTC")
    assert shown.older_href == "/o/meridian/ledger?cursor=next"


def test_the_ledger_shows_the_date_that_it_is_in_the_order_of() -> None:
    view = accounts.ledger("meridian", LedgerFilters(), "")
    late = replace(view.lines[0], occurred_at=at("2025-10-28T09:00"), recorded_at=at("2025-11-20T18:00"))
    row = ledger_screen((replace(view, lines=(late,)), None), FRAME, FORMATS).rows[-1]
    assert (row.when, row.when_note) == ("20 Nov 2025", "counts on 28 Oct")
    same_day = replace(late, occurred_at=at("2025-11-20T17:30"))
    row = ledger_screen((replace(view, lines=(same_day,)), None), FRAME, FORMATS).rows[-1]
    assert (row.when, row.when_note) == ("20 Nov 2025", "18:00 UTC")


def test_where_nothing_is_left_the_calculator_says_what_is_owed_instead_of_an_empty_drawing() -> None:
    view = shop.buy("meridian", "mau", None, {})
    assert view.need is not None
    empty = replace(view.need, as_it_is=tuple(replace(one, left=0) for one in view.need.as_it_is), with_basket=())
    owing = tuple(replace(one, owed=6_400 if one.metric.id == "mau" else one.owed) for one in view.metrics)
    shown = buy_screen(replace(view, need=empty, metrics=owing), FRAME, FORMATS).need
    assert [(one.label, one.value) for one in shown.nothing] == [("Left now", "0"), ("Owed for past use", "6,400")]
    assert "pays this first" in shown.nothing_note
    assert buy_screen(view, FRAME, FORMATS).need.nothing == []


def test_ledger_filters_stay_in_every_link() -> None:
    filters = LedgerFilters(metric="mau", kind="burn", starting=at("2025-01-01"), search="late use")
    view = accounts.ledger("meridian", LedgerFilters(), "")
    shown = ledger_screen((view, None), FRAME, FORMATS, filters)
    assert shown.kind_base == "/o/meridian/ledger?metric=mau&from=2025-01-01&search=late+use&kind="
    assert "kind=burn" in shown.older_href
    assert shown.csv_href.endswith("ledger.csv?metric=mau&kind=burn&from=2025-01-01T00%3A00%3A00Z")
    assert shown.filtered


def test_the_trace_leads_back_to_the_filtered_page() -> None:
    filters = LedgerFilters(kind="burn")
    view = accounts.ledger("meridian", filters, "")
    shown = ledger_screen((view, accounts.trace(9)), FRAME, FORMATS, filters)
    assert shown.trace.title == "Entry 9: Use above the plan"
    assert shown.close_href == "/o/meridian/ledger?kind=burn"
    assert [row.number for row in shown.rows if row.chosen] == ["9"]


def test_the_basket_says_price_and_until_when() -> None:
    shown = buy_screen(shop.buy("meridian", "mau", None, {"mau-50k": 1, "sms-500": 2}), FRAME, FORMATS)
    assert [(row.name, row.price) for row in shown.basket] == [
        (f"50,000{GAP}MAU", "$49.00"),
        (f"2 × 500{GAP}SMS", "$60.00"),
    ]
    assert (shown.total, shown.count, shown.refusal) == ("$109.00", "3 packs", "")
    assert shown.need.in_basket


def test_an_empty_basket_cannot_be_paid_and_says_why() -> None:
    shown = buy_screen(shop.buy("meridian", "mau", None, {}), FRAME, FORMATS)
    assert shown.refusal == "Put a pack into the basket first."
    assert not shown.need.in_basket


def test_the_basket_says_what_pays_for_the_past() -> None:
    view = shop.buy("meridian", "mau", None, {"mau-50k": 1})
    owing = replace(view, basket=(replace(view.basket[0], pays_for_past=50),))
    notes = [note.label for note in buy_screen(owing, FRAME, FORMATS).notes]
    assert f"Of the 50,000{GAP}MAU, 50 pay for what is already used." in notes
    level = replace(view, basket=(replace(view.basket[0], burned_each_period=70),))
    assert "At this level 70 are burned again every month." in [
        note.label for note in buy_screen(level, FRAME, FORMATS).notes
    ]


@pytest.mark.parametrize(
    ("status", "title"),
    [
        ("open", "Waiting for the payment"),
        ("paid", "Paid, and added to your credits"),
        ("failed", "The payment did not go through"),
        ("expired", "This payment page has ended"),
    ],
)
def test_the_way_back_from_payment(status: str, title: str) -> None:
    view = shop.checkout(status) if status != "paid" else shop.checkout("x")
    shown = checkout_return_screen(view, "meridian", FORMATS, patient=False)
    assert (shown.status, shown.title) == ("waiting" if status == "open" else status, title)


def test_a_declined_card_is_told_and_nothing_was_charged() -> None:
    view = CheckoutView("failed", 4900, "USD", (), "Your card was declined.")
    assert (
        checkout_return_screen(view, "m", FORMATS, patient=False).text == "Your card was declined. Nothing was charged."
    )


def test_refusals_of_the_entrance_are_ours_whatever_the_url_says() -> None:
    assert refusal("wrong_password") == "E-mail or password is wrong."
    assert refusal("<script>") == "This did not work. Try again."
    assert refusal("") == ""


def test_an_invitation_says_to_what() -> None:
    from billing_app.services.access.views import Kind, LinkView

    view = LinkView(Kind.INVITATION, "ana@example.com", "", "Meridian", "billing", has_password=True)
    assert link_screen(view).text == "ana@example.com is invited to Meridian with the role billing."


def test_names_inside_a_sentence() -> None:
    calls = Metric("calls", "API calls", "made", Aggregation.SUM, "calls", "calls", 1, 1, Hue.CYAN, "zap")
    assert [in_a_sentence(one) for one in (STORAGE, MAU, calls)] == ["storage", "MAU", "API calls"]


def test_charts_say_what_they_count() -> None:
    assert chart_caption(MAU, "") == "unique devices"
    assert chart_caption(STORAGE, "GB") == "highest level, GB"
    assert chart_caption(BANDWIDTH, "TB") == "TB served"
