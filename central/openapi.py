"""The OpenAPI 3.1 document, out of the endpoint table and the published contracts."""

from __future__ import annotations

import json
import re
from typing import Any

from central.api import ENDPOINTS, PREFIX, STATUS, Endpoint
from contracts import CONTRACTS_VERSION
from contracts.errors import ErrorCode
from contracts.publish import PUBLISHED, schema

SIGNED_CODES = (
    ErrorCode.SIGNATURE_MISSING,
    ErrorCode.SIGNATURE_INVALID,
    ErrorCode.SIGNATURE_TOO_OLD,
    ErrorCode.NONCE_REUSED,
    ErrorCode.KIOSK_UNKNOWN,
    ErrorCode.KIOSK_SUSPENDED,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.RECORD_TOO_LARGE,
)


def document() -> dict[str, Any]:
    """The document that `GET /api/v1/openapi.json` serves."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Corridor central service",
            "version": CONTRACTS_VERSION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Signature",
                    "description": "RFC 9421, Ed25519, tag corridor: @method @authority @path @query "
                    "content-digest content-type idempotency-key (those that exist), created, nonce, keyid.",
                }
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.view,
        "summary": endpoint.summary,
        "security": [{"signature": []}] if endpoint.senders else [],
        "responses": {str(endpoint.success): _success(endpoint), **_refusals(endpoint)},
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    if endpoint.idempotent:
        parameters.append(
            {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}}
        )
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        content: dict[str, Any] = (
            {"application/octet-stream": {}}
            if endpoint.body == "binary"
            else {"application/json": {"schema": {"$ref": f"#/components/schemas/{endpoint.body}"}}}
        )
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _success(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.success == 204:
        return {"description": "Taken."}
    if endpoint.answers == "binary":
        return {"description": "The answer.", "content": {"application/octet-stream": {}}}
    shape: dict[str, Any] = {"$ref": f"#/components/schemas/{endpoint.answers}"} if endpoint.answers else {}
    return {"description": "The answer.", "content": {"application/json": {"schema": shape}}}


def _refusals(endpoint: Endpoint) -> dict[str, Any]:
    codes: tuple[ErrorCode, ...] = SIGNED_CODES if endpoint.senders else (ErrorCode.NOT_FOUND,)
    if endpoint.body:
        codes += (ErrorCode.RECORD_INVALID, ErrorCode.IDEMPOTENCY_CONFLICT, ErrorCode.CONTRACT_VERSION)
    by_status: dict[str, list[str]] = {}
    for code in codes:
        by_status.setdefault(str(STATUS[code]), []).append(code.value)
    return {
        status: {
            "description": ", ".join(names),
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}},
        }
        for status, names in sorted(by_status.items())
    }


def _schemas() -> dict[str, Any]:
    """The published schemas with their definitions moved to components, since a `$ref` must resolve here."""
    schemas: dict[str, Any] = {}
    for name in PUBLISHED:
        published = dict(schema(name))
        published.pop("$id")
        published.pop("$schema")
        text = json.dumps(published).replace("#/$defs/", "#/components/schemas/")
        moved = json.loads(text)
        schemas.update(moved.pop("$defs", {}))
        schemas[name] = moved
    return schemas
