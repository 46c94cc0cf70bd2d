"""How the portal looks."""

from fake_stripe.account import Account
from fake_stripe.billing import subscriptions
from fake_stripe.money import money
from fake_stripe.pages.html import Child, Markup, tag
from fake_stripe.pages.layout import alert, day, field, table
from fake_stripe.storage.objects import Body

MAX_INVOICES = 24


def portal(account: Account, session: Body, address: str, problem: str | None) -> Markup:
    """The whole page."""
    features = account.get(session["configuration"], "billing_portal.configuration")["features"]
    customer = account.get(session["customer"], "customer")
    back = session["return_url"] and tag("a", "← Back", href=session["return_url"], class_="back")
    return tag(
        "div",
        back,
        tag("h1", "Billing"),
        alert(problem) if problem else None,
        _subscriptions(account, customer, features, address),
        _cards(account, customer, address) if features["payment_method_update"]["enabled"] else None,
        _details(customer, address) if features["customer_update"]["enabled"] else None,
        _invoices(account, customer) if features["invoice_history"]["enabled"] else None,
        class_="board",
    )


def _panel(title: str, *body: Child) -> Markup:
    return tag("section", tag("h2", title), *body, class_="panel", aria_label=title)


def action(address: str, label: str, name: str, **hidden: str) -> Markup:
    """A form that is one button; `name` tells apart what buttons of the same label do."""
    fields = [tag("input", type="hidden", name=key, value=value) for key, value in hidden.items()]
    return tag("form", fields, tag("button", label, type="submit", aria_label=name), method="post", action=address)


def _subscriptions(account: Account, customer: Body, features: Body, address: str) -> Markup:
    found = [s for s in account.all("subscription", customer=customer["id"]) if s["status"] not in subscriptions.ENDED]
    if not found:
        return _panel("Subscriptions", tag("p", "No subscription is running.", class_="empty"))
    return _panel("Subscriptions", [_subscription(account, one, features, address) for one in found])


def _subscription(account: Account, subscription: Body, features: Body, address: str) -> Markup:
    _, end = subscriptions.period_of(subscription)
    names = []
    for item in subscription["items"]["data"]:
        product = account.get(item["price"]["product"], "product")
        each = money(item["price"]["unit_amount"] or 0, subscription["currency"])
        names.append(f"{item['quantity']} × {product['name']}, {each} per {item['price']['recurring']['interval']}")
    ends = subscription["cancel_at"]
    when = f"Ends on {day(ends)}" if ends else f"Renews on {day(end)}"
    hidden = {"subscription": subscription["id"]}
    buttons: list[Child] = []
    if features["subscription_cancel"]["enabled"]:
        label = "Keep subscription" if ends else "Cancel subscription"
        verb = "keep" if ends else "cancel"
        buttons.append(action(f"{address}/{verb}", label, f"{label} {names[0]}", **hidden))
    return tag(
        "div",
        tag("div", [tag("div", name, class_="name") for name in names], tag("p", when, class_="note")),
        tag("span", subscription["status"].replace("_", " "), class_="badge"),
        buttons,
        _plans(account, subscription, features["subscription_update"], address),
        class_="row",
    )


def _plans(account: Account, subscription: Body, feature: Body, address: str) -> Markup | None:
    current = subscription["items"]["data"][0]["price"]["id"]
    offered = [price for product in feature["products"] or [] for price in product["prices"] if price != current]
    if not feature["enabled"] or not offered:
        return None
    identifier = f"plan-{subscription['id']}"
    options = []
    for price_id in offered:
        price = account.get(price_id, "price")
        product = account.get(price["product"], "product")
        label = f"{product['name']}, {money(price['unit_amount'] or 0, price['currency'])}"
        options.append(tag("option", f"{label} per {price['recurring']['interval']}", value=price_id))
    return tag(
        "form",
        tag("input", type="hidden", name="subscription", value=subscription["id"]),
        tag("label", "Change plan to", for_=identifier, class_="unseen"),
        tag("select", options, id=identifier, name="price"),
        tag("button", "Change plan", type="submit"),
        method="post",
        action=f"{address}/switch",
        class_="inline",
    )


def _cards(account: Account, customer: Body, address: str) -> Markup:
    default = customer["invoice_settings"]["default_payment_method"]
    rows = []
    for method in account.all("payment_method", customer=customer["id"]):
        details = method[method["type"]]
        label = f"{details.get('brand') or details.get('bank_name')} •••• {details['last4']}"
        mark: Child = tag("span", "Default", class_="badge")
        if method["id"] != default:
            mark = action(f"{address}/default", "Make default", f"Make {label} default", method=method["id"])
        rows.append(tag("div", tag("span", label, class_="name"), mark, class_="row"))
    form = tag(
        "form",
        field("Card number", "number", inputmode="numeric", placeholder="4242 4242 4242 4242", maxlength=23),
        field("Expiry", "expiry", inputmode="numeric", placeholder="MM / YY", maxlength=7),
        tag("button", "Add card", type="submit"),
        method="post",
        action=f"{address}/card",
        class_="inline",
    )
    return _panel("Payment methods", rows or tag("p", "No card is saved.", class_="empty"), form)


def _details(customer: Body, address: str) -> Markup:
    form = tag(
        "form",
        field("Email", "email", type="email", value=customer["email"]),
        field("Name", "name", value=customer["name"]),
        tag("button", "Save", type="submit"),
        method="post",
        action=f"{address}/details",
        class_="inline",
    )
    return _panel("Billing details", form)


def _invoices(account: Account, customer: Body) -> Markup:
    found = [i for i in account.all("invoice", customer=customer["id"]) if i["status"] != "draft"][:MAX_INVOICES]
    rows = [
        [
            tag("a", invoice["number"], href=invoice["hosted_invoice_url"]),
            day(invoice["created"]),
            tag("span", invoice["status"], class_="badge"),
            money(invoice["total"], invoice["currency"]),
        ]
        for invoice in found
    ]
    if not rows:
        return _panel("Invoices", tag("p", "No invoice yet.", class_="empty"))
    return _panel("Invoices", table(["Number", "Date", "Status", "Amount"], rows, numbers=(3,)))


def invoice_page(account: Account, invoice: Body) -> Markup:
    """One invoice with its lines."""
    currency = invoice["currency"]
    rows = [
        [
            line["description"],
            f"{day(line['period']['start'])} to {day(line['period']['end'])}",
            money(line["amount"], currency),
        ]
        for line in invoice["lines"]["data"]
    ]
    sums = [("Subtotal", invoice["subtotal"]), ("Total", invoice["total"]), ("Paid", invoice["amount_paid"])]
    totals = tag(
        "dl", [[tag("dt", label), tag("dd", money(amount, currency))] for label, amount in sums], class_="totals"
    )
    status = tag("span", invoice["status"], class_="badge")
    who = invoice["customer_name"] or invoice["customer_email"] or invoice["customer"]
    return tag(
        "section",
        tag("h1", f"Invoice {invoice['number'] or ''}"),
        tag("p", f"{day(invoice['created'])}, for {who} ", status),
        table(["What", "Period", "Amount"], rows, numbers=(2,)),
        totals,
        class_="panel sheet",
    )
