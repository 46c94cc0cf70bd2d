"""docs/operations.md names every setting and nothing that is none."""

from __future__ import annotations

import re

from billing_app.locations import ROOT
from billing_app.settings import Settings


def test_the_settings_table_is_whole() -> None:
    document = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = document.partition("## Settings")[2].partition("\n## ")[0]
    documented = set(re.findall(r"`BILLING_(\w+)`", table))
    assert documented == {name.upper() for name in Settings.model_fields}
