"""What docs/api.md tells: every route once, as calls that follow each other. Who calls, what is sent, what is kept.

`keep` names what later steps put into their paths: a name, and where it is in the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

GB = 1_000_000_000


@dataclass(frozen=True)
class Step:
    """One call. `caller` is anyone, program, operator or person; the two last ones may do more than a program."""

    route: str
    body: Any = None
    query: str = ""
    caller: str = "program"
    key: str = ""
    keep: dict[str, Callable[[Any], str]] = field(default_factory=dict)
    form: bool = False


def of(route: str, **body: Any) -> Step:
    """A call of the organization's program; `body` is its JSON."""
    return Step(route, body or None)


def first_id(answer: Any) -> str:
    """The id of the first thing of a list."""
    return str(answer["items"][0]["id"])


def its_id(answer: Any) -> str:
    """The id of what was made."""
    return str(answer["id"])


ORG = "/organizations/{address}"
PROCESS = {
    "title": "Board election", "questions": [{"title": "Who should lead?", "answers": ["Ada", "Grace"]}],
    "census": 40, "ends_at": "2031-03-20T12:00:00Z",
}  # fmt: skip

STORY: tuple[Step, ...] = (
    Step("GET /metrics", caller="anyone"),
    Step("GET /packs", query="metric=bandwidth", caller="anyone"),
    Step("GET /plans", caller="anyone"),
    Step("GET /plans/{plan}", caller="anyone"),
    # use
    of(f"POST {ORG}/usage", events=[{"id": "device-7", "metric": "mau", "subject": "device-7"},
                                    {"id": "backup", "metric": "bandwidth", "quantity": -1}]),
    of(f"POST {ORG}/check", action="download", quantities={"bandwidth": 250_000_000}),
    Step(f"POST {ORG}/consume", {"metric": "bandwidth", "quantity": 250_000_000}, key="download-7"),
    Step(f"POST {ORG}/reservations", {"metric": "emails", "quantity": 100, "timeout_s": 600}, key="mailing-7",
         keep={"reservation_id": its_id}),
    of(f"POST {ORG}/reservations/{{reservation_id}}/confirm", quantity=97),
    of(f"DELETE {ORG}/reservations/{{reservation_id}}"),
    # credits
    Step("POST /admin/grants", {"organization": "acme", "metric": "sms", "quantity": 500, "reason": "Welcome"},
         caller="operator", key="welcome-acme", keep={"grant": its_id}),
    of(f"GET {ORG}/balances"),
    of(f"GET {ORG}/balances.csv"),
    Step(f"GET {ORG}/grants", query="metric=sms"),
    of(f"GET {ORG}/grants.csv"),
    Step(f"GET {ORG}/ledger", query="limit=1"),
    of(f"GET {ORG}/ledger.csv"),
    Step(f"GET {ORG}/history", query="metric=sms"),
    Step(f"GET {ORG}/usage/days", query="metric=bandwidth"),
    Step(f"GET {ORG}/forecast", query="metric=sms"),
    Step(f"GET {ORG}/ledger/{{number}}"),
    of(f"GET {ORG}/tokens"),
    Step(f"GET {ORG}/history.csv", query="metric=sms"),
    Step(f"GET {ORG}/explain", query="metric=sms"),
    # buying
    Step(f"POST {ORG}/checkout", {"items": [{"pack": "sms-100", "quantity": 2}]}, key="basket-7",
         keep={"session_id": lambda answer: answer["session_id"]}),
    of(f"GET {ORG}/checkout/{{session_id}}"),
    of(f"GET {ORG}/subscription"),
    of(f"POST {ORG}/subscription/preview", plan="pro", interval="month"),
    of(f"PATCH {ORG}/subscription", plan="pro", interval="month", at="2031-03-10T12:00:00Z"),
    of(f"POST {ORG}/subscription/keep"),
    of(f"POST {ORG}/subscription/pause"),
    of(f"POST {ORG}/subscription/resume"),
    of(f"DELETE {ORG}/subscription"),
    of(f"POST {ORG}/portal"),
    of(f"GET {ORG}/invoices"),
    of(f"GET {ORG}/recurring-packs"),
    of(f"PATCH {ORG}/recurring-packs/{{pack_id}}", quantity=2),
    of(f"DELETE {ORG}/recurring-packs/{{pack_id}}"),
    of(f"POST {ORG}/auto-top-up/{{metric}}/preview", enabled=True, threshold=50, pack="sms-100",
       monthly_cap_cents=5_000),
    of(f"PUT {ORG}/auto-top-up/{{metric}}", enabled=True, threshold=50, pack="sms-100", monthly_cap_cents=5_000,
       consent=True),
    of(f"GET {ORG}/auto-top-up/{{metric}}"),
    of(f"POST {ORG}/saved-card", metric="sms"),
    Step("POST /admin/gift-cards", {"name": "Launch", "contents": {"emails": 1_000}}, caller="operator", key="launch",
         keep={"card": lambda answer: answer["items"][0]["id"], "code": lambda answer: answer["items"][0]["code"]}),
    Step(f"POST {ORG}/gift-cards/redeem", {"code": "{code}"}, key="redeem-7"),
    Step(f"POST {ORG}/tokens/convert", {"metric": "mau", "tokens": 1}, key="convert-7"),
    # organizations and people
    Step("POST /organizations", {
        "address": "0x52908400098527886E0F7030069857D2E4169EE7", "name": "Test Organization", "type": "community",
        "description": "...", "size": 10, "color": "#ff0000", "logo": "https://...", "subdomain": "mysubdomain",
        "timezone": "GMT+2", "active": True, "parents": [],
    }, caller="person"),
    of(f"GET {ORG}"),
    of(f"PATCH {ORG}", color="#0a7d5a", country="PT"),
    Step("PUT /admin/organizations/{organization}/plan", {"plan": "pro", "reason": "Agreed by phone"},
         caller="operator"),
    Step(f"POST {ORG}/suborganizations", {"name": "Acme Porto", "address": "acme-porto"}),
    of(f"GET {ORG}/suborganizations"),
    of(f"PATCH {ORG}/suborganizations/{{suborganization}}", name="Acme Lisboa"),
    of(f"DELETE {ORG}/suborganizations/{{suborganization}}"),
    Step(f"POST {ORG}/members", {"email": "grace@example.org", "role": "billing"},
         keep={"member": lambda answer: answer["member"]["id"] if "member" in answer else answer["id"]}),
    of(f"GET {ORG}/members"),
    of(f"PATCH {ORG}/members/{{member}}", role="member"),
    of(f"DELETE {ORG}/members/{{member}}"),
    Step(f"DELETE {ORG}/members/me", caller="person"),
    of(f"POST {ORG}/sign-in-links", email="ada@example.org", role="billing", return_to="/o/acme/credits"),
    Step(f"POST {ORG}/api-keys", {"name": "Uploader", "scopes": ["usage:write", "check"]}, keep={"key_id": its_id}),
    of(f"GET {ORG}/api-keys"),
    of(f"DELETE {ORG}/api-keys/{{key_id}}"),
    Step(f"GET {ORG}/audit", query="limit=1"),
    of(f"GET {ORG}/ending"),
    of(f"POST {ORG}/ending", when="period_end", reason="We moved on"),
    of(f"DELETE {ORG}/ending"),
    # notifications
    Step(f"POST {ORG}/notifications/webhooks", {"url": "https://example.com/billing", "kinds": ["metric.blocked"]},
         keep={"webhook_id": its_id}),
    of(f"GET {ORG}/notifications"),
    of(f"PUT {ORG}/notifications", people={"ada@example.org": ["metric.blocked"]}),
    of(f"POST {ORG}/notifications/webhooks/{{webhook_id}}/test"),
    of(f"POST {ORG}/notifications/webhooks/{{webhook_id}}/rotate-secret"),
    of(f"POST {ORG}/notifications/webhooks/{{webhook_id}}/enable"),
    Step(f"GET {ORG}/notifications/deliveries", keep={"delivery_id": first_id}),
    of(f"GET {ORG}/notifications/deliveries/{{delivery_id}}"),
    of(f"POST {ORG}/notifications/deliveries/{{delivery_id}}/resend"),
    of(f"DELETE {ORG}/notifications/webhooks/{{webhook_id}}"),
    # processes
    of(f"GET {ORG}/features"),
    of(f"PUT {ORG}/features", features={"liveResults": False}),
    Step(f"POST {ORG}/processes", PROCESS, keep={"process_id": its_id}),
    of(f"GET {ORG}/processes"),
    of(f"GET {ORG}/processes/{{process_id}}"),
    of(f"PATCH {ORG}/processes/{{process_id}}", revision=1, census=41),
    of(f"POST {ORG}/processes/{{process_id}}/publish"),
    of(f"POST {ORG}/processes/{{process_id}}/close", emails_sent=0),
    Step(f"POST {ORG}/processes/{{process_id}}/cancel", {}),
    of(f"DELETE {ORG}/processes/{{process_id}}"),
    # the operator
    Step("GET /admin/organizations", query="search=acme", caller="operator"),
    Step("POST /admin/organizations", {"name": "Initech", "address": "initech"}, caller="operator"),
    Step("PUT /admin/organizations/{organization}/overrides/{kind}/{name}",
         {"value": 1, "reason": "A trial", "ends_at": "2031-04-10T00:00:00Z"}, caller="operator"),
    Step("GET /admin/organizations/{organization}/overrides", caller="operator"),
    Step("DELETE /admin/organizations/{organization}/overrides/{kind}/{name}", caller="operator"),
    Step("GET /admin/audit", query="limit=1", caller="operator"),
    Step("GET /admin/grants/{grant}/refund", caller="operator"),
    Step("POST /admin/grants/{grant}/refund", {"reason": "By mistake"}, caller="operator", key="refund-7"),
    Step("POST /admin/grants/{grant}/void", {"reason": "Given twice"}, caller="operator"),
    Step("GET /admin/gift-cards", caller="operator"),
    Step("GET /admin/gift-cards/{card}/redemptions", caller="operator"),
    Step("POST /admin/gift-cards/{card}/void", {"reason": "Leaked"}, caller="operator"),
    Step("GET /admin/catalogue", caller="operator"),
    Step("GET /admin/catalogue/plans.json", caller="operator"),
    Step("GET /admin/catalogue/file", caller="operator"),
    Step("POST /admin/catalogue/push", caller="operator"),
    Step("POST /admin/catalogue/validate", {"document": {"currency": "usd"}}, caller="operator"),
    Step("POST /admin/catalogue/preview", {"document": {"currency": "usd"}, "based_on": 1}, caller="operator"),
    Step("POST /admin/catalogue/rebase", {"document": {"currency": "usd"}, "based_on": 1}, caller="operator"),
    Step("PUT /admin/catalogue", {"document": {"currency": "usd"}, "based_on": 1}, caller="operator"),
    Step("GET /admin/catalogue/versions", caller="operator"),
    Step("GET /admin/catalogue/versions/{version}", caller="operator"),
    Step("GET /admin/stripe-events", caller="operator"),
    Step("GET /admin/stripe-events/{event_id}", caller="operator"),
    Step("POST /admin/stripe-events/{event_id}/replay", caller="operator"),
    Step("POST /admin/recounts", caller="operator"),
    Step("GET /admin/recounts", query="limit=1", caller="operator"),
    Step("POST /admin/reconciliation", {"dry_run": True}, caller="operator"),
    Step("GET /admin/reconciliation", caller="operator"),
    Step("GET /admin/reconciliation/latest", caller="operator"),
    Step("GET /admin/reconciliation/{run}", caller="operator"),
    # browsers
    Step("POST /sign-up", {"email": "bob@example.org", "name": "Bob", "organization": "Bob & Co",
                           "password": "a wet Tuesday in March"}, caller="browser", form=True),
    Step("POST /sign-in", {"email": "ada@example.org", "password": "a wet Tuesday in March"}, caller="browser",
         form=True),
    Step("POST /sign-out", caller="browser", form=True),
    Step("POST /forgot-password", {"email": "ada@example.org"}, caller="browser", form=True),
    Step("GET /sign-in-link", query="token=TOKEN", caller="browser"),
    Step("POST /set-up", {"token": "TOKEN", "email": "grace@example.org", "name": "Grace",
                          "password": "a wet Tuesday in March"}, caller="browser", form=True),
    Step("POST /new-password", {"token": "TOKEN", "password": "a dry Wednesday in April"}, caller="browser", form=True),
    Step("POST /accept-invitation", {"token": "TOKEN", "name": "Grace", "password": "a dry Wednesday in April"},
         caller="browser", form=True),
    Step("POST /webhooks/stripe", {"id": "evt_1"}, caller="anyone"),
)  # fmt: skip
"""Routes in the order of the page's sections, each once."""

NAMES = {
    "address": "acme", "plan": "free", "metric": "sms", "pack_id": "none", "organization": "acme", "kind": "feature",
    "name": "whiteLabel", "version": "1", "number": "1", "event_id": "evt_none", "run": "1",
    "suborganization": "acme-porto", "code": "none", "delivery_id": "00000000-0000-7000-8000-000000000000",
}  # fmt: skip
"""What paths are filled with until a step has kept something better."""
