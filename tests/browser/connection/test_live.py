"""Pages change by themselves when something happens in another terminal."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.people import JUNE, LARKFIELD, NORA, Watch, staying
from tests.browser.terminal import Usage, history, imports, reports
from tests.support.console import Console

ADDRESS = "larkfield-maps"


def test_an_import_in_another_terminal_shows_on_open_pages(watch: Watch, console: Console, tmp_path: Path) -> None:
    june, nora = watch.signed_in(JUNE), watch.signed_in(NORA)
    overview, usage = june.opens(LARKFIELD), nora.opens(f"{LARKFIELD}/usage?metric=emails")
    before = history(console, ADDRESS)["emails"][-1]["used"]
    row = overview.get_by_role("row", name=re.compile("^Emails sent"))
    expect(row).to_contain_text(f"{before:,}")
    with staying(overview), staying(usage):
        imports(console, tmp_path, Usage(ADDRESS, "emails", 17))
        expect(row).to_contain_text(f"{before + 17:,}")
        table = usage.get_by_role("table", name="Emails by month")
        expect(table.get_by_role("row").nth(1)).to_contain_text(f"{before + 17:,}")


def test_reported_use_waits_to_be_posted_until_a_recount_in_another_terminal(watch: Watch, console: Console) -> None:
    nora = watch.signed_in(NORA)
    overview, ledger = nora.opens(LARKFIELD), nora.opens(f"{LARKFIELD}/ledger?metric=sms")
    key = console.billing("api-key", "create", ADDRESS, "--scope", "usage:write").strip()
    entries = ledger.get_by_role("link", name=re.compile("^Trace of entry"))
    newest = str(entries.first.get_attribute("aria-label"))
    waiting = ledger.get_by_role("row").filter(has_text="not yet posted")
    with staying(overview), staying(ledger):
        reports(console, key, ADDRESS, "sms", 3)
        expect(waiting).to_have_count(1)
        expect(overview.get_by_text(re.compile(r"Not yet posted: .*SMS"))).to_be_visible()
        console.billing("recount")
        expect(waiting).to_have_count(0)
        expect(entries.first).not_to_have_attribute("aria-label", newest)
        expect(overview.get_by_text("Everything is posted.")).to_be_visible()
