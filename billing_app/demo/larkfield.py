"""Larkfield Maps: comfortable. Outgrew the free plan, went uncovered for two months, upgraded, buys what is missing.

Devices pass the plan again since four months and are paid by packs that run out next month at this pace; a bandwidth
pack bought a year ago ends unused soon; everything else fits the plan.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from billing_app.demo.calendar import RUNNING, Calendar
from billing_app.demo.facts import Buy, Decide, Fact, Found, Give, HoldPlan, Invite, Report, Story
from billing_app.demo.people import LARKFIELD
from billing_app.demo.rhythm import device, levels, subjects, sums
from billing_app.domain.common.access import Role
from billing_app.domain.processes.processes import Content, Question
from billing_app.services.usage.reporting import ReportedEvent

ADDRESS = LARKFIELD.address

ANCHOR_DAY = 1
"""The day of the month on which its periods turn."""

UPGRADED = 6
"""The period with which Essential began; free before."""

MAU = (780, 850, 930, 990, 1_480, 2_150, 4_100, 6_000, 8_200, 10_600, 11_400, 12_500, 13_200, 15_500)
STORAGE_MB = (420, 480, 560, 640, 720, 860, 3_100, 4_700, 6_300, 8_000, 9_400, 10_900, 12_300, 13_700)
BANDWIDTH_MB = (
    9_100, 10_400, 12_200, 13_500, 15_100, 17_300,
    90_500, 141_000, 188_000, 231_000, 262_000, 299_000, 331_000, 368_000,
)  # fmt: skip
EMAILS = (120, 140, 150, 170, 190, 230, 1_400, 1_900, 2_300, 2_700, 3_000, 3_400, 3_700, 4_100)
SMS = (5, 6, 6, 7, 7, 8, 8, 8, 7, 7, 8, 8, 7, 8)

MEGABYTE = 1_000_000

LATE_DEVICES = 62
"""Devices of one office whose connection was down over the end of a month."""


def story(now: datetime) -> Story:
    """What happened to Larkfield Maps."""
    calendar = Calendar.anchored(now, ANCHOR_DAY)
    usage = [
        *subjects(calendar, f"{ADDRESS}:mau", "mau", MAU),
        *levels(calendar, f"{ADDRESS}:storage", "storage", STORAGE_MB, MEGABYTE),
        *sums(calendar, f"{ADDRESS}:bandwidth", "bandwidth", BANDWIDTH_MB, MEGABYTE),
        *sums(calendar, f"{ADDRESS}:emails", "emails", EMAILS),
        *sums(calendar, f"{ADDRESS}:sms", "sms", SMS),
    ]
    return Story(
        organization=LARKFIELD,
        profile={
            "type": "company",
            "description": "Offline maps for walkers and cyclists.",
            "size": "11-50",
            "color": "#0090ff",
            "timezone": "Europe/Copenhagen",
            "country": "DK",
        },
        anchor=calendar.anchor,
        plan="free",
        facts=(*_credits(calendar), _late_use(calendar), *_people(calendar, now), *_processes(calendar, now)),
        usage=tuple(usage),
    )


def _credits(calendar: Calendar) -> list[Fact]:
    at = calendar.at
    return [
        Buy(at(0, 2, 10, 41), "sms-first", "sms-100"),
        Buy(calendar.a_year_before(16, 9), "bandwidth-spare", "bandwidth-100gb"),
        Give(at(5, 12, 15, 20), "gift-mapping-day", "mau", 500, "gift_card", "Mapping day", days=365),
        HoldPlan(at(UPGRADED, 1, 9, 12), "essential", "Upgraded by Nora Sandell"),
        Buy(at(9, 8, 11, 5), "mau-first", "mau-1k"),
        Buy(at(10, 19, 16, 47), "mau-second", "mau-1k"),
        Buy(at(11, 2, 8, 30), "mau-large", "mau-10k"),
        Buy(at(11, 9, 13, 2), "sms-second", "sms-100"),
        Give(at(12, 18, 10, 4), "outage", "mau", 1_000, "operator", f"Outage on {at(12, 16, 0):%d %b}", days=92),
        Buy(at(RUNNING, 12, 9, 33), "mau-small", "mau-1k"),
    ]


def _people(calendar: Calendar, now: datetime) -> list[Fact]:
    """A part of its own for the hiking guides, and a colleague who has not answered yet."""
    return [
        Found(calendar.at(9, 3, 10, 12), "larkfield-trails", "Larkfield Trails", one_in=4),
        Invite(now - timedelta(hours=26), "kim@larkfield.example", Role.MEMBER),
    ]


def _processes(calendar: Calendar, now: datetime) -> list[Fact]:
    """What its members were asked: one that is over, one that is running, and one that is being prepared."""
    chair = Question("Who should chair the members\N{RIGHT SINGLE QUOTATION MARK} council?", ("Ida Holm", "Jonas Wren"))
    trail = Question("Which trail deserves a map of its own?", ("North coast", "Old railway", "Seven lakes"))
    council = "Members\N{RIGHT SINGLE QUOTATION MARK} council"
    board = Content(
        council, "Two years, two candidates.", questions=(chair,), census=184, email_reminders=1,
        features=("liveResults",),
    )  # fmt: skip
    poll = Content(
        "Trail of the year", "The winner is drawn first next spring.", ends_at=now + timedelta(days=12),
        questions=(trail,), census=640, voting_type="multiple", features=("liveResults", "personalization"),
    )  # fmt: skip
    survey = Content("Guides\N{RIGHT SINGLE QUOTATION MARK} survey", census=48)
    return [
        Decide(calendar.at(9, 12, 9, 5), board, closed_at=calendar.at(9, 26, 18, 0)),
        Decide(now - timedelta(days=5, hours=2), poll),
        Decide(now - timedelta(hours=19), survey, published=False),
    ]


def _late_use(calendar: Calendar) -> Report:
    """Devices that were there before a period ended and are told three days after it."""
    seen_at = calendar.before_end(11, 1, 21)
    devices = (device(900_000 + number) for number in range(LATE_DEVICES))
    events = (ReportedEvent("mau", subject=name, at=seen_at + timedelta(minutes=7)) for name in devices)
    return Report(calendar.at(12, 3, 9, 26), tuple(events))
