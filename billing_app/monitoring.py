"""What each process counts for Prometheus, by names that docs/operations.md explains.

Labels have few values, all known beforehand: never an organization, a customer, an address or a path as it was asked
for. Where several processes serve, their counts are added up by whoever answers `/metrics` (launcher.metrics_port).
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
"""Ours alone: the library's own would add what it finds in its process."""

PAGE, UNKNOWN = "page", "unknown"
"""Routes of requests for the console's pages and files, and of those for nothing that there is."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)
"""Upper bounds of what a request may take: from a check to the time-out of Stripe."""

LONG_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
"""And of what a job may take."""

requests = Counter(
    "billing_http_requests_total",
    "Requests answered, by route and code.",
    ["method", "route", "code"],
    registry=REGISTRY,
)
request_seconds = Histogram(
    "billing_http_request_seconds", "How long answers took.", ["route"], buckets=SECONDS, registry=REGISTRY
)
decisions = Counter(
    "billing_decisions_total",
    "What check and consume came to: allowed, partly, refused.",
    ["question", "outcome"],
    registry=REGISTRY,
)
usage_events = Counter(
    "billing_usage_events_total",
    "Usage events reported: accepted, duplicate, rejected.",
    ["outcome"],
    registry=REGISTRY,
)
stripe_events = Counter(
    "billing_stripe_events_total",
    "Events of Stripe: received, handled, ignored, failed.",
    ["outcome"],
    registry=REGISTRY,
)
deliveries = Counter(
    "billing_deliveries_total",
    "Tries to deliver a webhook or a mail to an organization: delivered, failed.",
    ["outcome"],
    registry=REGISTRY,
)
recount_seconds = Histogram(
    "billing_recount_seconds", "How long recounts took.", buckets=LONG_SECONDS, registry=REGISTRY
)
recounted = Counter(
    "billing_recount_organizations_total",
    "Organizations that recounts have seen and changed.",
    ["what"],
    registry=REGISTRY,
)
job_runs = Counter(
    "billing_job_runs_total",
    "Runs of scheduled jobs: done, failed, or left to another process.",
    ["job", "outcome"],
    registry=REGISTRY,
)
job_seconds = Histogram(
    "billing_job_seconds", "How long runs of scheduled jobs took.", ["job"], buckets=LONG_SECONDS, registry=REGISTRY
)
job_succeeded_at = Gauge(
    "billing_job_last_success_timestamp_seconds",
    "When a scheduled job last came to its end.",
    ["job"],
    multiprocess_mode="max",
    registry=REGISTRY,
)
page_views = Counter(
    "billing_page_views_total",
    "Figures of organizations' pages: read for one, or shared with others who show the same.",
    ["how"],
    registry=REGISTRY,
)
page_refreshes = Counter(
    "billing_page_refreshes_total", "Open pages that were read anew because something changed.", registry=REGISTRY
)
turned_away = Counter(
    "billing_turned_away_total",
    "What was not begun because too much waited: of one caller, or of all.",
    ["queue", "reason"],
    registry=REGISTRY,
)


def worked_on(handled: int, ignored: int, failed: int) -> None:
    """Counts what a turn did with events of Stripe."""
    for outcome, count in (("handled", handled), ("ignored", ignored), ("failed", failed)):
        stripe_events.labels(outcome).inc(count)
