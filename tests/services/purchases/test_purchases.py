"""Buying packs, over real HTTP against the fake Stripe, on both databases."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError, ConflictError, InvalidError, NotFoundError, UnavailableError
from billing_app.domain.purchases.baskets import MAX_COUNT, OrderState
from billing_app.gateways.payments import Account
from billing_app.gateways.stripe.payments import StripePayments
from billing_app.services.credits import grants
from billing_app.services.payments import payment_account
from billing_app.services.purchases import fulfilment, orders
from billing_app.services.stripe import inbox
from billing_app.store.notifications import outbox
from billing_app.store.tables.purchases import Order
from tests.support.builders import an_organization
from tests.support.patience import PATIENCE_SECONDS
from tests.support.shop import BANK_DEBIT, DECLINED, FAILING_BANK_DEBIT, PUBLIC_URL, Shop, a_shop

COMPLETED = "checkout.session.completed"


@pytest.fixture
def shop(database: Database) -> Shop:
    """An organization that buys."""
    return a_shop(database)


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Runs all of them at the same moment, each in a thread; answers what was raised."""
    barrier, raised = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - for the test to look at
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    return raised


def test_a_paid_pack_is_one_grant_with_everything_about_it(shop: Shop) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    started = shop.start("mau-10k")
    shop.pay(started.session_id)
    status = shop.come_back(started.session_id)

    (grant,) = shop.grants()
    assert (status.state, status.total_cents, status.currency) == (OrderState.PAID, 1400, "usd")
    assert [each.id for each in status.grants] == [grant.id]
    assert (grant.metric, grant.quantity, grant.pack) == ("mau", 10_000, "mau-10k")
    assert (grant.paid_cents, grant.currency, grant.source) == (1400, "usd", "purchase")
    assert (grant.reason, grant.actor) == ("10,000 MAU pack", "user:ada")
    session = shop.stripe.checkout.sessions.retrieve(started.session_id, {"expand": ["payment_intent.latest_charge"]})
    assert grant.effective_at == datetime.fromtimestamp(session.payment_intent.latest_charge.created, UTC)
    assert before <= grant.effective_at
    assert grant.expires_at is not None
    assert grant.expires_at.replace(year=grant.effective_at.year) == grant.effective_at
    assert shop.balance("mau") == 10_000
    assert shop.told() == ["purchase.paid"]


def test_session_and_payment_both_say_whose_order_it_is(shop: Shop) -> None:
    started = shop.start(mau_10k=2)
    shop.pay(started.session_id)
    session = shop.stripe.checkout.sessions.retrieve(started.session_id, {"expand": ["payment_intent"]})
    said = {"organization": "acme", "order": started.order_id, "kind": "packs", "items": "2x mau-10k"}
    assert session.metadata.to_dict() == said
    assert session.payment_intent.metadata.to_dict() == said
    assert session.client_reference_id == started.order_id
    page = f"{PUBLIC_URL}/o/acme/credits"
    assert session.success_url == f"{page}/bought?session_id={{CHECKOUT_SESSION_ID}}"
    assert session.cancel_url == f"{page}/buy?cancelled=1"


@pytest.mark.parametrize(
    "order", ["return webhook", "webhook return", "sweep return webhook", "webhook sweep return return webhook"]
)
def test_whoever_hears_first_there_is_one_grant(shop: Shop, order: str) -> None:
    session_id = shop.buy("mau-10k")
    ways: dict[str, Callable[[], object]] = {
        "return": lambda: shop.come_back(session_id),
        "webhook": lambda: shop.hear(COMPLETED, session_id),
        "sweep": lambda: fulfilment.sweep(
            shop.database.writing, shop.payments, lambda: shop.clock() + fulfilment.FIRST_CHECK
        ),
    }
    for way in order.split():
        ways[way]()
        assert len(shop.grants()) == 1
    assert shop.balance("mau") == 10_000
    assert shop.told() == ["purchase.paid"]


