"""Marlow Letters: living on credits. Sends three times what its plan includes, paid by top-ups that last for days.

Its storage and bandwidth packs end this month, text messages went uncovered when a gift card expired, a refunded pack
left a debt, a dispute held credits for a month, and use was reported late and corrected.
"""

from __future__ import annotations

from datetime import datetime

from billing_app.demo.calendar import Calendar
from billing_app.demo.facts import Buy, Dispute, Fact, Give, Refund, Report, Story
from billing_app.demo.people import MARLOW
from billing_app.demo.rhythm import levels, subjects, sums, top_ups
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.services.usage.reporting import ReportedEvent

ADDRESS = MARLOW.address

ANCHOR_DAY = 20
"""The day of the month on which its periods turn."""

MAU = (810, 830, 860, 880, 920, 950, 990, 1_040, 1_080, 1_130, 1_180, 1_220, 1_270, 1_330)
STORAGE_MB = (
    17_000, 18_500, 20_600, 21_200, 21_800, 22_200, 22_600, 23_000, 23_300, 23_600, 23_900, 24_200, 24_500, 24_800,
)  # fmt: skip
BANDWIDTH_GB = (310, 330, 350, 380, 400, 430, 455, 470, 490, 498, 506, 512, 509, 515)
EMAILS = (
    8_200, 9_100, 9_800, 10_900, 11_600, 12_400, 13_100, 14_000, 15_200, 16_400, 17_100, 18_000, 18_800, 19_600,
)  # fmt: skip
SMS = (12, 14, 15, 16, 18, 40, 22, 24, 25, 28, 30, 30, 33, 35)

MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000

EMAILS_INCLUDED = 5_000
PACK = 10_000
TOP_UP_BELOW = 2_500
"""Two or three days of letters."""

ARMED = 6
"""The period in which automatic top-up was switched on; monthly packs and single ones before."""

DISARMED = 11
"""The period in which it was switched off again: somebody buys by hand since, so the credits can run out."""

LATE_LETTERS = 620
SENT_TWICE = 1_150
BOUNCED = 480


def story(now: datetime) -> Story:
    """What happened to Marlow Letters."""
    calendar = Calendar.anchored(now, ANCHOR_DAY)
    usage = [
        *subjects(calendar, f"{ADDRESS}:mau", "mau", MAU),
        *levels(calendar, f"{ADDRESS}:storage", "storage", STORAGE_MB, MEGABYTE),
        *sums(calendar, f"{ADDRESS}:bandwidth", "bandwidth", BANDWIDTH_GB, GIGABYTE),
        *sums(calendar, f"{ADDRESS}:emails", "emails", EMAILS),
        *sums(calendar, f"{ADDRESS}:sms", "sms", SMS),
    ]
    return Story(
        organization=MARLOW,
        profile={
            "type": "company",
            "description": "Newsletters for theatres and small publishers.",
            "size": "1-10",
            "color": "#ad7f58",
            "timezone": "Europe/London",
            "country": "GB",
        },
        anchor=calendar.anchor,
        plan="essential",
        facts=(*_letters(calendar), *_messages(calendar), *_room(calendar), *_corrected(calendar)),
        usage=tuple(usage),
    )


def _letters(calendar: Calendar) -> list[Fact]:
    """A monthly pack for three months, a single one, automatic top-ups, then packs bought when few letters are left."""
    bought: list[Buy] = [
        Buy(calendar.at(month, 2, 6, 15), f"emails-monthly-{month}", "emails-10k-monthly", "recurring")
        for month in range(3)
    ]
    bought.append(Buy(calendar.at(5, 4, 12, 50), "emails-single", "emails-10k"))
    top_up_times = top_ups(
        calendar,
        f"{ADDRESS}:emails",
        EMAILS,
        included=EMAILS_INCLUDED,
        bought={each.at: PACK for each in bought}
        | {report.at: -sum(event.quantity or 0 for event in report.events) for report in _corrected(calendar)},
        since=calendar.at(ARMED, 1, 0),
        below=TOP_UP_BELOW,
        quantity=PACK,
    )
    bought += [
        Buy(at, f"emails-pack-{number}", "emails-10k", "top_up" if at < calendar.at(DISARMED, 1, 0) else "purchase")
        for number, at in enumerate(top_up_times, start=1)
    ]
    return [*bought]


def _messages(calendar: Calendar) -> list[Fact]:
    """Text messages: a gift card that expired, a disputed pack, a refunded one whose credits were gone."""
    at = calendar.at
    return [
        Give(at(1, 3, 14, 10), "gift-first-night", "sms", 80, "gift_card", "First night", days=90),
        Buy(at(5, 2, 9, 40), "sms-small", "sms-100"),
        Buy(at(8, 15, 17, 22), "sms-large", "sms-500"),
        Dispute(at(9, 5, 8, 3), "sms-large", DisputeStatus.OPENED),
        Give(
            at(9, 8, 10, 30), "sorry-delay", "sms", 20, "operator", f"Messages delayed on {at(9, 6, 0):%d %b}", days=60
        ),
        Dispute(at(10, 3, 11, 45), "sms-large", DisputeStatus.WON),
        Refund(at(11, 4, 15, 30), "sms-small", 325, "Half of the pack given back after a complaint"),
        Buy(at(12, 6, 9, 18), "sms-again", "sms-100"),
    ]


def _room(calendar: Calendar) -> list[Fact]:
    """Packs of nearly a year ago: what is left of them ends within this month."""
    return [
        Buy(calendar.a_year_before(12, 13), "bandwidth-year", "bandwidth-100gb"),
        Buy(calendar.a_year_before(17, 10), "storage-year", "storage-50gb"),
        Buy(calendar.at(12, 9, 16, 5), "storage-next", "storage-50gb"),
    ]


def _corrected(calendar: Calendar) -> list[Report]:
    """Use told after its period had ended, and use that was counted twice and taken out again."""
    late = ReportedEvent("emails", LATE_LETTERS, at=calendar.before_end(8, 1, 22))
    twice = ReportedEvent("emails", -SENT_TWICE, at=calendar.at(10, 24, 18))
    bounced = ReportedEvent("emails", -BOUNCED, at=calendar.before_end(11, 2, 20))
    return [
        Report(calendar.at(9, 4, 9, 30), (late,)),
        Report(calendar.at(10, 27, 11, 15), (twice,)),
        Report(calendar.at(12, 3, 10, 20), (bounced,)),
    ]
