"""Passwords: argon2id hashes, and the work that an unknown account costs as well."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from billing_app.domain.common.access import MIN_PASSWORD
from billing_app.domain.common.errors import InvalidError, UnavailableError

if TYPE_CHECKING:
    from pwdlib import PasswordHash

MAX_LENGTH = 256
"""Characters. Room for any sentence, and an end to what one request may make us hash."""

MIN_DIFFERENT = 5
"""Different characters: keeps out `aaaaaaaaaaaa` and `121212121212`."""

AT_ONCE = 4
"""How many hashes are computed at the same time: each takes 64 MiB, and a flood of sign-ins must not take them all."""

PATIENCE_S = 10
"""How long a sign-in waits for its turn before it is told to come back."""

NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$dKqv+f5IwrnsvHtyLUBEIw$UYjc4eYIRSTb4eBw9QXmjU4lU2rI9nDAT31TJG4iImw"
"""What a password is compared with where there is no account: the same work. A test keeps its parameters today's."""

_turns = threading.BoundedSemaphore(AT_ONCE)


@lru_cache
def _hasher() -> PasswordHash:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash((Argon2Hasher(),))


def hashed(password: str) -> str:
    """The argon2id hash of a new password.

    Raises InvalidError `weak_password` if it is too short, too long or of too few different characters, and
    UnavailableError under a flood.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_LENGTH:
        raise InvalidError(
            f"A password has {MIN_PASSWORD} to {MAX_LENGTH} characters; this one has {len(password)}.",
            code="weak_password",
        )
    if len(set(password)) < MIN_DIFFERENT:
        raise InvalidError(
            f"A password has at least {MIN_DIFFERENT} different characters. A short sentence is a good one.",
            code="weak_password",
        )
    with _Turn():
        return _hasher().hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Whether `password` is the one that was hashed. Without a hash it is not, after exactly the same work."""
    candidate = password if len(password) <= MAX_LENGTH else ""
    with _Turn():
        right = _hasher().verify(candidate, password_hash or NOBODYS_HASH)
    return right and password_hash is not None and candidate == password


class _Turn:
    """One of the few places at the hasher."""

    def __enter__(self) -> None:
        if not _turns.acquire(timeout=PATIENCE_S):
            raise UnavailableError("Too many people are signing in right now. Try again in a moment.")

    def __exit__(self, *_: object) -> None:
        _turns.release()
