"""The OpenAPI document: what FastAPI makes of the routes, made to say what is so."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from billing_app.api.common import problems
from billing_app.api.usage.schemas import CloudEventBatch, UsageBatch

DOCUMENTED: tuple[type[BaseModel], ...] = (problems.Problem, UsageBatch, CloudEventBatch)
"""Shapes that FastAPI does not see, because no route has them as its one body or answer."""

FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")
"""Wrong fields are a Problem like all others."""

RATE_LIMIT_HEADERS = {
    "RateLimit": {"description": "what is left of the limit: r requests now, all of it in t seconds"},
    "RateLimit-Policy": {"description": "the limit: q requests in w seconds"},
}


def document(api: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if api.openapi_schema is None:
        made = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            servers=api.servers,
        )
        _name_shapes(made.setdefault("components", {}).setdefault("schemas", {}))
        _name_every_key(made)
        for operation in _operations(made):
            _describe(operation)
        api.openapi_schema = made
    return api.openapi_schema


def _name_shapes(schemas: dict[str, Any]) -> None:
    for name in FASTAPIS_OWN:
        schemas.pop(name, None)
    for model in DOCUMENTED:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema


def _name_every_key(part: Any) -> None:
    """Says of keys what is so: pydantic writes a form that keys must have as one that others may lack."""
    for each in part.values() if isinstance(part, dict) else part:
        if isinstance(each, dict | list):
            _name_every_key(each)
    if isinstance(part, dict) and "patternProperties" in part:
        ((pattern, value),) = part.pop("patternProperties").items()
        part["additionalProperties"] = value
        part["propertyNames"] = part.get("propertyNames", {}) | {"pattern": pattern}


def _operations(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in made["paths"].values():
        yield from methods.values()


def _describe(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and not parameter.get("required") and "303" not in operation["responses"]:
            _never_empty(parameter["schema"])
        parameter["schema"] = _never_null(parameter["schema"])
    answers = operation["responses"]
    # What billing_app.api.common.framing may say to anyone: parameters of other names, another media type.
    for status in ("415", "422") if "requestBody" in operation else ("422",):
        said = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        answers[status] = {"description": HTTPStatus(int(status)).phrase, "content": said}
    if "429" in answers:
        answers["429"]["headers"] = RATE_LIMIT_HEADERS | {"Retry-After": {"description": "seconds to wait"}}
        for name, header in answers["429"]["headers"].items():
            answers["429"]["headers"][name] = header | {"schema": {"type": "string"}}


def _never_empty(schema: dict[str, Any]) -> None:
    """An empty value of a parameter that may be left out is refused (billing_app.api.common.framing)."""
    for each in (schema, *schema.get("anyOf", [])):
        if each.get("type") == "string" and "enum" not in each:
            each["minLength"] = max(1, each.get("minLength", 0))


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: one can be left out, but there is no way to write null in a URL or a header."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    if not options:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return rest | options[0] if len(options) == 1 else rest | {"anyOf": options}
