"""Holds answers to what the method descriptions say of them, as the OpenAPI document has it."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from pbstore.api.json_schema import envelope_schema
from pbstore.api.method import Method
from pbstore.api.result import Content, Session
from pbstore.errors import PbstoreError
from pbstore.server.methods.all_methods import ROUTES

_EXTJS_KEYS = ("status", "success")


@cache
def _validator(method: Method) -> Draft202012Validator:
    return Draft202012Validator(envelope_schema(method.result))


def misfits(method: Method, answer: Any) -> list[str]:
    """What of the envelope is not as described, with the place."""
    return [f"{error.json_path}: {error.message}" for error in _validator(method).iter_errors(answer)]


def check_answer(http_method: str, path: str, headers: Iterable[tuple[str, str]], body: object) -> None:
    """Assert that a 200 answer is what the route's description says, or an error of the format extjs.

    Raises:
        AssertionError: it is not.
    """
    _, _, output_format, *rest = path.split("/", 3)
    try:
        method = ROUTES.find(http_method, "/" + "".join(rest)).method
    except PbstoreError:
        return
    sent = dict(headers)
    assert not isinstance(method.result.data, Session), f"{http_method} {path}: answered instead of upgrading"
    instead = method.result.instead
    if isinstance(method.result.data, Content) or (instead and sent["content-type"] == instead.media_type):
        return
    if "content-encoding" in sent:
        return
    assert isinstance(body, bytes), f"{http_method} {path}: no JSON, though the description says so"
    answer = json.loads(body)
    beside = {member.name for member in method.result.beside}
    if output_format == "extjs":
        if not answer["success"]:
            return
        answer = {key: value for key, value in answer.items() if key not in _EXTJS_KEYS or key in beside}
    wrong = misfits(method, answer)
    assert not wrong, f"{http_method} {path}: {wrong}"
