"""The ledger page: from the view to what the screen shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.domain.catalogue import Metric
from billing_app.services.credits.views_ledger import LedgerFilters, LedgerLine, LedgerView, TraceView
from billing_app.services.credits.views_shared import UnpostedView
from billing_app.services.overview.views_frame import FrameView
from billing_app.ui import routes
from billing_app.ui.credits.text import GrantRow, grant_row
from billing_app.ui.kit.formats import Formats, clock, long_day, moment_text, month_with_year, plain_day
from billing_app.ui.kit.records import Choice, Field, MetricLabel, grant_name, metric_choices, metric_label
from billing_app.ui.overview.text import recount_text

KINDS = {
    "grant": "Grants",
    "burn": "Burned",
    "release": "Given back",
    "expire": "Ended",
    "void": "Voided",
    "refund": "Refunds",
    "hold": "On hold",
    "unhold": "Freed",
    "debt": "Owed",
    "settle": "Settled",
    "convert": "Converted",
}
"""Ledger kinds as the filter names them."""

KIND_NAMES = {
    "grant": "Granted",
    "burn": "Burned",
    "release": "Given back",
    "expire": "Ended unused",
    "void": "Voided",
    "refund": "Refunded",
    "hold": "On hold",
    "unhold": "Freed",
    "debt": "Owed",
    "settle": "Settled",
    "convert": "Converted",
}
"""Ledger kinds as a row names them."""


@dataclass(frozen=True)
class LedgerRow:
    """One entry, or the computed line of what is not yet posted."""

    number: str = ""
    when: str = ""
    when_note: str = ""
    metric: MetricLabel = field(default_factory=MetricLabel)
    what: str = ""
    note: str = ""
    change: str = ""
    grew: bool = False
    balance: str = ""
    href: str = ""
    chosen: bool = False
    unposted: bool = False


@dataclass(frozen=True)
class TraceScreen:
    """Where an entry came from."""

    visible: bool = False
    title: str = ""
    facts: list[Field] = field(default_factory=list)
    metric: MetricLabel = field(default_factory=MetricLabel)
    grant_visible: bool = False
    grant: GrantRow = field(default_factory=GrantRow)
    others: list[LedgerRow] = field(default_factory=list)
    left_out: str = ""


@dataclass(frozen=True)
class LedgerScreen:
    """Everything the ledger shows."""

    ready: bool = False
    empty: bool = False
    recount: str = ""
    recount_failed: bool = False
    metrics: list[Choice] = field(default_factory=list)
    metric: str = ""
    metric_base: str = ""
    kinds: list[Choice] = field(default_factory=list)
    kind: str = ""
    kind_base: str = ""
    starting: str = ""
    starting_base: str = ""
    ending: str = ""
    ending_base: str = ""
    search: str = ""
    filtered: bool = False
    clear_href: str = ""
    csv_href: str = ""
    rows: list[LedgerRow] = field(default_factory=list)
    older_href: str = ""
    newest_href: str = ""
    close_href: str = ""
    trace: TraceScreen = field(default_factory=TraceScreen)


def ledger_screen(
    both: tuple[LedgerView, TraceView | None],
    frame: FrameView,
    formats: Formats,
    filters: LedgerFilters | None = None,
    cursor: str = "",
) -> LedgerScreen:
    """The screen of a page of the ledger, and of the entry that was opened."""
    view, trace = both
    filters = filters or LedgerFilters()
    address = frame.organization.address
    query = query_of(filters)
    opened = trace.line.number if trace else 0

    def without(name: str) -> str:
        url = routes.ledger(address, **{key: value for key, value in query.items() if key != name})
        return url + ("&" if "?" in url else "?") + f"{name}="

    return LedgerScreen(
        ready=True,
        empty=not view.ever_posted and not view.unposted,
        recount=recount_text(view.recount),
        recount_failed=view.recount.failed,
        metrics=[Choice("all", "All metrics"), *metric_choices(view.metrics)],
        metric=filters.metric or "all",
        metric_base=without("metric"),
        kinds=[Choice("all", "All kinds"), *(Choice(kind, name) for kind, name in KINDS.items())],
        kind=filters.kind or "all",
        kind_base=without("kind"),
        starting=query.get("from", ""),
        starting_base=without("from"),
        ending=query.get("to", ""),
        ending_base=without("to"),
        search=filters.search,
        filtered=bool(query),
        clear_href=routes.ledger(address),
        csv_href=routes.api(address, "ledger.csv", **api_query(filters)),
        rows=[
            *(_unposted(one, formats) for one in view.unposted),
            *(
                _row(one, routes.ledger(address, **query, cursor=cursor, entry=one.number), formats, opened)
                for one in view.lines
            ),
        ],
        older_href=routes.ledger(address, **query, cursor=view.next_cursor) if view.next_cursor else "",
        newest_href=routes.ledger(address, **query) if cursor else "",
        close_href=routes.ledger(address, **query, cursor=cursor),
        trace=_trace(trace, view, address, formats) if trace else TraceScreen(),
    )


def query_of(filters: LedgerFilters) -> dict[str, str]:
    """The filters as the page's URL has them; those that are not set are left out."""
    query = {
        "metric": filters.metric,
        "kind": filters.kind,
        "from": f"{filters.starting:%Y-%m-%d}" if filters.starting else "",
        "to": f"{filters.ending:%Y-%m-%d}" if filters.ending else "",
        "search": filters.search,
        "grant": filters.grant,
    }
    return {name: value for name, value in query.items() if value}


