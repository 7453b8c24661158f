"""Property strings, maintenance modes, tuning (config-files.md 2, datastore-layout.md 3.3, 8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbstore.config.maintenance_mode import MaintenanceMode, Operation
from pbstore.config.property_string import format_property_string, parse_property_string
from pbstore.config.tuning import Tuning
from pbstore.errors import FormatError


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1,b=2", {"a": "1", "b": "2"}),
        ("x,b=2", {"type": "x", "b": "2"}),
        ("b=2,x", {"type": "x", "b": "2"}),
        (r'a="x,y=\"z\"\\\n"', {"a": 'x,y="z"\\\n'}),
        ('a=""', {"a": ""}),
    ],
)
def test_parse(text: str, values: dict[str, str]) -> None:
    assert parse_property_string(text, default_key="type") == values


@pytest.mark.parametrize("text", ["a=1,a=2", "a=1,", ",", 'a="x', 'a="x"y', "x,y", r'a="\q"'])
def test_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_property_string(text, default_key="type")


def test_value_without_key_needs_a_default() -> None:
    with pytest.raises(FormatError, match="without a key"):
        parse_property_string("x")


@given(st.dictionaries(st.from_regex(r"[a-z\-]{1,8}", fullmatch=True), st.text(max_size=20), max_size=5))
def test_round_trip(values: dict[str, str]) -> None:
    assert parse_property_string(format_property_string(values)) == values


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("offline", "offline", ""),
        ("type=read-only", "read-only", ""),
        ('type=offline,message="new disks, back soon"', "offline", "new disks, back soon"),
        ("offline,message=a%2Cb", "offline", "a,b"),
    ],
)
def test_maintenance_mode(text: str, mode: str, message: str) -> None:
    parsed = MaintenanceMode.parse(text)
    assert (parsed.mode, parsed.message) == (mode, message)
    assert MaintenanceMode.parse(str(parsed)) == parsed


@pytest.mark.parametrize("text", ["", "sleepy", "offline,why=x", "message=x", "offline,message=" + "x" * 65])
def test_refused_maintenance_mode(text: str) -> None:
    with pytest.raises(FormatError):
        MaintenanceMode.parse(text)


@pytest.mark.parametrize(
    ("mode", "refused"),
    [
        ("read-only", {Operation.WRITE}),
        ("offline", {Operation.READ, Operation.WRITE}),
        ("unmount", {Operation.READ, Operation.WRITE}),
        ("delete", {Operation.READ, Operation.WRITE, Operation.LOOKUP}),
    ],
)
def test_what_a_mode_refuses(mode: str, refused: set[Operation]) -> None:
    assert {operation for operation in Operation if MaintenanceMode(mode).refuses(operation)} == refused


def test_tuning() -> None:
    assert Tuning.parse("") == Tuning()
    tuning = Tuning.parse("chunk-order=none,sync-level=file,gc-atime-cutoff=60,gc-atime-safety-check=0")
    assert (tuning.chunk_order, tuning.sync_level) == ("none", "file")
    assert (tuning.gc_atime_cutoff_minutes, tuning.gc_atime_safety_check) == (60, False)


@pytest.mark.parametrize(
    "text", ["chunk-order=x", "gc-atime-cutoff=0", "gc-atime-cutoff=²", "x=1", "gc-cache-capacity=-1"]
)
def test_refused_tuning(text: str) -> None:
    with pytest.raises(FormatError):
        Tuning.parse(text)
