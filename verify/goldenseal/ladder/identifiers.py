"""Identifiers that are drawn anew in each run, such as the name of its log: here they are counted.

`uuid.uuid4()` and `secrets.token_hex()` draw from the operating system, which no seed reaches. They
are no fact of the training, but a file that is called by one would be another file in each run.
"""

import contextlib
import hashlib
import itertools
import os
import secrets
import uuid
from collections.abc import Iterator
from unittest import mock


@contextlib.contextmanager
def counted_identifiers() -> Iterator[None]:
    """Inside, each is new in its run, and the same in the next; of several ranks each has its own.

    A library that has bound the real function by then keeps it.
    """
    numbers, rank = itertools.count(), os.environ.get("RANK", "0")

    def drawn(size: int) -> bytes:
        return hashlib.shake_128(f"{rank} {next(numbers)}".encode()).digest(size)

    def random_uuid() -> uuid.UUID:
        return uuid.UUID(bytes=drawn(16), version=4)

    def uuid_of_host(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
        return uuid.UUID(bytes=drawn(16), version=1)

    def token_bytes(nbytes: int | None = None) -> bytes:
        return drawn(secrets.DEFAULT_ENTROPY if nbytes is None else nbytes)

    with contextlib.ExitStack() as stack:
        for owner, name, counted in (
            (uuid, "uuid4", random_uuid),
            (uuid, "uuid1", uuid_of_host),
            (secrets, "token_bytes", token_bytes),
        ):
            stack.enter_context(mock.patch.object(owner, name, counted))
        yield