@pytest.mark.both_databases
def test_return_page_and_webhook_at_the_same_moment_make_one_grant(shop: Shop) -> None:
    session_id = shop.buy("mau-10k", "storage-50gb", "bandwidth-1tb")
    subject = shop.receive(COMPLETED, session_id)
    webhooks = [lambda: inbox.work(shop.worker(), subject)] * 2
    raised = at_once(*webhooks, *(lambda: shop.come_back(session_id) for _ in range(3)))
    assert raised == []
    assert sorted(grant.metric for grant in shop.grants()) == ["bandwidth", "mau", "storage"]
    assert shop.told() == ["purchase.paid"]
    assert {event.state for event in shop.events()} == {"handled"}


def test_a_webhook_that_comes_three_times_is_one_event_and_one_grant(shop: Shop) -> None:
    session_id = shop.buy("mau-10k")
    for _ in range(3):
        shop.hear(COMPLETED, session_id)
    assert len(shop.events()) == 1
    assert len(shop.grants()) == 1


def test_a_basket_is_one_grant_per_line(shop: Shop) -> None:
    session_id = shop.buy("sms-100", mau_10k=3, bandwidth_5tb=1)
    shop.come_back(session_id)
    found = {grant.pack: (grant.metric, grant.quantity, grant.paid_cents, grant.reason) for grant in shop.grants()}
    assert found == {
        "mau-10k": ("mau", 30_000, 4200, "3 packs of 10,000 MAU"),
        "bandwidth-5tb": ("bandwidth", 5 * 10**12, 35_000, "5 TB bandwidth pack"),
        "sms-100": ("sms", 100, 650, "100 SMS pack"),
    }
    assert shop.told() == ["purchase.paid"]


def test_a_declined_card_grants_nothing_and_another_card_still_can(shop: Shop) -> None:
    started = shop.start("mau-10k")
    assert shop.pay(started.session_id, DECLINED)["decline"]["code"] == "card_declined"
    status = shop.come_back(started.session_id)
    assert (status.state, status.failure) == (OrderState.OPEN, "Your card was declined.")
    assert (shop.grants(), shop.told()) == ([], [])

    shop.pay(started.session_id)
    assert shop.come_back(started.session_id).state is OrderState.PAID
    assert len(shop.grants()) == 1
    assert shop.order(started.order_id).failure == ""


def test_an_expired_payment_closes_the_order_and_is_told_once(shop: Shop) -> None:
    started = shop.start("mau-10k")
    shop.control("POST", f"/checkout/{started.session_id}/expire")
    for _ in range(2):
        shop.hear("checkout.session.expired", started.session_id)
    assert shop.come_back(started.session_id).state is OrderState.EXPIRED
    assert (shop.grants(), shop.told()) == ([], ["purchase.expired"])


def test_a_bank_debit_is_granted_when_the_money_is_there(shop: Shop) -> None:
    started = shop.start("mau-10k")
    intent = shop.pay(started.session_id, BANK_DEBIT)["session"]["payment_intent"]
    shop.hear(COMPLETED, started.session_id)
    status = shop.come_back(started.session_id)
    assert (status.state, status.processing, shop.grants()) == (OrderState.OPEN, True, [])
    shop.control("POST", f"/payment_intents/{intent}/settle")
    shop.hear("checkout.session.async_payment_succeeded", started.session_id)
    assert shop.come_back(started.session_id).state is OrderState.PAID
    assert len(shop.grants()) == 1


def test_a_bank_debit_that_fails_closes_the_order(shop: Shop) -> None:
    started = shop.start("mau-10k")
    intent = shop.pay(started.session_id, FAILING_BANK_DEBIT)["session"]["payment_intent"]
    shop.control("POST", f"/payment_intents/{intent}/settle")
    shop.hear("checkout.session.async_payment_failed", started.session_id)
    status = shop.come_back(started.session_id)
    assert status.state is OrderState.FAILED
    assert "insufficient funds" in status.failure
    assert (shop.grants(), shop.told()) == ([], ["purchase.failed"])


def test_what_was_paid_is_granted_though_price_and_size_have_changed_since(shop: Shop) -> None:
    old = shop.start("mau-10k")
    shop.change_pack("mau-10k", price_cents=1600, quantity=12_000)
    new = shop.start("mau-10k")
    for started in (old, new):
        shop.pay(started.session_id)
        shop.come_back(started.session_id)
    assert sorted((grant.quantity, grant.paid_cents) for grant in shop.grants()) == [(10_000, 1400), (12_000, 1600)]


