"""Forms that other sites cannot send: the browser says where a post comes from, and we believe it."""

from urllib.parse import urlsplit

from starlette.requests import Request

from fake_stripe.errors import StripeError

_SAME = ("same-origin", "none")
_LOOPBACK = ("127.0.0.1", "localhost")
MAX_FIELDS = 200


async def own_form(http: Request, public_url: str) -> dict[str, str]:
    """The fields of a posted form. Raises StripeError (403) if another site's page sent it.

    Browsers set `Sec-Fetch-Site` and `Origin` themselves; a page cannot forge them. A program that sets neither is no
    browser and carries nobody's session. Our own origin is the public one, on one's own machine under both of its
    names: never what a request says it is, which a name that somebody points at this machine would say too.
    """
    site, origin = http.headers.get("sec-fetch-site"), http.headers.get("origin")
    foreign = (site is not None and site not in _SAME) or (
        site is None and origin is not None and urlsplit(origin).netloc not in _own(public_url)
    )
    if foreign:
        raise StripeError("This form was sent by another site.", status=403)
    form = await http.form(max_fields=MAX_FIELDS, max_files=0)
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _own(public_url: str) -> set[str]:
    parts = urlsplit(public_url)
    names = _LOOPBACK if parts.hostname in _LOOPBACK else ()
    return {parts.netloc} | {f"{name}:{parts.port}" if parts.port else name for name in names}
