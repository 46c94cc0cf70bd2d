"""What is bought again by itself: two packs, one of them cancelled, and an auto top-up that is on."""

from __future__ import annotations

from billing_app.services.subscriptions.views_recurring import (
    CardView,
    RenewalsView,
    RenewingPackView,
    TopUpPack,
    TopUpView,
)
from tests.ui.records.facts import MAU, NOW, SMS, at, metric

PACKS = (TopUpPack("mau-10k", 10_000, 1_400), TopUpPack("mau-50k", 50_000, 4_900))


def renewals(address: str, role: str, wanted: str) -> RenewalsView | None:
    """Nothing for a member, and no packs where nothing was ever bought."""
    if role == "member":
        return None
    chosen = metric(wanted)
    top_up = TopUpView(
        chosen, "on", True, 5_000, PACKS[0], 1, 20_000, "USD", 2_800, CardView("visa", "4242"), "", None,
        "ana@meridian.example", at("2025-10-01"), PACKS, 7_000,
    )  # fmt: skip
    packs = () if address == "fresh-start" else (
        RenewingPackView("rp_1", MAU, 10_000, 1, 3, 1_200, "USD", False, at("2025-12-10"), "", ""),
        RenewingPackView("rp_2", SMS, 500, 1, 0, 2_700, "USD", False, at("2025-12-02"), "", ""),
        RenewingPackView("rp_3", SMS, 1_000, 1, 1, 5_000, "USD", True, at("2025-12-20"), "Your card was declined.",
                         "https://invoice.example/1"),
    )  # fmt: skip
    return RenewalsView(NOW, packs, top_up)