def test_a_pack_that_left_the_catalogue_meanwhile_is_still_granted(shop: Shop) -> None:
    started = shop.start("mau-10k")
    shop.change_catalogue(lambda document: document["packs"].remove(_pack(document, "mau-10k")))
    shop.pay(started.session_id)
    shop.come_back(started.session_id)
    assert [grant.quantity for grant in shop.grants()] == [10_000]


def _pack(document: dict[str, Any], pack_id: str) -> dict[str, Any]:
    return next(pack for pack in document["packs"] if pack["id"] == pack_id)


@pytest.mark.both_databases
def test_an_organization_is_one_customer_at_stripe(shop: Shop) -> None:
    assert at_once(*(lambda: shop.start("mau-100") for _ in range(3))) == []
    shop.start("mau-1k")
    customers = {session.customer for session in shop.stripe.checkout.sessions.list().data}
    with shop.enter() as buyer:
        assert customers == {buyer.organization.stripe_customer_id}
    (customer,) = shop.stripe.customers.list().data
    assert customer.metadata.to_dict() == {"organization": "acme"}


def test_a_repeated_request_gives_the_payment_that_it_began(shop: Shop) -> None:
    first = shop.start("mau-10k", key="k1")
    assert shop.start("mau-10k", key="k1") == first
    assert shop.start("mau-10k", key="k2") != first
    with pytest.raises(InvalidError) as refused:
        shop.start("mau-1k", key="k1")
    assert refused.value.code == "idempotency_mismatch"
    assert len(shop.stripe.checkout.sessions.list().data) == 2


@pytest.mark.both_databases
def test_the_same_request_twice_at_once_is_one_payment(shop: Shop) -> None:
    assert at_once(*(lambda: shop.start("mau-10k", key="k") for _ in range(4))) == []
    assert len(shop.stripe.checkout.sessions.list().data) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_request_that_stripe_failed_can_be_repeated(shop: Shop, when: str) -> None:
    shop.control("POST", "/faults", kind="api_error", count=9, when=when, path="/v1/checkout/sessions")
    with pytest.raises(UnavailableError) as failed:
        shop.start("mau-10k", key="k")
    assert failed.value.code == "payments_unreachable"
    shop.control("DELETE", "/faults")
    started = shop.start("mau-10k", key="k")
    assert [session.id for session in shop.stripe.checkout.sessions.list().data] == [started.session_id]


def test_an_answer_that_got_lost_is_found_again_by_the_order_in_the_payment(shop: Shop) -> None:
    started = shop.start("mau-10k")
    _forget_session(shop, started.order_id)
    shop.pay(started.session_id)
    shop.hear(COMPLETED, started.session_id)
    assert shop.order(started.order_id).session_id == started.session_id
    assert len(shop.grants()) == 1


def _forget_session(shop: Shop, order_id: str) -> None:
    """As if the process had died between Stripe's answer and our writing it down."""
    with shop.database.writing() as session:
        owner = shop.order(order_id).organization_id
        order = session.get_one(Order, (owner, order_id))
        order.session_id = order.url = None
        order.next_check_at = order.created_at + orders.NEVER_BEGUN_AFTER


def test_a_repeated_request_is_not_gone_on_with_at_another_price(shop: Shop) -> None:
    shop.control("POST", "/faults", kind="api_error", count=9, path="/v1/checkout/sessions")
    with pytest.raises(UnavailableError):
        shop.start("mau-10k", key="k")
    shop.control("DELETE", "/faults")
    shop.change_pack("mau-10k", price_cents=1600)
    with pytest.raises(ConflictError) as refused:
        shop.start("mau-10k", key="k")
    assert refused.value.code == "prices_changed"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ([], "basket_empty"),
        ([("no-such", 1)], "pack_not_found"),
        ([("mau-10k", 0)], "invalid_count"),
        ([("mau-10k", -1)], "invalid_count"),
        ([("mau-10k", MAX_COUNT + 1)], "invalid_count"),
        ([("mau-10k", MAX_COUNT), ("mau-10k", 1)], "invalid_count"),
        ([(f"p{place}", 1) for place in range(21)], "basket_too_large"),
    ],
)
def test_what_cannot_be_bought_is_refused_before_stripe_is_asked(
    shop: Shop, wanted: list[tuple[str, int]], code: str
) -> None:
    with pytest.raises(BillingError) as refused:
        orders.start_checkout(shop.enter, shop.payments, wanted, PUBLIC_URL)
    assert refused.value.code == code
    assert shop.stripe.checkout.sessions.list().data == []


