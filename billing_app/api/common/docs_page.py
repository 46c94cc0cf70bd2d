"""/api/v1/docs: the routes as one plain page, made from the OpenAPI document.

FastAPI's own pages load scripts from other hosts, which no page of ours does. This one needs no script at all.
"""

from __future__ import annotations

from html import escape
from typing import Any

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
:root { color-scheme: light dark; }
h2 { margin: 2.5rem 0 .5rem; } section { border-top: 1px solid #8886; padding: .75rem 0; }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; } p { margin: .25rem 0; }
"""


def page(document: dict[str, Any]) -> str:
    """The page for an OpenAPI document."""
    info = document["info"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{escape(info['title'])}</title><style>{STYLE}</style>",
        f"<h1>{escape(info['title'])}</h1><p>{escape(info.get('description', ''))}</p>",
        "<p>For programs: <a href='openapi.json'>openapi.json</a></p>",
    ]
    for tag, operations in _by_tag(document).items():
        parts.append(f"<h2>{escape(tag)}</h2>")
        parts.extend(_section(document, *operation) for operation in operations)
    return "".join(parts)


def _by_tag(document: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            found.setdefault(tag, []).append((method, path, operation))
    return found


def _section(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    base = document.get("servers", [{"url": ""}])[0]["url"]
    answers = ", ".join(f"<code>{escape(status)}</code>" for status in operation["responses"])
    parameters = ", ".join(
        f"<code>{escape(parameter['name'])}</code>"
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    )
    asked = f"<p>Query: {parameters}</p>" if parameters else ""
    body = ", ".join(f"<code>{escape(media)}</code>" for media in operation.get("requestBody", {}).get("content", {}))
    sent = f"<p>Body: {body}</p>" if body else ""
    return (
        f"<section id='{escape(operation['operationId'], quote=True)}'>"
        f"<code class=method>{escape(method.upper())}</code> <code>{escape(base + path)}</code>"
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>{asked}{sent}"
        f"<p>Answers: {answers}</p></section>"
    )
