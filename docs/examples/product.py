"""A small SaaS product that leaves its billing to the console: one file, the standard library and two packages.

    pip install httpx standardwebhooks
    CONSOLE=http://127.0.0.1:3000 ORGANIZATION=acme KEY=bk_live_... WEBHOOK_SECRET=whsec_... python product.py

It keeps files for its customer. Before a file is taken it asks whether there is room, after that it reports what is
held; its "Billing" button signs its admin in to the console; and it is told when something stops or works again.
"""

from __future__ import annotations

import json
import os
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

CONSOLE = os.environ.get("CONSOLE", "http://127.0.0.1:3000")
ORGANIZATION = os.environ.get("ORGANIZATION", "acme")
ADMIN = os.environ.get("ADMIN", "ada@example.org")
WEBHOOK_SECRET = os.environ.get("WEBHOOK_SECRET", "")

console = httpx.Client(
    base_url=f"{CONSOLE}/api/v1/organizations/{ORGANIZATION}",
    headers={"Authorization": f"Bearer {os.environ['KEY']}"},
    timeout=10,
)

files: dict[str, int] = {}
"""What the product keeps: name to size in bytes. A real one has a database."""

unsent: list[dict[str, object]] = []
"""Reports that the console has not taken yet."""

blocked: set[str] = set()
"""Metrics that the console says have run out; only for the page, the console is asked before every upload."""


def may_upload(size: int) -> tuple[bool, str]:
    """Asks before anything is stored. If the console cannot say, the customer is not made to suffer for it."""
    try:
        answer = console.post("/check", json={"action": "upload", "quantities": {"storage": size}})
        answer.raise_for_status()
    except httpx.HTTPError:
        return True, ""
    said = answer.json()
    return said["allowed"], f"Full. What still works: {', '.join(said['still_works'])}."


def report_storage() -> None:
    """Says how much is held now. What does not arrive goes with the next report; its id makes it count once."""
    event = {"id": str(uuid.uuid4()), "metric": "storage", "quantity": sum(files.values())}
    unsent.append({**event, "at": datetime.now(timezone.utc).isoformat()})
    try:
        console.post("/usage", json={"events": unsent}).raise_for_status()
    except httpx.HTTPError:
        return
    unsent.clear()


def billing_url() -> str:
    """Where the "Billing" button leads: signed in, once, within five minutes."""
    answer = console.post("/sign-in-links", json={"email": ADMIN, "role": "admin"})
    answer.raise_for_status()
    return answer.json()["url"]


def hear(body: bytes, headers: dict[str, str]) -> None:
    """Takes an event of the console. Raises WebhookVerificationError for one of somebody else."""
    event = Webhook(WEBHOOK_SECRET).verify(body, headers) if WEBHOOK_SECRET else json.loads(body)
    metric = event["data"].get("metric", "")
    if event["type"] == "metric.blocked":
        blocked.add(metric)
    elif event["type"] == "metric.unblocked":
        blocked.discard(metric)


class Product(BaseHTTPRequestHandler):
    """Pages and endpoints of the product."""

    def do_GET(self) -> None:
        """The page of the customer's admin."""
        if self.path == "/billing":
            self.answer(303, "", Location=billing_url())
            return
        full = f"<p>Out of {', '.join(sorted(blocked))}.</p>" if blocked else ""
        kept = "".join(f"<li>{name}: {size} bytes</li>" for name, size in files.items())
        self.answer(200, f"<h1>Files</h1>{full}<ul>{kept}</ul><a href=/billing>Billing</a>")

    def do_POST(self) -> None:
        """An upload, or news from the console."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/webhooks/billing":
            try:
                hear(body, dict(self.headers))
            except WebhookVerificationError:
                self.answer(400, "That is not from the console.")
                return
            self.answer(204, "")
        else:
            upload = json.loads(body)
            allowed, why = may_upload(upload["size"])
            if not allowed:
                self.answer(402, why)
                return
            files[upload["name"]] = upload["size"]
            report_storage()
            self.answer(201, "Kept.")

    def answer(self, status: int, text: str, **headers: str) -> None:
        """Sends a page."""
        self.send_response(status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        content = text.encode() if status != 204 else b""
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stays quiet."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Product)
    print(f"The product is at http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
