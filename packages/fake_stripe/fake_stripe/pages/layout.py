"""The frame of every page: head, the TEST MODE banner, and headers that keep a page to itself."""

from datetime import UTC, datetime

from starlette.responses import HTMLResponse

from fake_stripe.pages.html import Child, Markup, tag

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def moment(seconds: float) -> str:
    """`4 Dec 2026, 10:05:09 UTC`."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


# The head of a column of buttons.
ACTIONS = "Actions"


def day(seconds: float) -> str:
    """`4 Dec 2026`."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b %Y}"


def table(heads: list[str], rows: list[list[Child]], numbers: tuple[int, ...] = (), of: str = "") -> Markup:
    """Rows under heads; the columns in `numbers` stand to the right. Wide ones scroll by themselves.

    `of` names what the rows are, where a page has several tables.
    """

    def cell(name: str, place: int, content: Child) -> Markup:
        kind = "actions" if heads[place] == ACTIONS else "number" if place in numbers else None
        return tag(name, content, class_=kind, scope="col" if name == "th" else None)

    head = tag("tr", [cell("th", place, text) for place, text in enumerate(heads)])
    body = [tag("tr", [cell("td", place, content) for place, content in enumerate(row)]) for row in rows]
    inner = tag("table", tag("thead", head), tag("tbody", body))
    return tag(
        "div", inner, class_="scroll", tabindex="0", role="region", aria_label=f"Table of {(of or heads[0]).lower()}"
    )


def page(base: str, title: str, *body: Child, status: int = 200, wide: bool = False) -> HTMLResponse:
    """A whole page under the path `base`."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · TEST MODE"),
        tag("link", rel="stylesheet", href=f"{base}/style.css"),
        tag("link", rel="icon", href=f"{base}/icon.svg", type="image/svg+xml"),
    )
    content = tag("body", banner(), tag("main", *body, class_="wide" if wide else "narrow"))
    return HTMLResponse(Markup("<!doctype html>") + tag("html", head, content, lang="en"), status, HEADERS)


def banner() -> Markup:
    """No reader may take this for a real payment page."""
    return tag(
        "div",
        tag("strong", "TEST MODE"),
        tag("span", "A fake Stripe, not Stripe itself. No money moves; never enter a real card."),
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
