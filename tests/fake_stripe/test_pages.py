"""The pages in a real browser, and what keeps other sites out of their forms."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests import loopback
from tests.fake_stripe.account import TestAccount

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

pytestmark = pytest.mark.browser


@pytest.fixture(params=[(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh page, on a desk and on a phone."""
    size, scheme = request.param
    context = chromium.new_context(viewport=size, color_scheme=scheme)
    yield context.new_page()
    context.close()


def fill(page: Page, number: str) -> None:
    """What a payer types."""
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12 / 34")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on card").fill("Ada Lovelace")


def buy(account: TestAccount, **more: Any) -> Any:
    """A session whose shop is the fake Stripe's own health page, so that no other address is needed."""
    done = f"{account.url}/health?session={{CHECKOUT_SESSION_ID}}"
    return account.session((account.price(), 2), success_url=done, cancel_url=f"{account.url}/health?cancelled", **more)


def accessible(page: Page) -> None:
    """No violations that axe can find."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_payer_is_declined_then_pays(account: TestAccount, page: Page) -> None:
    session = buy(account)
    page.goto(session.url)
    expect(page.get_by_text("TEST MODE")).to_be_visible()
    expect(page.get_by_role("heading", name="$98.00")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    accessible(page)
    page.get_by_label("Email").fill("ada@example.com")
    fill(page, "4000 0000 0000 0002")
    page.get_by_role("button", name="Pay $98.00").click()
    expect(page.get_by_role("alert")).to_contain_text("Your card was declined")
    accessible(page)
    assert account.v1.checkout.sessions.retrieve(session.id).status == "open"
    fill(page, "4242 4242 4242 4242")
    page.get_by_label("Card number").press("Enter")
    page.wait_for_url(re.compile(rf"/health\?session={session.id}"))
    paid = account.v1.checkout.sessions.retrieve(session.id)
    assert (paid.payment_status, paid.customer_details.email) == ("paid", "ada@example.com")
    page.goto(session.url)
    expect(page.get_by_text("This is paid")).to_be_visible()


def test_everything_that_a_page_names_is_there(account: TestAccount) -> None:
    answer = loopback.get(buy(account).url)
    named = dict(re.findall(r'<link rel="([^"]+)" href="([^"]+)"', answer.text))
    assert named.keys() == {"stylesheet", "icon"}
    found = [loopback.get(httpx.URL(account.url).join(path)) for path in named.values()]
    assert [(each.status_code, each.headers["Content-Type"].partition(";")[0]) for each in found] == [
        (200, "text/css"),
        (200, "image/svg+xml"),
    ]


def test_three_d_secure_is_answered_on_its_page(account: TestAccount, page: Page) -> None:
    session = buy(account)
    page.goto(session.url)
    fill(page, "4000 0025 0000 3155")
    page.get_by_role("button", name="Pay").click()
    accessible(page)
    page.get_by_role("button", name="Fail authentication").click()
    expect(page.get_by_role("alert")).to_contain_text("could not confirm")
    fill(page, "4000 0025 0000 3155")
    page.get_by_role("button", name="Pay").click()
    page.get_by_role("button", name="Complete authentication").click()
    page.wait_for_url(re.compile("/health"))
    assert account.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_the_way_back(account: TestAccount, page: Page) -> None:
    page.goto(buy(account).url)
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(re.compile("cancelled"))


def test_a_bank_account_and_a_promotion_code(account: TestAccount, page: Page) -> None:
    coupon = account.v1.coupons.create({"percent_off": 50})
    account.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HALF"})
    session = buy(account, allow_promotion_codes=True)
    page.goto(session.url)
    page.get_by_label("Promotion code").fill("wrong")
    page.get_by_role("button", name="Update total").click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    page.get_by_label("Promotion code").fill("half")
    page.get_by_role("button", name="Update total").click()
    expect(page.get_by_role("heading", name="$49.00")).to_be_visible()
    page.get_by_label("Bank account").check()
    page.get_by_label("Account number").fill("000123456789")
    page.get_by_role("button", name="Pay $49.00").click()
    page.wait_for_url(re.compile("/health"))
    assert account.v1.checkout.sessions.retrieve(session.id).amount_total == 4900


def test_the_dashboard_refunds_disputes_and_resends(account: TestAccount, page: Page) -> None:
    account.pay(buy(account))
    account.pay(buy(account))
    row = account.http.get("/_sandbox/control/account").json()
    page.goto(f"{account.url}/_sandbox/accounts/{row['id']}")
    accessible(page)
    page.get_by_role("button", name="Refund pi_").first.click()
    expect(page.get_by_text("refunded", exact=True)).to_be_visible()
    page.get_by_role("button", name="Dispute pi_").click()
    page.get_by_role("button", name="Lose").click()
    expect(page.get_by_text("lost", exact=True)).to_be_visible()
    assert account.v1.disputes.list().data[0].status == "lost"
    page.get_by_role("button", name="Resend").first.click()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_dashboard_fails_payments_and_refunds_and_delivers_again(account: TestAccount, page: Page) -> None:
    intent = account.pay(buy(account))["session"]["payment_intent"]
    account.v1.refunds.create({"payment_intent": intent, "amount": 100})
    customer = account.customer(
        payment_method="pm_card_visa", invoice_settings={"default_payment_method": "pm_card_visa"}
    )
    pro = account.price(2900, name="Pro", recurring={"interval": "month"})
    account.v1.subscriptions.create({"customer": customer.id, "items": [{"price": pro.id}]})
    account.control("PUT", "/webhook-endpoint", url="http://127.0.0.1:9/down", secret="whsec_down")
    account.control("POST", "/faults", kind="drop")
    account.customer()
    page.goto(f"{account.url}/_sandbox/accounts/{account.http.get('/_sandbox/control/account').json()['id']}")
    page.get_by_role("button", name="Fail next renewal").click()
    expect(page.get_by_text("next payment fails", exact=True)).to_be_visible()
    page.get_by_role("button", name="Switch all faults off").click()
    expect(page.get_by_text("next payment fails", exact=True)).not_to_be_visible()
    page.get_by_role("button", name="Fail re_").click()
    expect(page.get_by_label("Refunds").get_by_text("failed", exact=True)).to_be_visible()
    assert account.v1.refunds.list().data[0].status == "failed"
    expect(page.get_by_label("Deliveries").get_by_text("dropped", exact=True)).to_be_visible()
    page.get_by_role("button", name="Deliver customer.created").first.click()
    expect(page.get_by_label("Deliveries").get_by_text("dropped", exact=True)).not_to_be_visible()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_other_sites_cannot_send_the_forms(account: TestAccount) -> None:
    session = buy(account)
    fields = {"method": "card", "number": "4242424242424242", "expiry": "12/34"}
    pointed_here = {"Origin": "http://evil.example", "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, pointed_here):
        answer = loopback.post(f"{session.url}/pay", data=fields, headers=headers)
        assert answer.status_code == 403
    assert account.v1.checkout.sessions.retrieve(session.id).status == "open"
    answer = loopback.post(f"{session.url}/pay", data=fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303


def test_no_page_redirects_to_where_a_request_says_it_is(account: TestAccount) -> None:
    base = account.url.rstrip("/")
    said = {"Host": "evil.example"}
    for path in ("/_sandbox", "/_sandbox/", "/_sandbox/checkout/x/", "/_sandbox/style.css/", "/health/", "/v1"):
        answer = loopback.get(base + path, headers=said)
        assert "location" not in answer.headers, path
    assert loopback.get(f"{base}/_sandbox").status_code == 200


def test_pages_run_no_scripts(account: TestAccount) -> None:
    answer = loopback.get(buy(account).url)
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
