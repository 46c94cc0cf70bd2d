"""Makes docs/api.md: the calls of tests/api/story.py with their real answers, and every code of a problem."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from billing_app.domain.common import errors
from billing_app.locations import ROOT
from tests.api.story import NAMES, STORY, Step

PAGE = ROOT / "docs" / "api.md"

INTRODUCTION = (Path(__file__).parent / "api_page.md").read_text()

RANDOM = {
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}": "0190a6b0-0000-7000-8000-{:012d}",
    r"\bgr_[0-9a-f]{24}\b": "gr_{:024d}",
    r"\bbk_live_[A-Za-z0-9_-]{43}\b": "bk_live_{:043d}",
    r"\bbk_live_[\w-]{4}\.\.\.[\w-]{4}": "bk_live_AbCd...{:04d}",
    r"\bwhsec_[A-Za-z0-9+/=_-]{20,}": "whsec_{:032d}",
    r"\bcs_(?:test|live)_[A-Za-z0-9]+": "cs_test_{:024d}",
    r"\b(?:bps|in|cus|sub|pi|si|acct|seti)_[A-Za-z0-9_]{10,}": "id_{:016d}",
    r"\bticket_[A-Za-z0-9_-]{20,}": "ticket_{:024d}",
    r"(?<=token=)[A-Za-z0-9_-]{43}": "{:043d}",
    r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])": "{:032d}",
    r"\bWyI[A-Za-z0-9_-]{30,}": "WyIyMDMxLTAzLTEwVDEy{:04d}",
    r'(?<="hint": "\.\.\.)[A-Z0-9]{4}\b': "{:04d}",
    r"\b(?:[A-Z0-9]{4}-){3,}[A-Z0-9]{4}\b": "GIFT-CARD-CODE-{:04d}",
    r"\b0x[0-9a-f]{40}\b": "0x{:040d}",
    r"\b[0-9a-f]{64}\b": "{:064d}",
}
"""What differs from run to run, and what stands for it; numbered in the order of appearance."""

MOMENT = re.compile(r"\b20(?!3[0-2])\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
"""A moment that a fake Stripe gave, whose clock is the real one; the story takes place in 2031."""

SHOWN_LINES = 3

WIDTH = 118

LAST = ("operator", "sign-in", "webhooks")
"""Sections at the end of the page: what a product's programmer hardly looks for."""


class Pager:
    """Writes the page from real answers."""

    def __init__(self, clients: dict[str, httpx.Client], url: str, stripe_url: str, document: dict[str, Any]) -> None:
        """`clients` by who calls; `document` is the OpenAPI document."""
        self.clients = clients
        self.urls = {url: "http://127.0.0.1:3000", stripe_url: "https://stripe.example"}
        self.document = document
        self.names = dict(NAMES)
        self.seen: dict[str, dict[str, int]] = defaultdict(dict)

    def page(self) -> str:
        """The whole page."""
        sections: dict[str, list[str]] = defaultdict(list)
        for step in STORY:
            method, path = step.route.split()
            operation = self.document["paths"][path][method.lower()]
            sections[operation["tags"][0]].append(self._told(step, operation))
        last = [tag for tag in LAST if tag in sections]
        ordered = [tag for tag in sections if tag not in last] + last
        routes = "\n".join(f"## {tag.capitalize()}\n\n" + "\n".join(sections[tag]) for tag in ordered)
        return f"{INTRODUCTION}\n{routes}\n## Codes\n\n{codes_table()}"

    def _told(self, step: Step, operation: dict[str, Any]) -> str:
        method, template = step.route.split()
        path = template.format(**self.names) + (f"?{step.query}" if step.query else "")
        body = json.loads(_filled(json.dumps(step.body), self.names)) if step.body is not None else None
        headers = {"Idempotency-Key": step.key} if step.key else {}
        sent: dict[str, Any] = {"data" if step.form else "json": body}
        answer = self.clients[step.caller].request(method, path, headers=headers, **sent)
        assert answer.status_code < 500 or answer.json()["code"] != "internal_error", answer.text
        if answer.is_success:
            self.names |= {name: find(answer.json()) for name, find in step.keep.items()}
        said = operation["description"].split("\n\n")[0].replace("\n", " ")
        shown = f"$ {_curl(step, method, path, body)}\n{answer.status_code} {answer.reason_phrase}\n{_shown(answer)}"
        return f"### {method} {template}\n\n{said}\n\n```\n{self._stable(shown).rstrip()}\n```\n"

    def _stable(self, text: str) -> str:
        for url, shown in self.urls.items():
            text = text.replace(url, shown)
        for pattern, shown in RANDOM.items():
            numbers = self.seen[pattern]
            text = re.sub(pattern, lambda found: shown.format(numbers.setdefault(found[0], len(numbers) + 1)), text)  # noqa: B023
        return MOMENT.sub("2031-03-10T12:00:00Z", text)


