"""`/v1/...`: from an HTTP request to an operation and back, with keys, versions, idempotency and faults."""

import asyncio
import base64
import binascii
import logging
import sqlite3
import time
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse

from fake_stripe import expansion, faults, idempotency, ids, resources
from fake_stripe.account import Account
from fake_stripe.contract import form
from fake_stripe.contract.parameters import Parameters, validate
from fake_stripe.contract.shapes import public
from fake_stripe.errors import StripeError, unsupported
from fake_stripe.events import API_VERSION
from fake_stripe.resource import OPERATIONS, Operation, Request
from fake_stripe.storage import accounts
from fake_stripe.storage.database import Database

LOG = logging.getLogger("fake_stripe")
# Far above what the SDK sends; a bound against accidents.
MAX_BODY_BYTES = 1_000_000
MAX_FIELDS = 5_000
# Tools that name no API version (Stripe's own command line tool among them) speak an older one, in which payments
# still took this parameter. The SDK always names its version and is refused.
_OLDER_PARAMETER = "payment_method_types"
resources.load()
ROUTES = [(route.contract.method, route.contract.pattern, route) for route in OPERATIONS]


class Api:
    """Answers the API from one database; `public_url` is the base of the addresses it gives to browsers."""

    def __init__(self, database: Database, public_url: str) -> None:
        self.database = database
        self.public_url = public_url

    async def respond(self, http: HttpRequest) -> JSONResponse:
        """One request, from the wire to the wire."""
        request_id = ids.make("req", 14)
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        try:
            key = bearer_of(http.headers.get("authorization", ""))
            accounts.refuse_foreign_key(key)
            raw = form.decode(await _pairs(http))
            fault = self._fault(key, http.method, http.url.path)
            if fault and fault["when"] == "before":
                return await _fail(fault, headers)
            status, body, replayed = self._answer(http, key, raw, request_id)
            if fault:
                return await _fail(fault, headers)
        except StripeError as refusal:
            return JSONResponse(refusal.body(), refusal.status, headers)
        except Exception:  # the edge: whatever is wrong inside, the caller must get an answer it can read
            LOG.exception("request %s failed", request_id)
            broken = StripeError("The fake Stripe failed; its log has the trace.", kind="api_error", status=500)
            return JSONResponse(broken.body(), broken.status, headers)
        if idempotency_key := http.headers.get("idempotency-key"):
            headers["Idempotency-Key"] = idempotency_key
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        return JSONResponse(body, status, headers)

    def _fault(self, key: str, method: str, path: str) -> dict[str, Any] | None:
        """The fault that this call was chosen for, counted in a transaction of its own."""
        with self.database.transaction() as connection:
            account = accounts.of_key(connection, key, int(time.time()))
            for fault, options in faults.active(connection, account, "api_error", "api_timeout"):
                fits = options["method"] in (None, method) and (options["path"] or "") in path
                if fits:
                    faults.use(connection, fault)
                    return {"kind": fault["kind"], **options}
        return None

    def _answer(self, http: HttpRequest, key: str, raw: dict[str, Any], request_id: str) -> tuple[int, Any, bool]:
        _refuse_other_version(http.headers.get("stripe-version"))
        operation, captured = route(http.method, http.url.path)
        once = http.headers.get("idempotency-key") if http.method == "POST" else None
        if "stripe-version" not in http.headers:
            raw.pop(_OLDER_PARAMETER, None)
        print_ = idempotency.fingerprint(http.method, http.url.path, raw)
        now = time.time()
        with self.database.transaction() as connection:
            account = self._account(connection, key, request_id, once)
            if once and (earlier := idempotency.replay(connection, account.id, once, print_, now)):
                return (*earlier, True)
            try:
                status, body = 200, run(account, operation, captured, dict(raw), http.url.path)
            except StripeError as refusal:
                if not refusal.keeps_effects:
                    raise
                status, body = refusal.status, public(refusal.body())
            if once:
                idempotency.remember(connection, account.id, once, print_, status, body, now)
        return status, body, False

    def _account(self, connection: sqlite3.Connection, key: str, request_id: str, once: str | None) -> Account:
        identifier = accounts.of_key(connection, key, int(time.time()))
        return Account(connection, identifier, self.public_url, {"id": request_id, "idempotency_key": once})


def run(account: Account, operation: Operation, captured: tuple[str, ...], raw: dict[str, Any], path: str) -> Any:
    """Validate and perform one operation. Raises StripeError, also for parameters that nothing acted on."""
    parameters = validate(operation.contract.shape, raw)
    paths = parameters.get("expand", [])
    answer = operation.handler(account, Request(captured, parameters, path))
    _refuse_ignored(parameters)
    return public(expansion.expand(account, answer, paths))


def route(method: str, path: str) -> tuple[Operation, tuple[str, ...]]:
    """The operation for a method and path, and the ids in it. Raises StripeError (404) for an unknown one."""
    for wanted, pattern, operation in ROUTES:
        if wanted == method and (match := pattern.fullmatch(path)):
            return operation, match.groups()
    raise StripeError(f"Unrecognized request URL ({method}: {path}), or not part of the fake Stripe.", status=404)


def bearer_of(authorization: str) -> str:
    """The key of a Bearer header, or the user name of a Basic one (`curl -u key:`). Raises StripeError (401)."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError) as error:
            raise StripeError("The Authorization header cannot be read.", status=401) from error
    raise StripeError("No API key: send 'Authorization: Bearer sk_test_...'.", status=401)


async def _pairs(http: HttpRequest) -> list[tuple[str, str]]:
    body = await http.body()
    if len(body) > MAX_BODY_BYTES:
        raise StripeError("The request is too large.", status=413)
    try:
        sent = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        return [*parse_qsl(http.url.query, keep_blank_values=True, max_num_fields=MAX_FIELDS), *sent]
    except (ValueError, UnicodeDecodeError) as error:
        raise StripeError("The request body is not a readable form.") from error


async def _fail(fault: dict[str, Any], headers: dict[str, str]) -> JSONResponse:
    if fault["kind"] == "api_timeout":
        await asyncio.sleep(float(fault["seconds"]))
        fault = {**fault, "status": 504}
    status = int(fault["status"])
    kind = "rate_limit_error" if status == 429 else "api_error"
    error = StripeError("A fault was asked for.", kind=kind, code="sandbox_fault", status=status)
    return JSONResponse(error.body(), status, headers)


def _refuse_other_version(version: str | None) -> None:
    if version not in (None, API_VERSION):
        said = f"The fake Stripe speaks API version {API_VERSION} only, not {version}."
        raise StripeError(said, param="Stripe-Version")


def _refuse_ignored(parameters: Parameters) -> None:
    for path in parameters.unread():
        raise unsupported(path)
