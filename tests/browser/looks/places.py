"""Every page of the product, with people to whom it shows something; for what must hold on all of them."""

from __future__ import annotations

from tests.browser.people import FELIX, GRETA, JUNE, LARKFIELD, MARLOW, NORA, OPERATOR, PEBBLEBROOK, THEO, TRAILS

FIGURES: dict[str, tuple[str, str]] = {
    "overview, comfortable": (FELIX, LARKFIELD),
    "overview, on credits": (THEO, MARLOW),
    "overview, blocked": (GRETA, PEBBLEBROOK),
    "overview, paid by another": (NORA, TRAILS),
    "usage, paid by another": (NORA, f"{TRAILS}/usage?metric=emails"),
    "credits, kept by another": (NORA, f"{TRAILS}/credits"),
    "usage": (FELIX, f"{LARKFIELD}/usage?metric=mau"),
    "usage, long months": (THEO, f"{MARLOW}/usage?metric=bandwidth"),
    "credits": (THEO, f"{MARLOW}/credits?metric=emails"),
    "credits, none": (FELIX, f"{LARKFIELD}/credits?metric=storage"),
    "explain, long": (THEO, f"{MARLOW}/credits/explain?metric=emails"),
}
"""What is used, and what credits are for."""

MONEY: dict[str, tuple[str, str]] = {
    "buy, with another": (NORA, f"{TRAILS}/credits/buy"),
    "plan, of another": (NORA, f"{TRAILS}/plan"),
    "buy": (THEO, f"{MARLOW}/credits/buy?metric=emails&basket=emails-10k:2,sms-100:1"),
    "buy, nothing left": (GRETA, f"{PEBBLEBROOK}/credits/buy?metric=storage"),
    "buy, given up": (FELIX, f"{LARKFIELD}/credits/buy?cancelled=1"),
    "bought, unknown": (FELIX, f"{LARKFIELD}/credits/bought?session_id=cs_test_none"),
    "ledger": (THEO, f"{MARLOW}/ledger"),
    "ledger, an entry": (FELIX, f"{LARKFIELD}/ledger?entry=1"),
    "ledger, nothing fits": (FELIX, f"{LARKFIELD}/ledger?search=nothing-is-called-so"),
    "plan": (FELIX, f"{LARKFIELD}/plan"),
    "plan, by the year": (FELIX, f"{LARKFIELD}/plan?interval=year"),
    "plan, past due": (THEO, f"{MARLOW}/plan"),
    "plan, none": (GRETA, f"{PEBBLEBROOK}/plan"),
}
"""What is bought, owed and written down."""

ORGANIZATION: dict[str, tuple[str, str]] = {
    "alerts": (NORA, f"{LARKFIELD}/alerts"),
    "features": (NORA, f"{LARKFIELD}/features"),
    "features, a member": (JUNE, f"{LARKFIELD}/features"),
    "processes": (NORA, f"{LARKFIELD}/processes"),
    "process, new": (NORA, f"{LARKFIELD}/processes/new"),
    "organization": (NORA, f"{LARKFIELD}/organization"),
    "organization, members": (NORA, f"{LARKFIELD}/organization?tab=members"),
    "organization, parts": (NORA, f"{LARKFIELD}/organization?tab=parts"),
    "organization, keys": (NORA, f"{LARKFIELD}/organization?tab=keys"),
    "organization, audit log": (NORA, f"{LARKFIELD}/organization?tab=audit"),
    "organization, a member": (JUNE, f"{LARKFIELD}/organization"),
    "not a page for this role": (JUNE, f"{LARKFIELD}/ledger"),
    "not found": (JUNE, MARLOW),
    "new organization": (NORA, "/new-organization"),
}
"""What an organization is, and who may do what in it."""

OPERATORS: dict[str, tuple[str, str]] = {
    "operator, organizations": (OPERATOR, "/admin/organizations"),
    "operator, a refunded customer": (OPERATOR, "/admin/organizations/larkfield-maps"),
    "operator, a disputing customer": (OPERATOR, "/admin/organizations/pebblebrook-archive"),
    "operator, catalogue": (OPERATOR, "/admin/catalogue"),
    "operator, gift cards": (OPERATOR, "/admin/gift-cards"),
    "operator, audit": (OPERATOR, "/admin/audit"),
    "operator, nobody of this address": (OPERATOR, "/admin/organizations/there-is-none"),
    "operator, events": (OPERATOR, "/admin/stripe-events?type=refund.created"),
    "operator, no such event": (OPERATOR, "/admin/stripe-events?event=evt_none"),
    "operator, reconciliation": (OPERATOR, "/admin/reconciliation"),
    "operator, recounts": (OPERATOR, "/admin/recounts"),
    "operator, not for admins": (NORA, "/admin/stripe-events"),
    "operator, a sub-organization": (OPERATOR, "/admin/organizations/larkfield-trails"),
}
"""What operators see."""

ENTRANCES: dict[str, tuple[str, str]] = {
    "sign in": ("", "/sign-in?error=wrong_password"),
    "sign up, closed": ("", "/sign-up"),
    "set up, ended": ("", "/set-up?token=none"),
    "forgot password": ("", "/forgot-password"),
    "new password, ended": ("", "/new-password?token=none"),
    "invitation, ended": ("", "/invitation?token=none"),
    "no such page": ("", "/there/is/none"),
}
"""What anybody sees."""

PLACES = FIGURES | MONEY | ORGANIZATION | OPERATORS | ENTRANCES
"""Who looks where; nobody where the page needs no sign-in."""
