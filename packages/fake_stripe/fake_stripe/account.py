"""One account inside one transaction: its objects, its events, its timers and what time it is there."""

import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from fake_stripe import errors, events, timers
from fake_stripe.storage import objects
from fake_stripe.storage.objects import Body


class Account:
    """What an operation, a timer or a hosted page works on. Dies with its transaction."""

    def __init__(
        self, connection: sqlite3.Connection, identifier: str, public_url: str, request: dict[str, Any] | None = None
    ) -> None:
        self.connection = connection
        self.id = identifier
        self.public_url = public_url
        # What events say about their cause: the request's id and idempotency key, or nulls for what happens by itself.
        self.request = request or {"id": None, "idempotency_key": None}

    def now(self, clock: str | None = None) -> int:
        """Seconds since 1970: the wall clock's, or a test clock's, which stands still unless it runs."""
        found = objects.find(self.connection, self.id, clock, "test_helpers.test_clock") if clock else None
        if found is None:
            return int(time.time())
        runs = found.get("_ahead") is not None and found["status"] == "ready"
        return int(time.time()) + found["_ahead"] if runs else found["frozen_time"]

    def clock_of(self, customer: str | None) -> str | None:
        """The test clock that this customer lives by, or None for real time."""
        found = self.find(customer, "customer") if customer else None
        return found["test_clock"] if found else None

    def find(self, identifier: str | None, kind: str | None = None) -> Body | None:
        """The object, or None if there is none such, or it was deleted."""
        body = objects.find(self.connection, self.id, identifier, kind) if identifier else None
        return None if body is None or body.get("deleted") else body

    def get(self, identifier: str, kind: str, param: str | None = None) -> Body:
        """The object. Raises StripeError: 404, or 400 naming `param` when a parameter points at it."""
        body = self.find(identifier, kind)
        if body is None:
            label = kind.rpartition(".")[2]
            raise errors.missing(label, identifier, param, 400) if param else errors.missing(label, identifier)
        return body

    def all(self, kind: str, **equal: Any) -> list[Body]:
        """Every object of a kind, not deleted, whose members equal those given, newest first; `a__b` is b of a."""
        wanted = {path.replace("__", "."): value for path, value in equal.items()}
        return [body for body in objects.walk(self.connection, self.id, kind, wanted) if not body.get("deleted")]

    def walk(
        self, kind: str, equal: dict[str, Any], after: int | None = None, before: int | None = None
    ) -> Iterator[Body]:
        """Like `all`, lazily and from a place on; do not write while walking."""
        return objects.walk(self.connection, self.id, kind, equal, after, before)

    def add(self, body: Body, event: str | None = None) -> Body:
        """Keep a new object and tell of it."""
        objects.insert(self.connection, self.id, body["object"], body)
        if event:
            self.emit(event, body)
        return body

    def save(self, body: Body) -> Body:
        """Keep an object as it is now, without telling anybody."""
        objects.update(self.connection, self.id, body)
        return body

    def change(self, body: Body, event: str | None = None, **changes: Any) -> Body:
        """Set members, keep them, and tell of it with the values they had; nothing happens if nothing differs."""
        previous = {name: body.get(name) for name, value in changes.items() if body.get(name) != value}
        if previous:
            body.update(changes)
            self.save(body)
            shown = {name: value for name, value in previous.items() if not name.startswith("_")}
            if event and shown:
                self.emit(event, body, shown)
        return body

    def emit(self, event_type: str, body: Body, previous: dict[str, Any] | None = None) -> None:
        """Record an event with the object as it is now, and queue its deliveries."""
        events.record(self, event_type, body, previous)

    def schedule(self, due: int, action: str, body: Body, clock: str | None = None) -> None:
        """Have `action` run for the object at `due` (seconds since 1970), by the test clock if one is given."""
        timers.schedule(self.connection, self.id, clock, due, action, body["id"])

    def unschedule(self, body: Body, action: str | None = None) -> None:
        """Forget what was planned for the object."""
        timers.unschedule(self.connection, self.id, body["id"], action)
