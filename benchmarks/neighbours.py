"""What many strangers and one eager neighbour do to a real `billing serve`: `python -m benchmarks.neighbours`.

Loopback only, in chunks, and over by itself in about a minute. It prints counts, memory and times as JSON; on a machine
with other work the times bound nothing from above, the counts and the memory do.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from billing_app import clock
from billing_app.db import Database
from billing_app.launcher.ports import free_port
from billing_app.launcher.server import wait_until_answers
from billing_app.locations import ROOT
from billing_app.services.access import api_keys
from billing_app.services.common import organizations

STRANGERS = 1_500
CHUNK = 100
READERS = 60
SECONDS = 15.0
PATIENCE = 30.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextmanager
def console() -> Generator[tuple[int, int, Database]]:
    """A console for real use on a SQLite file of its own: its process, its port and its database."""
    with tempfile.TemporaryDirectory(prefix="billing-neighbours-") as folder:
        port, url = free_port(), f"sqlite:///{folder}/billing.db"
        told = {"DATABASE_URL": url, "PUBLIC_URL": f"http://127.0.0.1:{port}", "METRICS_PORT": "0"}
        environment = os.environ | {f"BILLING_{name}": value for name, value in told.items()}
        command = [sys.executable, "-m", "billing_app", "serve", "--port", str(port), "--folder", folder]
        log = (Path(folder) / "terminal.log").open("wb")
        with log, subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) as process:
            try:
                if not wait_until_answers("127.0.0.1", port, "/healthz", 300, process.poll):
                    raise TimeoutError("the console did not start")
                yield process.pid, port, Database(url)
            finally:
                process.terminate()


def memory_mb(pid: int) -> int:
    """What a process and its children keep in memory."""
    found, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        with suppress(OSError):
            pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
            found += pages * os.sysconf("SC_PAGE_SIZE")
            waiting += map(int, Path(f"/proc/{each}/task/{each}/children").read_text().split())
    return found // 2**20


async def asked(port: int, head: str) -> tuple[str, Streams | None]:
    """The status of a request, and its connection, which stays open."""
    streams = None
    try:
        async with asyncio.timeout(PATIENCE):
            streams = await asyncio.open_connection("127.0.0.1", port)
            streams[1].write(f"{head}\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            line = await streams[0].readline()
    except (TimeoutError, OSError) as error:
        return type(error).__name__, streams
    return line.decode().split(" ")[1] if line else "closed", streams


def balances(key: str) -> str:
    """The head of a read that takes a while."""
    return f"GET /api/v1/organizations/eager/balances HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer {key}"


async def closed(streams: Streams | None) -> None:
    """Ends a connection."""
    if streams is not None:
        streams[1].close()
        with suppress(OSError):
            await streams[1].wait_closed()


async def sockets(port: int, pid: int) -> dict[str, object]:
    """Websockets of nobody, which stay open until all were asked for."""
    before, said, kept = memory_mb(pid), Counter[str](), []
    for _ in range(0, STRANGERS, CHUNK):
        heads = (
            f"GET /_event/?EIO=4&transport=websocket&token={secrets.token_hex(8)} HTTP/1.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {secrets.token_hex(11)}==\r\n"
            f"Origin: http://127.0.0.1:{port}"
            for _ in range(CHUNK)
        )
        for status, streams in await asyncio.gather(*(asked(port, head) for head in heads)):
            said[status] += 1
            kept.append(streams)
    after = memory_mb(pid)
    await asyncio.gather(*map(closed, kept))
    return {"answers": said, "memory_mb": [before, after]}


async def saturation(port: int, key: str) -> dict[str, object]:
    """Requests of one key over as many connections at once."""
    begun = time.perf_counter()
    found = await asyncio.gather(*(asked(port, balances(key)) for _ in range(STRANGERS)))
    took = time.perf_counter() - begun
    await asyncio.gather(*(closed(streams) for _, streams in found))
    return {"answers": Counter(status for status, _ in found), "seconds": round(took, 1)}


async def beside(port: int, eager: str, quiet: str) -> dict[str, object]:
    """Another organization's `check` while one key keeps many reads going."""
    until = time.perf_counter() + SECONDS
    reads, times = Counter[str](), []

    async def read() -> None:
        while time.perf_counter() < until:
            status, streams = await asked(port, balances(eager))
            reads[status] += 1
            await closed(streams)

    async def check() -> None:
        body = '{"metric": "sms"}'
        head = (
            f"POST /api/v1/organizations/quiet/check HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer {quiet}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nHost: 127.0.0.1:{port}\r\n\r\n{body}"
        )
        while time.perf_counter() < until:
            begun = time.perf_counter()
            streams = await asyncio.open_connection("127.0.0.1", port)
            streams[1].write(head.encode())
            assert b" 200 " in await streams[0].readline()
            times.append(time.perf_counter() - begun)
            await closed(streams)
            await asyncio.sleep(0.05)

    await asyncio.gather(check(), *(read() for _ in range(READERS)))
    times.sort()
    middle, worst = times[len(times) // 2], times[int(len(times) * 0.99)]
    return {"reads": reads, "checks": len(times), "p50_ms": round(middle * 1e3), "p99_ms": round(worst * 1e3)}


async def measured(pid: int, port: int, database: Database) -> dict[str, object]:
    """All of it."""
    keys = {}
    for address in ("eager", "quiet"):
        with database.writing() as session:
            organization = organizations.create(session, clock.now(), address=address)
            scopes = ["read", "check"]
            keys[address] = api_keys.create(
                session, organization.pk, "neighbours", scopes, "benchmarks", clock.now()
            ).secret
    return {
        "load": os.getloadavg()[0],
        "sockets_without_a_session": await sockets(port, pid),
        "past_saturation": await saturation(port, keys["eager"]),
        "check_beside_60_reads": await beside(port, keys["eager"], keys["quiet"]),
        "memory_mb_at_the_end": memory_mb(pid),
    }


def main() -> None:
    """Measures, and prints what it found."""
    with console() as (pid, port, database):
        print(json.dumps(asyncio.run(measured(pid, port, database)), indent=1))


if __name__ == "__main__":
    main()
