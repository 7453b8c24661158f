"""The OpenAPI 3.1 document of a route table: each route with parameters, result and who may call it."""

import re
from collections.abc import Iterable

from pbstore.api.json_schema import Json, envelope_schema, json_schema
from pbstore.api.method import Method
from pbstore.api.request_parameters import FORM
from pbstore.api.result import Content, Session
from pbstore.api.route_table import RouteTable
from pbstore.api.schema import Parameter

OPENAPI_VERSION = "3.1.0"
BODY_METHODS = ("PUT", "POST")
ERRORS = {
    "400": "A parameter does not fit, or the call failed; the body is the reason as text.",
    "401": "No or wrong credentials; the body is the reason as text.",
    "403": "The caller lacks a right; the body is the reason as text.",
    "404": "There is no such thing; the body is the reason as text.",
    "414": "Path and query are too long together.",
    "429": "Too many failed logins; the body is the reason as text.",
    "431": "The head of the request is too large.",
    "501": "This server cannot do that; the body is the reason as text.",
}
_ABOUT = (
    "Answers below `/api2/json` are JSON objects with the result as `data`; errors are plain text with a status of 400"
    " or more. Below `/api2/extjs` the same objects also have `success` and `status`, and errors are objects, too, with"
    " `success`, `status`, `message` and `errors` by parameter, sent with status 200. Changes with a ticket need the"
    " header `CSRFPreventionToken`; API tokens do not. Lists of values are repeated parameters, or arrays in JSON."
)


def openapi_document(routes: RouteTable, *, title: str, version: str) -> Json:
    """Return the document, made of nothing but the method descriptions."""
    paths: dict[str, Json] = {}
    for method in all_methods(routes):
        paths.setdefault(method.path, {})[method.http_method.lower()] = _operation(method)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": title, "version": version, "description": _ABOUT},
        "servers": [{"url": "/api2/json"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "PBSAPIToken=USER@REALM!NAME:SECRET",
                },
                "ticket": {"type": "apiKey", "in": "cookie", "name": "PBSAuthCookie"},
            }
        },
    }


def all_methods(routes: RouteTable) -> list[Method]:
    """Return the declared methods and the listings of inner nodes."""
    return [*routes, *routes.directories]


def default_text(parameter: Parameter) -> str | None:
    """Return the default of an optional parameter as it would be sent, None if there is none."""
    value = parameter.default
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _operation(method: Method) -> Json:
    in_body = method.http_method in BODY_METHODS and method.raw_body is None
    outside = [parameter for parameter in method.parameters if not in_body or parameter.name in method.path_variables]
    inside = [parameter for parameter in method.parameters if parameter not in outside]
    operation: Json = {
        "operationId": _operation_id(method),
        "tags": [method.path.strip("/").partition("/")[0] or "index"],
        "summary": method.description,
        "description": f"Who may call it: {method.permission.text}.",
        "parameters": [_parameter(parameter, method) for parameter in outside],
        "responses": _responses(method),
        "security": [{"token": []}, {"ticket": []}] if method.permission.needs_login else [],
        "x-permission": method.permission.text,
    }
    if method.raw_body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    elif inside:
        schema = _body_schema(inside)
        operation["requestBody"] = {
            "required": any(not parameter.optional for parameter in inside),
            "content": {FORM: {"schema": schema}, "application/json": {"schema": schema}},
        }
    return operation


def _operation_id(method: Method) -> str:
    words = re.findall(r"[A-Za-z0-9]+", method.path)
    return "_".join([method.http_method.lower(), *words])


def _parameter(parameter: Parameter, method: Method) -> Json:
    in_path = parameter.name in method.path_variables
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path or not parameter.optional,
        "description": parameter.schema.description,
        "schema": _value(parameter),
    }


def _body_schema(parameters: Iterable[Parameter]) -> Json:
    return {
        "type": "object",
        "properties": {parameter.name: _value(parameter) for parameter in parameters},
        "required": [parameter.name for parameter in parameters if not parameter.optional],
        "additionalProperties": False,
    }


def _value(parameter: Parameter) -> Json:
    schema = json_schema(parameter.schema)
    text = default_text(parameter)
    if text is None:
        return schema
    is_json = isinstance(parameter.default, bool | int)
    return {**schema, "default": parameter.default if is_json else text}


def _responses(method: Method) -> Json:
    data = method.result.data
    expected = {status: text for status, text in ERRORS.items() if method.permission.needs_login or status != "403"}
    errors: Json = {status: {"description": text} for status, text in expected.items()}
    if isinstance(data, Session):
        return {"101": {"description": f"The connection becomes {data.description}: {data.protocol}."}, **errors}
    if isinstance(data, Content):
        content: Json = {data.media_type: {}}
    else:
        content = {"application/json": {"schema": envelope_schema(method.result)}}
    if method.result.instead is not None:
        content[method.result.instead.media_type] = {}
    return {"200": {"description": data.description, "content": content}, **errors}
