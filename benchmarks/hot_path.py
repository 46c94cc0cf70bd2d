"""check, consume and usage: what a product asks for every request of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.measuring import PACE, Rate, Row, best, measured, paced_beside
from benchmarks.places import NOW, an_organization
from benchmarks.serving import PAGE, Caller, serving
from benchmarks.taking_in import insert_by_hand
from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.access import api_keys
from billing_app.services.common.context import Context
from billing_app.services.usage import consumption, debits

METRIC = "bandwidth"

CHECK_P99_MS = 5.0


def consume_service(opened: Database, kind: str, seconds: float) -> list[Row]:
    """The service function beside the same four writes by hand, and beside the bare conditional UPDATE."""
    acme = an_organization(opened)
    with opened.writing() as session:
        consumption.consume(Context(session, acme, NOW), METRIC, 1, key="first")

    turns = count()

    def consume(_number: int) -> None:
        number = next(turns)
        with opened.single() as session:  # as the route does
            if (
                debits.take(Context(session, acme, NOW + timedelta(microseconds=number)), METRIC, 1, key=f"s{number}")
                is None
            ):
                raise RuntimeError("a debit that always fits went the long way")

    by_hand, bare = _by_hand(opened, acme.pk)
    rates: dict[str, list[Rate]] = {"consume": [], "four": [], "bare": []}
    for _ in range(2):  # in turns, so that all three see the same machine
        rates["consume"].append(measured(consume, seconds))
        rates["four"].append(measured(by_hand, seconds))
        rates["bare"].append(measured(bare, seconds))
    rate, four, one = (best(*rates[name]) for name in ("consume", "four", "bare"))
    rows = [
        Row("consume, service", kind, rate, "the same four writes by hand", four.per_second, 0.6),
        Row("consume, service", kind, rate, "the bare conditional UPDATE", one.per_second, 0.3),
    ]
    if kind == "postgresql":
        crowd = _crowd(opened, acme.pk)
        many = best(*(measured(consume, seconds, 16) for _ in range(2)))
        pushing = best(*(measured(crowd, seconds, 16) for _ in range(2)))
        rows.append(Row("consume, service, 16 clients", kind, many, "2 000 a second", 2_000, 1.0))
        limit = "16 clients of the bare conditional UPDATE"
        rows.append(Row("consume, service, 16 clients", kind, many, limit, pushing.per_second, 0.3))
    return rows


def _by_hand(opened: Database, owner: int) -> tuple[Callable[[int], None], Callable[[int], None]]:
    """Meter, event, roll-up and key with the driver alone; and the meter alone."""
    connection: Any = opened.engine.raw_connection().driver_connection
    mark = "?" if opened.sqlite else "%s"
    update = (
        f"UPDATE meters SET used = used + 1, watched_at = {mark} WHERE organization_id = {mark} AND metric = {mark} "
        'AND NOT stale AND (allowance IS NULL OR used < allowance + "left" - reserved) RETURNING used'
    )
    event = (
        "INSERT INTO usage_events (organization_id, id, metric, quantity, occurred_at, recorded_at, source) "
        f"VALUES ({mark}, {mark}, {mark}, 1, {mark}, {mark}, '')"
    )
    hour = (
        "INSERT INTO usage_hours (organization_id, metric, hour, quantity, level, last_at, events, exact, recorded_at) "
        f"VALUES ({mark}, {mark}, {mark}, 1, 0, {mark}, 1, true, {mark}) ON CONFLICT (organization_id, metric, hour) "
        "DO UPDATE SET quantity = usage_hours.quantity + 1, events = usage_hours.events + 1"
    )
    key = (
        "INSERT INTO idempotency_keys (organization_id, space, key, digest, answer, recorded_at) "
        f"VALUES ({mark}, 'consume', {mark}, 'd', '{{}}', {mark}) ON CONFLICT DO NOTHING"
    )
    now: Any = NOW.strftime("%Y-%m-%d %H:%M:%S.%f") if opened.sqlite else NOW

    def begin() -> Any:
        cursor = connection.cursor()
        if opened.sqlite:  # PostgreSQL's driver begins by itself
            cursor.execute("BEGIN IMMEDIATE")
        return cursor

    def four(number: int) -> None:
        cursor = begin()
        cursor.execute(key, (owner, f"h{number}-{uuid4().hex}", now))
        cursor.execute(update, (now, owner, METRIC))
        cursor.execute(event, (owner, uuid4().hex if opened.sqlite else uuid4(), METRIC, now, now))
        cursor.execute(hour, (owner, METRIC, now, now, now))
        connection.commit()

    def bare(_number: int) -> None:
        begin().execute(update, (now, owner, METRIC))
        connection.commit()

    return four, bare


def _crowd(opened: Database, owner: int) -> Callable[[int], None]:
    """The bare conditional UPDATE for many clients: each has a connection of its own, and commits by itself."""
    local = threading.local()
    url = opened.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def update(_number: int) -> None:
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(url, autocommit=True)
        local.connection.execute(
            "UPDATE meters SET used = used + 1 WHERE organization_id = %s AND metric = %s AND NOT stale "
            'AND (allowance IS NULL OR used < allowance + "left" - reserved) RETURNING used',
            (owner, METRIC),
        )

    return update


def over_http(opened: Database, kind: str, seconds: float) -> list[Row]:
    """check, consume and usage beside the same server answering a constant; usage beside a batched INSERT too."""
    acme = an_organization(opened, "globex")
    with opened.writing() as session:
        key = api_keys.create(session, acme.pk, "bench", [*Scope], "bench", NOW).secret
    url = opened.url.render_as_string(hide_password=False)
    with serving(url) as port:
        anyone, program = Caller(port), Caller(port, key)

        def check(_number: int) -> None:
            program.call("POST", "/api/v1/organizations/globex/check", {"metric": METRIC, "quantity": 1})

        def consume(number: int) -> None:
            body = {"metric": METRIC, "quantity": 1}
            program.call(
                "POST", "/api/v1/organizations/globex/consume", body, **{"Idempotency-Key": f"w{number}-{uuid4().hex}"}
            )

        def usage(_number: int) -> None:
            events = [{"id": uuid4().hex, "metric": METRIC, "quantity": 1} for _ in range(1_000)]
            said = json.loads(program.call("POST", "/api/v1/organizations/globex/usage", {"events": events}))
            if said["accepted"] != 1_000:
                raise RuntimeError(str(said)[:300])

        consume(-1)
        constant = best(*(measured(lambda _number: anyone.call("GET", "/healthz"), seconds, 4) for _ in range(2)))
        checks = best(*(measured(check, seconds, 4) for _ in range(2)))
        consumes = best(*(measured(consume, seconds, 4) for _ in range(2)))
        alone = measured(check, seconds)
        paced = paced_beside(check, lambda: anyone.call("GET", PAGE), seconds)
        batches = measured(usage, seconds)
    inserted = measured(_batched(opened, acme.pk), seconds)
    events = replace(batches, per_second=batches.per_second * 1_000)
    return [
        Row("check over HTTP", kind, checks, "the same server answering a constant", constant.per_second, 0.5,
            {"one client": {"p50_ms": alone.p50_ms, "p95_ms": alone.p95_ms, "p99_ms": alone.p99_ms}}),
        Row("consume over HTTP", kind, consumes, "the same server answering a constant", constant.per_second, 0.4),
        Row("check over HTTP at 200/s, p99", kind, paced, "5 ms beside a page each second (200/s by 5 ms)",
            PACE, 1.0, {"p99_ms": paced.p99_ms}, reached_by=paced.p99_ms <= CHECK_P99_MS),
        Row("usage over HTTP, batches of 1 000", kind, batches, "the same rows by hand in the driver",
            inserted.per_second, 0.5),
        Row("usage over HTTP, events", kind, events, "25 000 events a second", 25_000, 1.0),
    ]  # fmt: skip


def _batched(opened: Database, owner: int) -> Callable[[int], None]:
    now = NOW.strftime("%Y-%m-%d %H:%M:%S.%f") if opened.sqlite else NOW.isoformat()

    def insert(_number: int) -> None:
        rows = [(owner, uuid4().hex, METRIC, 1, None, now, now, f"b{uuid4().hex}", "") for _ in range(1_000)]
        insert_by_hand(opened, rows)

    return insert