def test_a_pack_that_is_not_public_cannot_be_bought(shop: Shop) -> None:
    shop.change_pack("mau-10k", public=False)
    with pytest.raises(NotFoundError, match="not on offer"):
        shop.start("mau-10k")


def test_more_than_can_be_counted_is_refused_before_it_is_paid(shop: Shop) -> None:
    shop.change_pack("storage-10tb", quantity=2**62)
    with pytest.raises(BillingError) as refused:
        shop.start(storage_10tb=2)
    assert refused.value.code == "quantity_too_large"
    shop.come_back(shop.buy("storage-10tb"))
    with pytest.raises(BillingError) as refused:
        shop.start("storage-10tb")
    assert refused.value.code == "quantity_too_large"


def test_another_organization_neither_sees_nor_gets_a_payment(shop: Shop) -> None:
    session_id = shop.buy("mau-10k")
    with shop.database.writing() as session:
        an_organization(session, "other")
    other = Shop(shop.database, "other", shop.key)
    with pytest.raises(NotFoundError):
        other.come_back(session_id)
    shop.come_back(session_id)
    assert (len(shop.grants()), other.grants()) == (1, [])


def test_a_payment_that_another_product_made_is_not_ours(shop: Shop) -> None:
    price = shop.stripe.prices.create({"product_data": {"name": "A mug"}, "unit_amount": 900, "currency": "usd"})
    session = shop.stripe.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price": price.id, "quantity": 1}], "success_url": "https://mugs.example"}
    )
    shop.pay(session.id)
    worked = shop.hear(COMPLETED, session.id)
    assert (worked.ignored, shop.grants()) == (1, [])


def test_a_payment_that_only_names_our_order_is_not_ours(shop: Shop) -> None:
    started = shop.start("mau-1m")
    price = shop.stripe.prices.create(
        {
            "product_data": {"name": "1,000,000 MAU"},
            "unit_amount": 50,
            "currency": "usd",
            "metadata": {"pack": "mau-1m", "metric": "mau", "quantity": "1000000"},
        }
    )
    forged = shop.stripe.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "https://console.example",
            "metadata": {"organization": "acme", "order": started.order_id},
        }
    )
    shop.pay(forged.id)
    assert shop.hear(COMPLETED, forged.id).ignored == 1
    assert shop.grants() == []


def test_a_database_deals_with_one_stripe_account_only(shop: Shop) -> None:
    session_id = shop.buy("mau-10k")
    stranger = Shop(shop.database)
    for refused in (lambda: stranger.start("mau-10k"), lambda: stranger.come_back(session_id)):
        with pytest.raises(BillingError):
            refused()
    with pytest.raises(UnavailableError, match="belongs to the Stripe account acct_"):
        stranger.start("mau-10k")
    assert shop.come_back(session_id).state is OrderState.PAID


def test_a_database_of_test_mode_refuses_a_live_key(shop: Shop) -> None:
    shop.start("mau-10k")
    with pytest.raises(UnavailableError, match="test mode, and the key is for live mode"), shop.enter() as buyer:
        payment_account.confirm(buyer.session, Account("", livemode=True), buyer.now)


def test_a_key_that_may_not_know_its_account_is_let_in_and_the_account_learnt_later(shop: Shop) -> None:
    for account in (Account("", False), Account("acct_1", False), Account("", False)):
        with shop.enter() as buyer:
            payment_account.confirm(buyer.session, account, buyer.now)
    with pytest.raises(UnavailableError), shop.enter() as buyer:
        payment_account.confirm(buyer.session, Account("acct_2", False), buyer.now)


