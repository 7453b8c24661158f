"""Results and errors on the wire (protocol-transport.md 3.2)."""

import json
import zlib

import pytest

from pbstore.api.envelopes import (
    Format,
    deflated,
    delay,
    failure,
    parse_format,
    success,
    unauthenticated,
)
from pbstore.api.method import RawReply, Reply
from pbstore.errors import (
    AuthenticationError,
    FormatError,
    LockedError,
    NotFoundError,
    ParameterError,
    PbstoreError,
    PermissionDeniedError,
)


def test_a_result_is_data() -> None:
    assert success("json", {"pong": True}) == (
        200,
        [("content-type", "application/json;charset=UTF-8")],
        b'{"data":{"pong":true}}',
    )


def test_nothing_is_null() -> None:
    assert success("json", None)[2] == b'{"data":null}'


def test_extjs_says_success() -> None:
    assert success("extjs", [])[2] == b'{"data":[],"success":true,"status":200}'


def test_attributes_stand_beside_data() -> None:
    assert success("json", Reply([], {"total": 0}))[2] == b'{"data":[],"total":0}'


def test_raw_replies_have_no_envelope() -> None:
    assert success("extjs", RawReply(b"x")) == (200, [("content-type", "application/octet-stream")], b"x")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PbstoreError("no"), 400),
        (LockedError("busy"), 400),
        (PermissionDeniedError(), 403),
        (NotFoundError("Path '/x' not found."), 404),
        (AuthenticationError("permission check failed."), 401),
    ],
)
def test_errors_are_plain_text_with_their_status(error: PbstoreError, status: int) -> None:
    answer_status, headers, body = failure("json", error)
    assert (answer_status, body) == (status, str(error).encode())
    assert headers[0] == ("content-type", "application/json;charset=UTF-8")
    assert ("set-cookie" in dict(headers)) == (status == 401)


def test_extjs_errors_are_200() -> None:
    status, _, body = failure("extjs", NotFoundError("Path '/api2/extjs/nope' not found."))
    assert status == 200
    assert isinstance(body, bytes)
    assert json.loads(body) == {
        "errors": {},
        "message": "Path '/api2/extjs/nope' not found.",
        "status": 404,
        "success": False,
    }


def test_extjs_lists_parameter_errors() -> None:
    body = failure("extjs", ParameterError({"a": "bad", "b": "worse"}))[2]
    assert isinstance(body, bytes)
    assert json.loads(body) == {
        "errors": {"a": "bad", "b": "worse"},
        "message": "parameter verification errors",
        "status": 400,
        "success": False,
    }


def test_callers_without_credentials_get_plain_text_and_lose_their_cookie() -> None:
    status, headers, body = unauthenticated("no authentication credentials provided.")
    assert (status, body) == (401, b"authentication failed - no authentication credentials provided.")
    assert dict(headers) == {
        "set-cookie": "__Host-PBSAuthCookie=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax; "
        "HttpOnly; Path=/;"
    }


@pytest.mark.parametrize(("status", "seconds"), [(200, []), (400, []), (401, [3.0]), (403, [0.5]), (429, [3.0])])
def test_refusals_are_slow(status: int, seconds: list[float]) -> None:
    slept: list[float] = []
    delay(status, slept.append)
    assert slept == seconds


def test_deflate_only_when_offered_and_worth_it() -> None:
    large = success("json", "x" * 5000)
    assert isinstance(large[2], bytes)
    status, headers, body = deflated(large, "gzip, deflate;q=0.5")
    assert isinstance(body, bytes)
    assert zlib.decompress(body) == large[2]
    assert ("content-encoding", "deflate") in headers
    assert deflated(large, "gzip") is large
    small = success("json", None)
    assert deflated(small, "deflate") is small
    assert status == 200


@pytest.mark.parametrize("name", ["json", "extjs"])
def test_formats(name: Format) -> None:
    assert parse_format(name) == name


def test_unknown_format() -> None:
    with pytest.raises(FormatError, match=r"^Unsupported output format 'xml'\.$"):
        parse_format("xml")


def test_names_that_are_no_text_do_not_break_a_listing() -> None:
    assert success("json", ["a\udcff"])[2] == b'{"data":["a?"]}'
