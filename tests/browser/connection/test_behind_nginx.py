"""Real use as docs/operations.md shows it: nginx with TLS, two web processes, PostgreSQL with a password, and Redis."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import make_url

from billing_app.launcher.ports import free_port
from billing_app.launcher.server import wait_until_answers
from billing_app.locations import ROOT
from tests.browser.money.shopping import PAYS, comes_back, goes_to_payment, hero, pays, puts_into_basket
from tests.browser.people import PATIENCE_MS, arrives, goes, signs_in
from tests.conftest import SHARED
from tests.fake_stripe.process import fake_stripe
from tests.support.console import STARTS_SECONDS
from tests.support.databases import bare_postgres_database
from tests.support.patience import PATIENCE_SECONDS
from tests.support.servers import POSTGRES_PROGRAMS, password_role

PASSWORD = "a very wet Tuesday in March"
DATABASE_PASSWORD = "p@ss:w/rd %"
STRIPE_KEY, WEBHOOK_SECRET = "sk_test_behind_nginx", "whsec_behind_nginx"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def block(language: str) -> str:
    """The one block of docs/operations.md about nginx in that language."""
    section = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Behind nginx")[2]
    found = re.search(rf"```{language}\n(.*?)```", section, re.S)
    assert found is not None, language
    return found[1]


def changed(text: str, values: dict[str, str]) -> str:
    """The documented text with this machine's values; each must be in it."""
    for old, new in values.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@dataclass
class Site:
    """The console behind nginx: its address, what commands are told, and how it is started and stopped."""

    url: str
    environment: dict[str, str]
    folder: Path
    port: int

    def billing(self, *arguments: str, given: str | None = None) -> str:
        """Runs a command as an operator would beside the running console; gives what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "billing_app", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS * 2,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def serving(self) -> Generator[None]:
        """`billing serve`, until it answers through nginx."""
        command = [sys.executable, "-m", "billing_app", "serve", "--port", str(self.port), "--folder", str(self.folder)]
        log = self.folder / "serve.terminal"
        with (
            log.open("ab") as output,
            subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=output, stderr=output) as process,
        ):
            try:
                started = wait_until_answers("127.0.0.1", self.port, "/readyz", STARTS_SECONDS, process.poll)
                assert started, log.read_text(errors="replace")
                ready = httpx.get(f"{self.url}/readyz", verify=False, trust_env=False)  # its own certificate
                assert ready.status_code == 200, ready.text
                yield
            finally:
                process.terminate()


@contextmanager
def nginx(folder: Path, configuration: str) -> Generator[None]:
    """nginx as a process of the test's own, with everything that it writes in `folder`."""
    assert NGINX is not None
    file = folder / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file.write_text(
        f"daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{configuration}}}\n"
    )
    if os.geteuid() == 0:
        file.write_text(f"user root;\n{file.read_text()}")
    with subprocess.Popen([NGINX, "-p", str(folder), "-c", str(file)], stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


@pytest.fixture
def site(request: pytest.FixtureRequest, redis_url: str, tmp_path: Path) -> Iterator[Site]:
    """Everything but the console itself, as the documentation says."""
    if NGINX is None:
        if os.environ.get("CI"):
            pytest.fail("this test needs nginx: install Debian's package nginx-light")
        pytest.skip("nginx is not installed")
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out",
         str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    port, tls = free_port(), free_port()
    url = f"https://localhost:{tls}"
    uri = request.config.stash[SHARED].postgres_uri
    with ExitStack() as stack:
        role = stack.enter_context(password_role(uri, DATABASE_PASSWORD))
        bare = make_url(stack.enter_context(bare_postgres_database(uri)))
        with psycopg.connect(uri, autocommit=True) as server:
            server.execute(f"ALTER DATABASE {bare.database} OWNER TO {role}".encode())
        address = bare.set(username=role, password=DATABASE_PASSWORD).render_as_string(hide_password=False)
        stripe = stack.enter_context(fake_stripe(tmp_path))
        control(stripe.url, "PUT", "/webhook-endpoint", url=f"{url}/api/v1/webhooks/stripe", secret=WEBHOOK_SECRET)
        settings = changed(
            block("ini"),
            {
                "https://billing.example.com": url,
                "postgresql+psycopg://billing:PASSWORD@db.example.com/billing": address,
                "redis://redis.example.com:6379/0": redis_url,
                "sk_live_...": STRIPE_KEY,
                "whsec_...": WEBHOOK_SECRET,
            },
        )
        (tmp_path / ".env").write_text(f"{settings}BILLING_STRIPE_API_BASE={stripe.url}\n")
        configuration = changed(
            block("nginx"),
            {
                "127.0.0.1:3000": f"127.0.0.1:{port}",
                "listen 443 ssl": f"listen 127.0.0.1:{tls} ssl",
                "billing.example.com": "localhost",
                "/etc/ssl/billing/fullchain.pem": str(certificate),
                "/etc/ssl/billing/privkey.pem": str(key),
            },
        )
        stack.enter_context(nginx(tmp_path, configuration))
        own = {name: value for name, value in os.environ.items() if not name.startswith("BILLING_")}
        path = f"{POSTGRES_PROGRAMS}{os.pathsep}{os.environ['PATH']}"
        told = {"PATH": path, "GRANIAN_WORKERS": "2", "BILLING_METRICS_PORT": "0", "PYTHONPATH": str(ROOT)}
        yield Site(url, own | told, tmp_path, port)


def control(stripe: str, method: str, path: str, **members: str) -> None:
    """Tells the fake Stripe something about our account."""
    answer = httpx.request(
        method,
        f"{stripe}/_sandbox/control{path}",
        json=members,
        headers={"Authorization": f"Bearer {STRIPE_KEY}"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


def test_from_the_first_sign_in_to_a_paid_pack_and_a_restored_backup(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(base_url=site.url, ignore_https_errors=True, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    backup = str(site.folder / "today.dump")
    with site.serving():
        site.billing("organization", "create", "Acme Maps", "--address", "acme", "--plan", "free")
        person = ("--name", "Ada", "--organization", "acme", "--role", "admin", "--password-stdin")
        site.billing("user", "create", "ada@acme.example", *person, given=f"{PASSWORD}\n")
        goes(page, "/sign-in")
        signs_in(page, "ada@acme.example", PASSWORD)
        page.wait_for_url("**/o/acme")
        arrives(page)
        cookies = {cookie["name"]: cookie for cookie in context.cookies()}
        assert {cookie["secure"] for cookie in cookies.values() if cookie["httpOnly"]} == {True}
        goes(page, "/o/acme/credits/buy")
        puts_into_basket(page, "10,000 MAU")
        goes_to_payment(page)
        pays(page, PAYS)
        comes_back(page)
        site.billing("db", "backup", backup)
        site.billing("grant", "create", "acme", "mau", "500", "--reason", "after the backup")
        goes(page, "/o/acme/credits?metric=mau")
        expect(hero(page)).to_have_text("10,500")
    site.billing("db", "restore", backup, "--replace")
    assert json.loads(site.billing("verify", "--json"))["differences"] == []
    with site.serving():
        goes(page, "/o/acme/credits?metric=mau")
        expect(hero(page)).to_have_text("10,000")
    context.close()
