"""The frame of every page: head, the TEST MODE banner, and headers that keep a page to itself."""

from datetime import UTC, datetime

from starlette.responses import HTMLResponse

from billing_app.sandbox.pages.html import Child, Markup, tag

# Minor units per unit, where it is not 100 (Stripe's list of zero- and three-decimal currencies).
ZERO_DECIMAL = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf")
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
_SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def money(amount: int, currency: str) -> str:
    """`$1,234.50` from minor units; the minus is U+2212."""
    digits = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, part = divmod(abs(amount), 10**digits)
    number = f"{whole:,}" + (f".{part:0{digits}d}" if digits else "")
    sign = "\u2212" if amount < 0 else ""
    return f"{sign}{_SYMBOLS[currency]}{number}" if currency in _SYMBOLS else f"{sign}{number} {currency.upper()}"


def moment(seconds: float) -> str:
    """`4 Dec 2026, 10:05:09 UTC`."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def page(base: str, title: str, *body: Child, status: int = 200, wide: bool = False) -> HTMLResponse:
    """A whole page under the path `base`."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · TEST MODE"),
        tag("link", rel="stylesheet", href=f"{base}/style.css"),
    )
    content = tag("body", banner(), tag("main", *body, class_="wide" if wide else "narrow"))
    return HTMLResponse(Markup("<!doctype html>") + tag("html", head, content, lang="en"), status, HEADERS)


def banner() -> Markup:
    """No reader may take this for a real payment page."""
    return tag(
        "div",
        tag("strong", "TEST MODE"),
        tag("span", "Local sandbox, not Stripe. No money moves; never enter a real card."),
        class_="test-mode",
        role="status",
    )


def alert(text: str) -> Markup:
    """What went wrong, announced at once."""
    return tag("div", tag("strong", "Payment not taken. "), text, class_="alert", role="alert")


def field(label: str, name: str, **attributes: Child) -> Markup:
    """A labelled text field."""
    identifier = f"field-{name}"
    described = {"id": identifier, "name": name, "type": "text", "autocomplete": "off", **attributes}
    return tag("div", tag("label", label, for_=identifier), tag("input", **described), class_="field")
