"""Objects of one account: read, write, and walk through them newest first."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]


def find(connection: sqlite3.Connection, account: str, identifier: str, kind: str | None = None) -> Body | None:
    """The object with this id, or None; with `kind`, only if it is of that kind."""
    row = connection.execute(
        "SELECT kind, body FROM objects WHERE account = ? AND id = ?", (account, identifier)
    ).fetchone()
    return json.loads(row["body"]) if row and kind in (None, row["kind"]) else None


def owner(connection: sqlite3.Connection, identifier: str, kind: str) -> str | None:
    """The account that has an object of this id, for pages whose address names only the object."""
    row = connection.execute("SELECT account FROM objects WHERE id = ? AND kind = ?", (identifier, kind)).fetchone()
    return row["account"] if row else None


def insert(connection: sqlite3.Connection, account: str, kind: str, body: Body) -> None:
    """Add a new object. Raises sqlite3.IntegrityError if the id is taken."""
    connection.execute(
        "INSERT INTO objects (account, id, kind, body) VALUES (?, ?, ?, ?)",
        (account, body["id"], kind, json.dumps(body)),
    )


def update(connection: sqlite3.Connection, account: str, body: Body) -> None:
    """Replace the body of an object."""
    connection.execute(
        "UPDATE objects SET body = ? WHERE account = ? AND id = ?", (json.dumps(body), account, body["id"])
    )


def delete(connection: sqlite3.Connection, account: str, identifier: str) -> None:
    """Remove an object."""
    connection.execute("DELETE FROM objects WHERE account = ? AND id = ?", (account, identifier))


def position(connection: sqlite3.Connection, account: str, kind: str, identifier: str) -> int | None:
    """Where an object stands in the order of creation, or None."""
    row = connection.execute(
        "SELECT seq FROM objects WHERE account = ? AND id = ? AND kind = ?", (account, identifier, kind)
    ).fetchone()
    return row["seq"] if row else None


def walk(
    connection: sqlite3.Connection,
    account: str,
    kind: str,
    equal: dict[str, Any] | None = None,
    after: int | None = None,
    before: int | None = None,
) -> Iterator[Body]:
    """Objects of a kind, newest first; or, given `before`, those newer than that place, oldest first.

    `equal` maps members of the body, dotted when nested, to the value that they must have.
    """
    clauses = ["account = ?", "kind = ?"]
    values: list[Any] = [account, kind]
    for path, value in (equal or {}).items():
        clauses.append(f"json_extract(body, '$.{path}') IS ?")
        values.append(value)
    if after is not None:
        clauses.append("seq < ?")
        values.append(after)
    if before is not None:
        clauses.append("seq > ?")
        values.append(before)
    order = "DESC" if before is None else "ASC"
    # The clauses are ours and made of parameter names that the contract has checked; values are bound.
    statement = f"SELECT body FROM objects WHERE {' AND '.join(clauses)} ORDER BY seq {order}"  # noqa: S608
    for row in connection.execute(statement, values):
        yield json.loads(row["body"])