def test_while_stripe_cannot_be_reached_a_payment_is_unknown_and_never_no(shop: Shop) -> None:
    session_id = shop.buy("mau-10k")
    away = Shop(shop.database, key=shop.key)
    away.payments = StripePayments(shop.key, "http://127.0.0.1:9")
    with pytest.raises(UnavailableError) as failed:
        away.come_back(session_id)
    assert failed.value.code == "payments_unreachable"
    assert shop.come_back(session_id).state is OrderState.PAID


def test_the_sweep_finds_what_no_webhook_told(shop: Shop) -> None:
    session_id = shop.buy("mau-10k")
    assert _sweep(shop, timedelta()) == 0
    assert _sweep(shop, fulfilment.FIRST_CHECK) == 1
    assert len(shop.grants()) == 1
    assert _sweep(shop, timedelta(days=2)) == 0
    assert shop.come_back(session_id).state is OrderState.PAID


def test_the_sweep_asks_ever_more_rarely(shop: Shop) -> None:
    started = shop.start("mau-10k")
    due = []
    for _ in range(10):
        order = shop.order(started.order_id)
        assert order.next_check_at is not None
        due.append(order.next_check_at)
        fulfilment.sweep(shop.database.writing, shop.payments, lambda: due[-1])
    waits = [later - earlier for earlier, later in itertools.pairwise(due)]
    assert waits[0] == 2 * fulfilment.FIRST_CHECK
    assert waits == sorted(waits)
    assert waits[-1] == fulfilment.MAX_CHECK


def test_the_sweep_closes_an_order_that_was_never_begun_and_tells_nobody(shop: Shop) -> None:
    started = shop.start("mau-10k")
    _forget_session(shop, started.order_id)
    _sweep(shop, orders.NEVER_BEGUN_AFTER)
    assert shop.order(started.order_id).state == OrderState.EXPIRED
    assert shop.told() == []
    # and if somebody paid it nevertheless, the money decides
    shop.pay(started.session_id)
    shop.hear(COMPLETED, started.session_id)
    assert shop.order(started.order_id).state == OrderState.PAID
    assert len(shop.grants()) == 1


def _sweep(shop: Shop, later: timedelta) -> int:
    return fulfilment.sweep(shop.database.writing, shop.payments, lambda: shop.clock() + later)


def test_a_clock_behind_stripes_does_not_hold_paid_credits_back(shop: Shop) -> None:
    session_id = shop.buy("mau-10k")
    behind = shop.clock() - timedelta(minutes=3)
    slow = Shop(shop.database, key=shop.key, clock=lambda: behind)
    slow.come_back(session_id)
    assert [grant.effective_at for grant in shop.grants()] == [behind]


@pytest.mark.parametrize("where", ["second grant", "message"])
def test_an_error_between_two_writes_leaves_nothing_and_the_next_one_does_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    session_id = shop.buy("mau-10k", "storage-50gb")
    subject = shop.receive(COMPLETED, session_id)
    _break(monkeypatch, where)
    with pytest.raises(RuntimeError):
        shop.come_back(session_id)
    assert shop.hear(COMPLETED, session_id).failed == 1
    assert (shop.grants(), shop.told(), shop.balance("mau")) == ([], [], 0)
    monkeypatch.undo()

    later = shop.clock() + timedelta(minutes=1)
    shop.clock = lambda: later
    assert inbox.work(shop.worker(), subject).handled == 1
    shop.come_back(session_id)
    assert len(shop.grants()) == 2
    assert shop.told() == ["purchase.paid"]


def _break(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    calls, grant, tell = itertools.count(1), grants.grant, outbox.add

    def every_second_grant_breaks(*arguments: Any, **facts: Any) -> Any:
        if next(calls) % 2 == 0:
            raise RuntimeError("the power went out")
        return grant(*arguments, **facts)

    def message_breaks(session: Any, owner: int, kind: str, *arguments: Any) -> bool:
        if kind.startswith("purchase."):
            raise RuntimeError("the power went out")
        return tell(session, owner, kind, *arguments)

    if where == "second grant":
        monkeypatch.setattr(grants, "grant", every_second_grant_breaks)
    else:
        monkeypatch.setattr(outbox, "add", message_breaks)
