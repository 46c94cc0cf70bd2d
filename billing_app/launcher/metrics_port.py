"""`/metrics` on a port of its own, for Prometheus: what all web processes counted, and what the database says waits.

Answered by the process that starts the web processes, so that there is one answer however many they are. They write
their counts into files of a temporary folder, from where this process adds them up (prometheus_client's multiprocess
mode). On several machines each shows its own counts; what comes from the database is the same on all of them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from billing_app import clock
from billing_app.db import Database
from billing_app.services.operators import operations
from billing_app.services.operators.operations import Backlogs
from billing_app.settings import Settings

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client in the web processes finds the folder."""


class DatabaseCollector(Collector):
    """Reads the database anew for each answer. One that does not answer is a figure too, and hides no other."""

    def __init__(self, url: str) -> None:
        """Opens the database when it is first asked for."""
        self._url = url
        self._opened: Database | None = None
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """Everything that `backlogs` reads."""
        yield _labelled("billing_build_info", "Which version runs.", "version", {version("billing-console"): 1})
        found = self._read()
        up = found is not None
        yield _one("billing_database_up", "1 while the database answers.", int(up))
        if found is not None:
            yield from _families(found)

    def close(self) -> None:
        """Closes the database."""
        if self._opened is not None:
            self._opened.close()

    def _read(self) -> Backlogs | None:
        try:
            with self._lock:
                self._opened = self._opened or Database(self._url)
            with self._opened.reading() as session:
                return operations.backlogs(session, clock.now())
        except (SQLAlchemyError, OSError):
            return None


def _families(found: Backlogs) -> Iterator[Metric]:
    waiting = {name: queue.waiting for name, queue in found.queues.items()}
    oldest = {name: queue.oldest_s for name, queue in found.queues.items()}
    yield _labelled("billing_queue_waiting", "How many are due and wait.", "queue", waiting)
    yield _labelled("billing_queue_oldest_seconds", "How long the first has waited.", "queue", oldest)
    yield _one("billing_stripe_events_given_up", "Events that need an operator.", found.given_up)
    yield _one("billing_recount_due_organizations", "Ledgers that are behind; at most 1000.", found.recount_due)
    for name, at in (("recount", found.recount_at), ("sync", found.sync_at)):
        if at is not None:
            text = f"When the last {name} that went well ended, in whichever process."
            yield _one(f"billing_{name}_last_success_timestamp_seconds", text, at.timestamp())
    differences = {"repaired": found.sync_repaired, "remaining": found.sync_remaining}
    yield _labelled("billing_sync_differences", "What the last sync found.", "outcome", differences)
    held = {name: int(taken) for name, taken in found.leases.items()}
    yield _labelled("billing_lease_held", "1 while a process runs the job of this lease.", "lease", held)


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


@contextmanager
def answering(settings: Settings, say: Callable[[str], None]) -> Generator[None]:
    """Answers while the block runs, and has web processes that it starts count. A taken port is said, no refusal."""
    if not settings.metrics_port:
        yield
        return
    folder = tempfile.mkdtemp(prefix="billing-metrics-")
    os.environ[FOLDER] = folder
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)
    database = DatabaseCollector(settings.database_url)
    registry.register(database)
    server = None
    try:
        try:
            server, thread = start_http_server(settings.metrics_port, settings.metrics_host, registry)
        except OSError as error:
            say(
                f"No figures for Prometheus: nothing can listen on {settings.metrics_host}, port "
                f"{settings.metrics_port} ({error.strerror}). BILLING_METRICS_PORT chooses another, 0 none."
            )
        yield
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()
            thread.join()
        database.close()
        os.environ.pop(FOLDER, None)
        shutil.rmtree(folder, ignore_errors=True)
