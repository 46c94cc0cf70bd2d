"""The hosted checkout page: what is bought on one side, how it is paid on the other."""

from typing import Any

from fake_stripe.money import money
from fake_stripe.pages.html import Child, Markup, tag
from fake_stripe.pages.layout import alert, field
from fake_stripe.payments import baskets, cards
from fake_stripe.storage.objects import Body

_HINTS = (
    ("4242 4242 4242 4242", "succeeds"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0025 0000 3155", "asks for 3-D Secure"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0000 0000 0259", "succeeds, then is disputed"),
)
_BANK_HINTS = (("000123456789", "succeeds some seconds later"), ("000222222227", "fails some seconds later"))
_ACTION = {"payment": "Pay", "subscription": "Subscribe", "setup": "Save"}


def checkout_page(base: str, session: Body, entered: dict[str, str], problem: str | None) -> list[Markup]:
    """Summary and form; `entered` is what the payer had typed, `problem` why it was not taken."""
    address = f"{base}/checkout/{session['id']}"
    return [tag("div", _summary(session, address), _form(session, address, entered, problem), class_="checkout")]


def _summary(session: Body, address: str) -> Markup:
    back = session["cancel_url"] and tag("a", "← Back", href=session["cancel_url"], class_="back")
    verb = {"payment": "Pay", "subscription": "Subscribe", "setup": "Save a card"}[session["mode"]]
    total = session["amount_total"] or 0
    heading = tag(
        "h1", tag("span", verb, class_="verb"), tag("span", money(total, session["currency"]), class_="total")
    )
    if session["mode"] == "setup":
        heading = tag("h1", tag("span", "Save a card for later", class_="total"))
    lines = [_line(line) for line in session["_lines"]]
    return tag(
        "section",
        back,
        heading,
        _afterwards(session),
        tag("ul", lines, class_="lines") if lines else None,
        _totals(session) if lines else None,
        _code_form(session, address),
        class_="summary",
        aria_label="Order",
    )


def _afterwards(session: Body) -> Markup | None:
    """What a subscription costs from the next period on, and after which free days."""
    recurring = [line for line in session["_lines"] if line["price"]["recurring"]]
    if not recurring:
        return None
    whole = sum(baskets.amount_of(line["price"], line["quantity"]) for line in recurring)
    rhythm = _interval(recurring[0]["price"]["recurring"])
    days = session["_data"].get("trial_period_days")
    free = f"{days} days free, then " if days else "Then "
    return tag("p", f"{free}{money(whole, session['currency'])} per {rhythm}, until cancelled.", class_="afterwards")


def _line(line: Body) -> Markup:
    bounds = line["adjustable_quantity"]
    each = money(line["price"]["unit_amount"] or 0, line["currency"])
    recurring = line["price"]["recurring"]
    rhythm = f" per {_interval(recurring)}" if recurring else ""
    detail: Child = (
        f"Qty {line['quantity']:,}, {each} each{rhythm}" if line["quantity"] > 1 else rhythm.strip().capitalize()
    )
    if bounds:
        detail = [_quantity(line, bounds), tag("span", f"{each} each{rhythm}")]
    return tag(
        "li",
        tag("div", tag("span", line["description"], class_="name"), tag("span", detail, class_="detail")),
        tag("span", money(line["amount_subtotal"], line["currency"]), class_="amount"),
    )


def _quantity(line: Body, bounds: Body) -> list[Markup]:
    identifier = f"quantity-{line['id']}"
    return [
        tag("label", f"Quantity of {line['description']}", for_=identifier, class_="unseen"),
        tag(
            "input",
            id=identifier,
            name=identifier,
            type="number",
            value=line["quantity"],
            min=bounds["minimum"],
            max=bounds["maximum"],
            form="pay",
            class_="quantity",
        ),
    ]


def _interval(recurring: Body) -> str:
    count = recurring["interval_count"]
    return recurring["interval"] if count == 1 else f"{count} {recurring['interval']}s"


def _totals(session: Body) -> Markup:
    currency = session["currency"]
    discount = session["total_details"]["amount_discount"]
    rows = [("Subtotal", session["amount_subtotal"])]
    if discount:
        rows.append(("Discount", -discount))
    rows.append(("Total due today", session["amount_total"]))
    return tag(
        "dl", [[tag("dt", label), tag("dd", money(amount, currency))] for label, amount in rows], class_="totals"
    )


def _code_form(session: Body, address: str) -> list[Markup] | None:
    adjustable = any(line["adjustable_quantity"] for line in session["_lines"])
    parts = []
    if session["allow_promotion_codes"] and not session["_coupon"]:
        parts.append(field("Promotion code", "promotion_code", form="pay"))
    if not parts and not adjustable:
        return None
    parts.append(
        tag("button", "Update total", type="submit", form="pay", formaction=f"{address}/update", class_="quiet")
    )
    return [tag("div", parts, class_="code")]


