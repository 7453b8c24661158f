"""Canonical and pretty JSON."""

import pytest

from pbstore.errors import FormatError
from pbstore.format.canonical_json import canonical_json, parse_json, pretty_json


def test_canonical_form_sorts_keys_and_escapes_little() -> None:
    value = {"b": [1, True, "ä/\x7f"], "a": {"z": '"\\\b\t\n\f\r\x01\x1f'}, "Z": -5}
    expected = '{"Z":-5,"a":{"z":"\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001f"},"b":[1,true,"ä/\x7f"]}'
    assert canonical_json(value) == expected.encode()


@pytest.mark.parametrize("value", [None, {"a": None}, [[1.5]], {"a": ["\ud800"]}])
def test_what_has_no_canonical_form(value: object) -> None:
    with pytest.raises(FormatError):
        canonical_json(value)


def test_pretty_form() -> None:
    assert (
        pretty_json({"b": [], "a": {"c": "ä"}, "d": {}})
        == '{\n  "a": {\n    "c": "ä"\n  },\n  "b": [],\n  "d": {}\n}'.encode()
    )


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff", b"NaN", b"[Infinity]", b"[" * 100_000, b"1" * 5000, b'"\\ud800"', b'{"\\uDC00": 1}'],
)
def test_texts_that_are_no_json(text: bytes) -> None:
    with pytest.raises(FormatError, match="thing"):
        parse_json(text, "thing")


def test_a_surrogate_pair_is_a_character() -> None:
    assert parse_json(b'"\\ud83d\\ude00"', "thing") == "\N{GRINNING FACE}"