def api_query(filters: LedgerFilters) -> dict[str, str]:
    """The filters as the API has them: moments, and neither search nor grant."""
    query = {"metric": filters.metric, "kind": filters.kind}
    if filters.starting:
        query["from"] = f"{filters.starting:%Y-%m-%dT%H:%M:%SZ}"
    if filters.ending:
        query["to"] = f"{filters.ending:%Y-%m-%dT%H:%M:%SZ}"
    return query


def _unposted(one: UnpostedView, formats: Formats) -> LedgerRow:
    since = f"since {clock(one.since)}" if one.since else "so far"
    return LedgerRow(
        when="not yet posted",
        metric=metric_label(one.metric),
        what=f"Use above the plan {since}",
        note=f"posts at {clock(one.posts_at)} UTC",
        change=formats.change(one.metric, one.quantity),
        grew=one.quantity > 0,
        unposted=True,
    )


def _row(line: LedgerLine, href: str, formats: Formats, opened: int) -> LedgerRow:
    metric = line.metric
    counts_then = line.recorded_at.date() != line.occurred_at.date()
    return LedgerRow(
        number=str(line.number),
        when=long_day(line.recorded_at),
        when_note=f"counts on {plain_day(line.occurred_at)}" if counts_then else f"{clock(line.recorded_at)} UTC",
        metric=metric_label(metric),
        what=line.reason or KIND_NAMES.get(line.kind, line.kind),
        note=_note(line, metric, formats),
        change=formats.change(metric, line.quantity),
        grew=line.quantity > 0,
        balance=formats.quantity(metric, line.balance),
        href=href,
        chosen=line.number == opened,
    )


def _note(line: LedgerLine, metric: Metric, formats: Formats) -> str:
    name = grant_name(line.label, metric, formats) if line.label else ""
    return f"{KIND_NAMES.get(line.kind, line.kind)}{', ' + name if name else ''}"


def _trace(trace: TraceView, view: LedgerView, address: str, formats: Formats) -> TraceScreen:
    line, metric = trace.line, trace.line.metric
    facts = [
        Field("Change", formats.change(metric, line.quantity), hint=formats.exact(metric, abs(line.quantity))),
        Field("Balance after it", formats.quantity(metric, line.balance)),
        Field("Counts at", moment_text(line.occurred_at)),
        Field("Written at", moment_text(line.recorded_at)),
    ]
    if line.period is not None:
        facts.append(Field("Month", month_with_year(line.period)))
    if line.source:
        facts.append(Field("Source", line.source))
    return TraceScreen(
        visible=True,
        title=f"Entry {line.number}: {line.reason or KIND_NAMES.get(line.kind, line.kind)}",
        facts=facts,
        metric=metric_label(metric),
        grant_visible=trace.grant is not None,
        grant=grant_row(trace.grant, metric, view.now, routes.ledger(address, grant=trace.grant.id), formats)
        if trace.grant
        else GrantRow(),
        others=[_row(one, routes.ledger(address, entry=one.number), formats, line.number) for one in trace.others],
        left_out=f"and {trace.others_left_out} more" if trace.others_left_out else "",
    )
