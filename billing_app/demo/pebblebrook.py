"""Pebblebrook Archive: storage exhausted. An archive moved in two days ago and used up plan and packs: uploads stopped.

Downloads and everything else go on. Text messages are above the plan and paid by credits.
"""

from __future__ import annotations

from datetime import datetime

from billing_app.demo.calendar import Calendar
from billing_app.demo.facts import Buy, Fact, Give, HoldPlan, Refund, Story, Void
from billing_app.demo.people import PEBBLEBROOK
from billing_app.demo.rhythm import levels, subjects, sums
from billing_app.services.usage.reporting import ReportedEvent

ADDRESS = PEBBLEBROOK.address

UPGRADED = 6
"""The period with which Pro began; Essential before."""

MAU = (520, 540, 560, 590, 620, 650, 700, 750, 810, 870, 930, 990, 1_060, 1_130)
STORAGE_MB = (
    11_000, 12_400, 13_900, 15_200, 16_800, 18_600, 26_000, 38_000, 51_000, 63_000, 74_000, 85_000, 93_000, 98_500,
)  # fmt: skip
BANDWIDTH_GB = (180, 215, 248, 290, 341, 402, 520, 610, 700, 810, 900, 990, 1_080, 1_180)
EMAILS = (
    2_100, 2_500, 2_900, 3_400, 4_000, 4_600, 7_400, 8_300, 9_200, 10_100, 11_000, 11_900, 12_600, 13_400,
)  # fmt: skip
SMS = (20, 24, 28, 30, 33, 36, 205, 220, 238, 255, 270, 290, 320, 431)

MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000

HELD_BEFORE_MB = 98_500
HELD_MB = 256_400
"""What is held since the archive moved in: above the 100 GB of the plan and the 150 GB that were bought."""


def story(now: datetime) -> Story:
    """What happened to Pebblebrook Archive."""
    calendar = Calendar.anchored(now, 1)
    usage = [
        *subjects(calendar, f"{ADDRESS}:mau", "mau", MAU),
        *_storage(calendar),
        *sums(calendar, f"{ADDRESS}:bandwidth", "bandwidth", BANDWIDTH_GB, GIGABYTE),
        *sums(calendar, f"{ADDRESS}:emails", "emails", EMAILS),
        *sums(calendar, f"{ADDRESS}:sms", "sms", SMS),
    ]
    return Story(
        organization=PEBBLEBROOK,
        profile={
            "type": "association",
            "description": "Keeps the photographs and recordings of forty villages.",
            "size": "51-200",
            "color": "#29a383",
            "timezone": "Europe/Berlin",
            "country": "DE",
        },
        anchor=calendar.anchor,
        plan="essential",
        facts=_credits(calendar),
        usage=tuple(usage),
    )


def _storage(calendar: Calendar) -> list[ReportedEvent]:
    """Slow growth until an archive moved in, half of it in the morning, the rest after lunch."""
    moving, moved = calendar.days_ago(2, 9, 30), calendar.days_ago(2, 13, 52)
    events = levels(calendar, f"{ADDRESS}:storage", "storage", STORAGE_MB, MEGABYTE)
    before = [event for event in events if event.at is not None and event.at < moving]
    after = [event._replace(quantity=HELD_MB * MEGABYTE) for event in events if event.at and event.at > moved]
    halfway = (HELD_BEFORE_MB + HELD_MB) // 2
    return [
        *before,
        ReportedEvent("storage", halfway * MEGABYTE, at=moving),
        ReportedEvent("storage", HELD_MB * MEGABYTE, at=moved),
        *after,
    ]


def _credits(calendar: Calendar) -> tuple[Fact, ...]:
    at = calendar.at
    return (
        Buy(at(0, 2, 9, 15), "sms-first", "sms-500"),
        HoldPlan(at(UPGRADED, 1, 10, 2), "pro", "Upgraded by Greta Oyelaran"),
        Buy(at(UPGRADED, 4, 14, 31), "sms-large", "sms-1k"),
        Give(at(8, 11, 9, 5), "wrong-recipient", "emails", 5_000, "operator", "Welcome credits", days=183),
        Void(at(8, 12, 16, 40), "wrong-recipient", "Meant for another organization"),
        Buy(at(9, 20, 11, 11), "emails-mistake", "emails-1k"),
        Refund(at(9, 21, 10, 0), "emails-mistake", 250, "Bought by mistake"),
        Buy(at(10, 6, 15, 44), "bandwidth-reserve", "bandwidth-1tb"),
        Give(at(10, 14, 9, 40), "pilot-tokens", "token", 20, "operator", "Thank you for the pilot", days=365),
        Buy(at(11, 17, 13, 20), "storage-first", "storage-100gb"),
        Buy(calendar.days_ago(5, 10, 26), "storage-second", "storage-50gb"),
    )
