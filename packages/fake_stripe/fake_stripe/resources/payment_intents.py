"""Payment intents over the API: create, confirm, capture nothing by hand, cancel."""

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.payments import intents
from fake_stripe.payments.intents import INTENT
from fake_stripe.resource import Listing, Request, listing, operation, retrieve
from fake_stripe.resources import payment_methods, prices
from fake_stripe.storage.objects import Body

# The least that can be charged, in minor units, where Stripe names one; elsewhere 1.
MINIMUM_CHARGE = {"usd": 50, "eur": 50, "gbp": 30, "chf": 50, "jpy": 50, "cad": 50, "aud": 50}
MAXIMUM_CHARGE = 99_999_999
_PLAIN = ("description", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor_suffix")


def refuse_bad_amount(amount: int, currency: str) -> None:
    """Raises StripeError for an amount (minor units) that no card can be charged."""
    least = MINIMUM_CHARGE.get(currency, 1)
    if amount < least:
        raise errors.invalid("amount", f"Amount must be at least {least} {currency}.", "amount_too_small")
    if amount > MAXIMUM_CHARGE:
        raise errors.invalid("amount", f"Amount must be at most {MAXIMUM_CHARGE}.", "amount_too_large")


@operation("payment_intents.create")
def create(account: Account, request: Request) -> Body:
    """With `confirm`, the money is taken in the same call."""
    parameters = request.parameters
    currency = prices.currency(parameters)
    refuse_bad_amount(parameters["amount"], currency)
    _read_choices(parameters)
    customer = parameters.get("customer")
    if customer:
        account.get(customer, "customer", "customer")
    method = _method(account, parameters)
    intent = intents.make(
        account,
        parameters["amount"],
        currency,
        account.clock_of(customer),
        customer=customer,
        metadata=changes.metadata(parameters),
        payment_method=method["id"] if method else None,
        status="requires_confirmation" if method else "requires_payment_method",
        **changes.given(parameters, _PLAIN),
    )
    if parameters.get("confirm"):
        return _confirm(account, intent, method, parameters)
    return intent


def _read_choices(parameters: Parameters) -> None:
    """Options whose only supported value is how the fake Stripe works anyway."""
    if parameters.get("capture_method", "automatic_async") == "manual":
        raise errors.unsupported("capture_method")
    if parameters.get("confirmation_method", "automatic") == "manual":
        raise errors.unsupported("confirmation_method")
    if "automatic_payment_methods" in parameters:
        parameters["automatic_payment_methods"].plain()


def _method(account: Account, parameters: Parameters) -> Body | None:
    identifier = parameters.get("payment_method")
    if not identifier:
        return None
    method = payment_methods.resolve(account, identifier)
    if method["customer"] not in (None, parameters.get("customer", method["customer"])):
        raise errors.StripeError("The payment method belongs to another customer.", param="payment_method")
    return method


def _confirm(account: Account, intent: Body, method: Body | None, parameters: Parameters) -> Body:
    if method is None:
        raise errors.missing_parameter("payment_method")
    off_session = bool(parameters.get("off_session", False))
    if off_session and method["customer"] is None:
        raise errors.invalid("payment_method", "Off-session payments need a method attached to a customer.")
    decline = intents.confirm(account, intent, method, off_session, parameters.get("return_url"))
    if decline:
        raise intents.card_error(intent, decline)
    if intent["status"] == "requires_action" and parameters.get("error_on_requires_action"):
        raise errors.unsupported("error_on_requires_action")
    return intent


@operation("payment_intents.confirm")
def confirm(account: Account, request: Request) -> Body:
    """Take the money with the method given now or earlier."""
    parameters = request.parameters
    intent = account.get(request.ids[0], INTENT.kind)
    account.change(intent, None, **changes.given(parameters, ("receipt_email", "setup_future_usage")))
    method = _method(account, parameters)
    if method is None and intent["payment_method"]:
        method = account.get(intent["payment_method"], "payment_method")
    return _confirm(account, intent, method, parameters)


@operation("payment_intents.update")
def update(account: Account, request: Request) -> Body:
    """Before it is paid."""
    parameters = request.parameters
    intent = account.get(request.ids[0], INTENT.kind)
    wanted = changes.given(parameters, (*_PLAIN, "amount", "customer"))
    if set(wanted) - {"description"} and intent["status"] not in intents.CONFIRMABLE:
        raise intents.unexpected_state(intent, "update")
    if wanted.get("customer"):
        account.get(wanted["customer"], "customer", "customer")
    if "amount" in wanted:
        refuse_bad_amount(wanted["amount"], intent["currency"])
    method = _method(account, parameters)
    if method:
        wanted.update(payment_method=method["id"], status="requires_confirmation")
    wanted["metadata"] = changes.metadata(parameters, intent["metadata"])
    return account.change(intent, None, **wanted)


@operation("payment_intents.cancel")
def cancel(account: Account, request: Request) -> Body:
    """Not for those of a Checkout Session: expire the session instead."""
    intent = account.get(request.ids[0], INTENT.kind)
    if (account.find(intent.get("_owner")) or {}).get("object") == "checkout.session":
        raise errors.StripeError("This PaymentIntent belongs to a Checkout Session: expire the session instead.")
    return intents.cancel(account, intent, request.parameters.get("cancellation_reason"))


retrieve("payment_intents.retrieve", INTENT)
listing("payment_intents.list", Listing(INTENT))
