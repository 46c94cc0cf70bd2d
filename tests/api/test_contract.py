"""The API keeps what its OpenAPI document says, whatever it is sent: schemathesis against the real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.locations import ROOT
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key, a_user
from tests.support.shop import a_shop

CONFIG = Path(__file__).with_name("contract.toml")

SEED = 20260310


@pytest.fixture
def api(site: Site, database: Database) -> Api:
    """acme with a person, credits and a fake Stripe, so that reading finds something and buying works."""
    shop = a_shop(database)
    made = Api(
        site,
        database,
        rate_limit_per_minute=0,
        sign_up=True,
        stripe_api_secret=shop.key,
        stripe_webhook_secret="whsec_test",
        stripe_api_base=shop.url,
    )
    made.now = clock.now()
    with shop.enter() as buyer:
        session, acme = buyer.session, buyer.organization
        a_user(session, member_of=acme)
        begun = made.now - timedelta(days=40)
        grants.grant(
            Context(session, acme, begun),
            grants.NewGrant("emails", 1_000, source="operator", source_key="1", reason="Welcome"),
        )
    return made


def keys(api: Api) -> dict[str, str]:
    """An operator's key, which may do everything; one of acme with every scope; one that may do little."""
    with api.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        every = ("usage:write", "check", "read", "billing", "admin")
        return {
            "operator": a_key(session, None)[0],
            "acme": a_key(session, acme, *every)[0],
            "check": a_key(session, acme, "check")[0],
        }


def run(api: Api, secret: str, folder: Path, *options: str) -> None:
    """Tests every operation as one caller; fails with what was found and how to repeat it."""
    report = folder / "report.json"
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", f"{api.url}/api/v1/openapi.json",
        "--url", f"{api.url}/api/v1", "--header", f"Authorization: Bearer {secret}", "--seed", str(SEED),
        "--report", "json", "--report-json-path", str(report), "--suppress-health-check", "all",
        "--generation-database", "none", "--request-timeout", "20", *options,
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    found = done.stdout.partition("= FAILURES =")[2].partition("= WARNINGS =")[0] or done.stdout[-4_000:]
    assert done.returncode == 0, found + done.stderr[-2_000:]
    assert json.loads(report.read_text()), "nothing was tested"


@pytest.mark.timeout(900)
def test_nothing_contradicts_the_document(api: Api, database_kind: str, tmp_path: Path) -> None:
    """Every operation with its boundary values, right and wrong: as the operator, and as an organization's program."""
    caller = {"sqlite": "operator", "postgresql": "acme"}[database_kind]
    run(api, keys(api)[caller], tmp_path, "--phases", "examples,coverage", "--max-examples", "5")


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("caller", ["operator", "acme", "check"])
def test_nothing_contradicts_the_document_in_a_long_run(api: Api, tmp_path: Path, caller: str) -> None:
    """The same with random data, and with requests that use each other's answers."""
    run(api, keys(api)[caller], tmp_path, "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "100")


def test_every_operation_is_named_once_and_says_what_it_does(api: Api) -> None:
    with api.client() as anyone:
        paths = anyone.get("/openapi.json").json()["paths"]
    operations = {f"{method} {path}": each for path, methods in paths.items() for method, each in methods.items()}
    names = Counter(each["operationId"] for each in operations.values())
    assert [name for name, count in names.items() if count > 1] == []
    for name, each in operations.items():
        assert each.get("tags"), name
        assert each.get("summary"), name
        assert each.get("description"), name
        for status, answer in each["responses"].items():
            refusal = status.startswith(("4", "5"))
            assert not refusal or "application/problem+json" in answer["content"], f"{name} {status}"
        if "{address}" in name:
            assert each["security"], name
            assert {"401", "403", "404", "429"} <= each["responses"].keys(), name