def _form(session: Body, address: str, entered: dict[str, str], problem: str | None) -> Markup:
    total = session["amount_total"] or 0
    label = _ACTION[session["mode"]]
    if session["mode"] == "payment":
        label = f"Pay {money(total, session['currency'])}"
    free = session["mode"] == "payment" and total == 0
    return tag(
        "section",
        tag(
            "form",
            alert(problem) if problem else None,
            tag("h2", "Contact"),
            _email(session, entered),
            None if free else _methods(session, entered),
            tag("button", label if not free else "Complete order", type="submit", class_="primary"),
            id="pay",
            method="post",
            action=f"{address}/pay",
        ),
        None if free else _hints(session),
        class_="payment",
        aria_label="Payment",
    )


def _email(session: Body, entered: dict[str, str]) -> Markup:
    known = session.get("_email") or session["customer_email"]
    return field(
        "Email", "email", type="email", value=known or entered.get("email"), readonly=bool(known), autocomplete="email"
    )


def _methods(session: Body, entered: dict[str, str]) -> list[Child]:
    offers_bank = cards.BANK_ACCOUNT in session["payment_method_types"]
    chosen = entered.get("method", "card")
    choice = [("card", "Card"), *([("bank", "Bank account")] if offers_bank else [])]
    radios = [
        tag(
            "label", tag("input", type="radio", name="method", value=value, checked=value == chosen), tag("span", label)
        )
        for value, label in choice
    ]
    return [
        tag("h2", "Payment method"),
        tag("fieldset", tag("legend", "Payment method", class_="unseen"), radios, class_="choice")
        if offers_bank
        else None,
        _card_fields(entered),
        _bank_fields(entered) if offers_bank else None,
    ]


def _card_fields(entered: dict[str, str]) -> Markup:
    return tag(
        "div",
        field(
            "Card number",
            "number",
            inputmode="numeric",
            placeholder="4242 4242 4242 4242",
            value=entered.get("number"),
            maxlength=23,
        ),
        tag(
            "div",
            field(
                "Expiry", "expiry", inputmode="numeric", placeholder="MM / YY", value=entered.get("expiry"), maxlength=7
            ),
            field("CVC", "cvc", inputmode="numeric", placeholder="123", maxlength=4),
            class_="pair",
        ),
        field("Name on card", "name", value=entered.get("name")),
        class_="card-fields",
    )


def _bank_fields(entered: dict[str, str]) -> Markup:
    return tag(
        "div",
        field(
            "Account number", "account", inputmode="numeric", placeholder="000123456789", value=entered.get("account")
        ),
        field("Account holder", "holder", value=entered.get("holder")),
        tag("p", "The money arrives some seconds after you confirm.", class_="note"),
        class_="bank-fields",
    )


def _hints(session: Body) -> Markup:
    rows: list[tuple[str, str]] = list(_HINTS)
    if cards.BANK_ACCOUNT in session["payment_method_types"]:
        rows += _BANK_HINTS
    return tag(
        "details",
        tag("summary", "Test numbers"),
        tag("dl", [[tag("dt", number), tag("dd", effect)] for number, effect in rows]),
        tag("p", "Any future expiry and any CVC will do.", class_="note"),
        class_="hints",
        open=True,
    )


def closed_page(session: Body, success: str) -> list[Markup]:
    """What a payer sees who comes back to a session that is no longer open."""
    if session["status"] == "complete":
        done = "paid" if session["payment_status"] == "paid" else "done"
        words, link, label = f"This is {done}. Nothing more to do here.", success, "Continue"
    else:
        words, link, label = "This page has expired. Start again from the shop.", session["cancel_url"], "Back"
    action: Any = tag("a", label, href=link, class_="primary") if link else None
    return [tag("section", tag("h1", "Checkout"), tag("p", words), action, class_="panel")]


def authentication_page(base: str, intent: Body) -> list[Markup]:
    """The bank's question."""
    action = f"{base}/authenticate/{intent['id']}"
    return [
        tag(
            "section",
            tag("h1", "3-D Secure"),
            tag(
                "p",
                "Your bank asks whether you are paying ",
                tag("strong", money(intent["amount"], intent["currency"])),
                ".",
            ),
            tag(
                "form",
                tag("button", "Complete authentication", name="answer", value="complete", class_="primary"),
                tag("button", "Fail authentication", name="answer", value="fail", class_="quiet"),
                method="post",
                action=action,
                class_="stack",
            ),
            class_="panel",
        )
    ]
