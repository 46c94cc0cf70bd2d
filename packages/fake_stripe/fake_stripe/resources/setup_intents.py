"""Setup intents over the API."""

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.payments import setups
from fake_stripe.payments.setups import SETUP_INTENT
from fake_stripe.resource import Listing, Request, listing, operation, retrieve
from fake_stripe.resources import payment_methods
from fake_stripe.storage.objects import Body


@operation("setup_intents.create")
def create(account: Account, request: Request) -> Body:
    """With `confirm`, the card is saved in the same call."""
    parameters = request.parameters
    customer = parameters.get("customer")
    if customer:
        account.get(customer, "customer", "customer")
    if "automatic_payment_methods" in parameters:
        parameters["automatic_payment_methods"].plain()
    intent = setups.make(
        account,
        customer,
        description=parameters.get("description"),
        metadata=changes.metadata(parameters),
        usage=parameters.get("usage", "off_session"),
    )
    method = parameters.get("payment_method")
    if method:
        found = payment_methods.resolve(account, method)
        account.change(intent, None, payment_method=found["id"], status="requires_confirmation")
    if parameters.get("confirm"):
        return _confirm(account, intent, method, parameters.get("return_url"))
    return intent


def _confirm(account: Account, intent: Body, method: str | None, return_url: str | None) -> Body:
    if not method and not intent["payment_method"]:
        raise errors.missing_parameter("payment_method")
    found = payment_methods.resolve(account, intent["payment_method"] or str(method))
    decline = setups.confirm(account, intent, found, return_url)
    if decline:
        raise errors.StripeError(
            decline.message,
            code=decline.code,
            kind="card_error",
            status=402,
            keeps_effects=True,
            decline_code=decline.reason,
            setup_intent=intent,
        )
    return intent


@operation("setup_intents.confirm")
def confirm(account: Account, request: Request) -> Body:
    """Save the card given now or earlier."""
    parameters = request.parameters
    intent = account.get(request.ids[0], SETUP_INTENT.kind)
    method = parameters.get("payment_method")
    if method:
        intent["payment_method"] = payment_methods.resolve(account, method)["id"]
    return _confirm(account, intent, method, parameters.get("return_url"))


@operation("setup_intents.cancel")
def cancel(account: Account, request: Request) -> Body:
    """Unless it has succeeded."""
    intent = account.get(request.ids[0], SETUP_INTENT.kind)
    if intent["status"] in ("succeeded", "canceled"):
        raise errors.StripeError(f"This SetupIntent is {intent['status']}.", code="setup_intent_unexpected_state")
    reason = request.parameters.get("cancellation_reason")
    return account.change(intent, "setup_intent.canceled", status="canceled", cancellation_reason=reason)


retrieve("setup_intents.retrieve", SETUP_INTENT)
listing("setup_intents.list", Listing(SETUP_INTENT))
