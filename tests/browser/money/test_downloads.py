"""CSV downloads, from the pages' own links."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.people import FELIX, LARKFIELD, Watch

MONTHS = "metric,period,start,end,allowance,used,own_used,covered,burned,uncovered,deficit,granted,expired,balance,unit"
GRANTS = (
    "id,metric,source,reason,pack,paid_cents,currency,priority,effective_at,expires_at,created_at,quantity,pending,left,"
    "burned,held,expired,voided,clawed_back,debt,unit"
)
LEDGER = "number,metric,kind,quantity,balance_after,grant_id,period,occurred_at,recorded_at,reason,source,unit"


@pytest.mark.parametrize(
    ("page", "name", "header"),
    [
        ("usage?metric=mau", "larkfield-maps-history.csv", MONTHS),
        ("credits?metric=mau", "larkfield-maps-grants.csv", GRANTS),
        ("credits/explain?metric=mau", "larkfield-maps-ledger.csv", LEDGER),
        ("ledger?metric=mau", "larkfield-maps-ledger.csv", LEDGER),
    ],
    ids=["usage", "credits", "explain", "ledger"],
)
def test_a_pages_csv_is_the_file_that_it_says(watch: Watch, tmp_path: Path, page: str, name: str, header: str) -> None:
    felix = watch.signed_in(FELIX)
    opened = felix.opens(f"{LARKFIELD}/{page}")
    link = opened.get_by_role("link", name="CSV")
    answer = felix.context.request.get(str(link.get_attribute("href")))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    with opened.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == name
    file = tmp_path / name
    download.value.save_as(file)
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == header
    place = header.split(",").index("metric")
    assert len(lines) > 1
    assert {line.split(",")[place] for line in lines[1:]} == {"mau"}
