"""Forms that other sites cannot send: the browser says where a post comes from, and we believe it."""

from urllib.parse import urlsplit

from starlette.requests import Request

from billing_app.sandbox.errors import StripeError

_SAME = ("same-origin", "none")
MAX_FIELDS = 200


async def own_form(http: Request, public_url: str) -> dict[str, str]:
    """The fields of a posted form. Raises StripeError (403) if another site's page sent it.

    Browsers set `Sec-Fetch-Site` and `Origin` themselves; a page cannot forge them. A program that sets neither is no
    browser and carries nobody's session. Behind a proxy our own origin is the public one.
    """
    site, origin = http.headers.get("sec-fetch-site"), http.headers.get("origin")
    own = {urlsplit(public_url).netloc, http.headers.get("host"), http.headers.get("x-forwarded-host")}
    foreign = (site is not None and site not in _SAME) or (
        site is None and origin is not None and urlsplit(origin).netloc not in own
    )
    if foreign:
        raise StripeError("This form was sent by another site.", status=403)
    form = await http.form(max_fields=MAX_FIELDS, max_files=0)
    return {name: value for name, value in form.items() if isinstance(value, str)}