def _filled(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\{(code)\}", lambda found: names[found[1]], text)


def _curl(step: Step, method: str, path: str, body: Any) -> str:
    words = ["curl" if method == "GET" else f"curl -X {method}", f'"$CONSOLE/api/v1{path}"']
    key = {"program": "$KEY", "operator": "$OPERATOR_KEY"}.get(step.caller)
    if key:
        words.append(f'-H "Authorization: Bearer {key}"')
    if step.caller in ("person", "browser"):
        words.append('-b cookies -c cookies -H "Origin: $CONSOLE"')
    if step.caller == "browser":
        words.append('-H "Accept: application/json"')
    if step.key:
        words.append(f'-H "Idempotency-Key: {step.key}"')
    if body is not None:
        words.append(f"-d '{urlencode(body)}'" if step.form else f"--json '{json.dumps(body)}'")
    line = " ".join(words)
    return line if len(line) <= WIDTH else " \\\n    ".join(words)


def _shown(answer: httpx.Response) -> str:
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/csv"):
        lines = answer.text.removeprefix("\ufeff").splitlines()
        more = [f"... {len(lines) - SHOWN_LINES} more"] if len(lines) > SHOWN_LINES else []
        return "\n".join([*lines[:SHOWN_LINES], *more])
    if not answer.content:
        return ""
    content = answer.json()
    if isinstance(content, dict):
        content.pop("request_id", None)
    return _written(_shortened(content))


def _written(value: Any, indent: int = 0, before: int = 0) -> str:
    """JSON that uses the width of a line; `before` is what stands left of the value."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + before <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, list):
        parts = [f"{inner}{_written(each, indent + 2, indent + 2)}" for each in value]
        return "[\n" + ",\n".join(parts) + f"\n{' ' * indent}]"
    lines: list[str] = []
    for name, each in value.items():
        head = f"{json.dumps(name)}: "
        text = head + _written(each, indent + 2, indent + 2 + len(head))
        fits = lines and "\n" not in text and "\n" not in lines[-1] and len(lines[-1]) + len(text) + 3 <= WIDTH
        if fits:
            lines[-1] += f", {text}"
        else:
            lines.append(inner + text)
    return "{\n" + ",\n".join(lines) + f"\n{' ' * indent}}}"


def _shortened(value: Any, depth: int = 0) -> Any:
    """The first of each list stands for all, and deep things for themselves."""
    if isinstance(value, list) and len(value) > 1 and isinstance(value[0], dict):
        return [_shortened(value[0], depth + 1), f"... {len(value) - 1} more"]
    if isinstance(value, list):
        return [_shortened(each, depth + 1) for each in value]
    if isinstance(value, dict):
        shown = list(value.items()) if depth < 4 else list(value.items())[:4]
        return {name: _shortened(each, depth + 1) for name, each in shown}
    return value


def codes_table() -> str:
    """Every code of the program, with its status and a sentence that comes with it."""
    rows = ["| code | status | for example |", "|---|---|---|"]
    for code, (status, sentence) in sorted(codes().items()):
        rows.append(f"| `{code}` | {status} | {sentence.replace('|', '/')} |")
    return "\n".join(rows) + "\n"


def codes() -> dict[str, tuple[str, str]]:
    """Code to status and sentence, read from the source: whatever raises or answers a problem."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    package = ROOT / "billing_app"
    for file in sorted(package.rglob("*.py"), key=lambda file: (file.relative_to(package).parts[0], file.stem)):
        if "ui" in file.relative_to(package).parts:
            continue
        for code, status, sentence in _said_in(ast.parse(file.read_text())):
            if not found[code].get(status):
                found[code][status] = sentence
    return {code: (", ".join(sorted(by)), next(filter(None, by.values()), "")) for code, by in found.items()}


def _said_in(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = {word.arg: word.value for word in node.keywords}
            if name == "problem" and len(node.args) >= 4 and isinstance(node.args[2], ast.Constant):
                yield str(node.args[2].value), _text(node.args[1]), _text(node.args[3])
            kind = getattr(errors, name, None)
            if isinstance(kind, type) and issubclass(kind, errors.BillingError):
                said = _codes(given["code"]) if "code" in given else [kind.code]
                status = _text(given["status"]) if "status" in given else str(kind.status)
                for code in said:
                    yield code, status, _text(node.args[0]) if node.args else ""
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "CODES":
            for key, value in zip(getattr(node.value, "keys", []), getattr(node.value, "values", []), strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, int):
                    yield _text(value), str(key.value), ""


def _codes(node: ast.expr) -> list[str]:
    """Every code that an expression can be: of a choice, both."""
    texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return [text for text in texts if re.fullmatch(r"[a-z][a-z_]*[a-z]", text)]


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""
