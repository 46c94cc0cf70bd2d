"""A customer's own program, for the demo: takes the webhooks that the console sends, and says that it did.

Like any program it is not quite there right after its start: the first request finds it starting, and comes again.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/product/webhooks"
MAX_BODY_BYTES = 100_000


class Product:
    """Answers 503 once, then 204 to whatever has the headers and the size of a webhook."""

    def __init__(self) -> None:
        self._started = False

    def route(self) -> Route:
        """Where webhooks go."""
        return Route(PATH, self._receive, methods=["POST"])

    async def _receive(self, http: Request) -> Response:
        body = await http.body()
        if not self._started:
            self._started = True
            return Response("starting, try again", 503, media_type="text/plain")
        if "webhook-signature" not in http.headers or not 0 < len(body) <= MAX_BODY_BYTES:
            return Response("not a webhook", 400, media_type="text/plain")
        return Response(status_code=204)
