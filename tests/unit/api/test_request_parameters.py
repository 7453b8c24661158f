"""How query, form, JSON body and path become keyword arguments (protocol-transport.md 3.1)."""

import json

import pytest

from pbstore.api.request_parameters import MAX_BODY_BYTES, request_parameters
from pbstore.api.schema import Boolean, Integer, ListOf, Parameter, String
from pbstore.errors import FormatError, ParameterError

TEXT = String(description="text")
PARAMETERS = (
    Parameter(name="store", schema=TEXT, optional=True),
    Parameter(name="backup-time", schema=Integer(description="time"), optional=True),
    Parameter(name="verbose", schema=Boolean(description="more"), optional=True, default=False),
    Parameter(name="delete", schema=ListOf(description="keys", item=TEXT), optional=True),
)
JSON = "application/json"


def test_a_query_is_decoded() -> None:
    values = request_parameters(PARAMETERS, query="store=a%2Bb+c&backup-time=7&verbose=Yes")
    assert values == {"store": "a+b c", "backup_time": 7, "verbose": True, "delete": None}


def test_a_form_body_adds_to_the_query() -> None:
    values = request_parameters(PARAMETERS, query="store=s1", body=b"backup-time=7")
    assert (values["store"], values["backup_time"]) == ("s1", 7)


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=UTF-8", "Application/JSON"])
def test_a_json_body_makes_the_query_meaningless(content_type: str) -> None:
    body = json.dumps({"store": "json", "verbose": True}).encode()
    values = request_parameters(PARAMETERS, query="store=query&unknown=1", content_type=content_type, body=body)
    assert (values["store"], values["verbose"]) == ("json", True)


def test_path_values_are_merged_into_a_json_body() -> None:
    values = request_parameters(PARAMETERS, query="", content_type=JSON, body=b"", path_values={"store": "path"})
    assert values["store"] == "path"


def test_repeated_keys_make_a_list() -> None:
    assert request_parameters(PARAMETERS, query="delete=a&delete=b")["delete"] == ["a", "b"]


def test_the_cache_buster_is_ignored() -> None:
    assert request_parameters(PARAMETERS, query="_dc=1700000000&_dc=2")["store"] is None


@pytest.mark.parametrize(
    ("query", "body", "path_values"),
    [("store=a&store=b", b"", {}), ("store=a", b"store=b", {}), ("store=a", b"", {"store": "b"})],
)
def test_duplicates_are_errors(query: str, body: bytes, path_values: dict[str, str]) -> None:
    with pytest.raises(ParameterError, match=r"^parameter verification failed - 'store': duplicate parameter\.$"):
        request_parameters(PARAMETERS, query=query, body=body, path_values=path_values)


def test_unknown_keys_are_errors() -> None:
    text = r"^parameter verification failed - 'foo': schema does not allow additional properties\.$"
    with pytest.raises(ParameterError, match=text):
        request_parameters(PARAMETERS, query="foo=%zz")


@pytest.mark.parametrize(
    "body",
    [
        b'{"store":',
        b"[1]",
        b"7",
        b'{"store":"a","store":"b"}',
        b'{"backup-time":NaN}',
        b'{"store":"\\ud800"}',
        b"\xff",
        b'{"store":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 50_000,
        b'{"backup-time":' + b"9" * 5000 + b"}",
    ],
    ids=["cut", "array", "number", "twice", "nan", "surrogate", "not-utf8", "deep-list", "deep-object", "long-number"],
)
def test_bad_json_is_one_clear_error(body: bytes) -> None:
    with pytest.raises(FormatError, match="request body"):
        request_parameters(PARAMETERS, query="", content_type=JSON, body=body)


def test_brackets_inside_strings_are_no_nesting() -> None:
    body = json.dumps({"store": '[{"\\' * 100}).encode()
    assert request_parameters(PARAMETERS, query="", content_type=JSON, body=body)["store"] == '[{"\\' * 100


def test_a_large_body_is_refused() -> None:
    with pytest.raises(FormatError, match="too large"):
        request_parameters(PARAMETERS, query="", body=b"a" * (MAX_BODY_BYTES + 1))


def test_other_content_types_are_refused() -> None:
    with pytest.raises(FormatError, match="unsupported content type 'text/plain'"):
        request_parameters(PARAMETERS, query="", content_type="text/plain", body=b"x")


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(FormatError, match="too many parameters"):
        request_parameters(PARAMETERS, query="&".join("delete=a" for _ in range(10_000)))
