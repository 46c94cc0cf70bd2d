"""Test cards and accounts: the number decides what happens. Facts from Stripe's public page on testing."""

from dataclasses import dataclass

BANK_ACCOUNT = "us_bank_account"


@dataclass(frozen=True)
class Decline:
    """Why a charge failed: the error's code, the bank's reason, and a sentence for the payer."""

    code: str
    reason: str | None
    message: str


@dataclass(frozen=True)
class Behaviour:
    """What happens when this number is charged.

    `authentication` is `once` (until set up for later use), `always` or None. `later` names what follows a success:
    `dispute`, `inquiry`, `refund_fails` or `refund_pending`. A bank account settles some seconds later.
    """

    name: str
    decline: Decline | None = None
    authentication: str | None = None
    later: str | None = None
    asynchronous: bool = False
    brand: str = "visa"


def _declined(name: str, reason: str, message: str, code: str = "card_declined") -> Behaviour:
    return Behaviour(name, Decline(code, reason if code == "card_declined" else None, message))


AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    None,
    "Your bank could not confirm that it is you. Try again, or use another card.",
)
DEBIT_FAILED = Decline("insufficient_funds", "insufficient_funds", "The bank returned the debit: insufficient funds.")

CARDS = {
    "4242424242424242": Behaviour("visa"),
    "4000056655665556": Behaviour("visa_debit"),
    "5555555555554444": Behaviour("mastercard", brand="mastercard"),
    "378282246310005": Behaviour("amex", brand="amex"),
    "4000000000000002": _declined("chargeDeclined", "generic_decline", "Your card was declined."),
    "4000000000009995": _declined(
        "chargeDeclinedInsufficientFunds", "insufficient_funds", "Your card has insufficient funds."
    ),
    "4000000000000069": _declined(
        "chargeDeclinedExpiredCard", "expired_card", "Your card has expired.", "expired_card"
    ),
    "4000000000000127": _declined(
        "chargeDeclinedIncorrectCvc", "incorrect_cvc", "Your card's security code is incorrect.", "incorrect_cvc"
    ),
    "4000000000000119": _declined(
        "chargeDeclinedProcessingError",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
        "processing_error",
    ),
    "4000000000000341": _declined("chargeCustomerFail", "generic_decline", "Your card was declined."),
    "4000002500003155": Behaviour("authenticationRequiredOnSetup", authentication="once"),
    "4000002760003184": Behaviour("authenticationRequired", authentication="always"),
    "4000000000003220": Behaviour("threeDSecure2Required", authentication="always"),
    "4000000000000259": Behaviour("createDispute", later="dispute"),
    "4000000000001976": Behaviour("createDisputeInquiry", later="inquiry"),
    "4000000000005126": Behaviour("refundFail", later="refund_fails"),
    "4000000000007726": Behaviour("pendingRefund", later="refund_pending"),
}
BANK_ACCOUNTS = {
    "000123456789": Behaviour("usBankAccount", asynchronous=True),
    "000222222227": Behaviour("usBankAccount_insufficientFunds", DEBIT_FAILED, asynchronous=True),
}
BY_NAME = {behaviour.name: number for number, behaviour in CARDS.items()}


def behaviour_of(number: str) -> Behaviour | None:
    """What this card or account number does, or None if the fake Stripe has no such number."""
    return CARDS.get(number) or BANK_ACCOUNTS.get(number)


def passes_check_digit(number: str) -> bool:
    """Whether the last digit of a card number fits (Luhn), which tells a typing error from an unknown card."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
