r"""UPIDs and escaped names (tasks-and-jobs.md 1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbstore.errors import FormatError
from pbstore.model.auth_id import AuthId
from pbstore.model.unit_name import escape_unit_name, unescape_unit_name
from pbstore.model.upid import Upid

EXAMPLE = r"UPID:pbs1:00000C3F:00002A1B:0000001C:6553F100:backup:store1\x3avm-100:root@pam:"


def test_example_of_the_specification() -> None:
    upid = Upid.parse(EXAMPLE)
    assert upid == Upid("pbs1", 0xC3F, 0x2A1B, 0x1C, 0x6553F100, "backup", "store1:vm/100", AuthId.parse("root@pam"))
    assert str(upid) == EXAMPLE


def test_empty_worker_id() -> None:
    text = "UPID:pbs42:00000051:000A0FB4:00000000:6B03CBD4:logrotate::root@pam:"
    assert Upid.parse(text).worker_id == ""
    assert str(Upid.parse(text)) == text


def test_token_as_starter() -> None:
    assert Upid.parse(EXAMPLE.replace("root@pam", "a@pbs!tok")).auth_id.token_name == "tok"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "UPID:",
        EXAMPLE[:-1],
        EXAMPLE + ":",
        EXAMPLE + "\n",
        EXAMPLE.replace("pbs1", "-pbs"),
        EXAMPLE.replace("pbs1", "../x"),
        EXAMPLE.replace("00000C3F", "C3F"),
        EXAMPLE.replace(r"\x3a", r"\x3"),
        EXAMPLE.replace(r"\x3a", r"\xff"),
        EXAMPLE.replace("store1", "a/b"),
        EXAMPLE.replace("root@pam", "root"),
        EXAMPLE.replace("store1", "s" * 2000),
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(FormatError):
        Upid.parse(text)


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("s-1:host/a-b", r"s\x2d1\x3ahost-a\x2db"),
        ("vm/100", "vm-100"),
        ("vm/100/2024-01-01T00:00:00Z", r"vm-100-2024\x2d01\x2d01T00\x3a00\x3a00Z"),
        (".hidden.", r"\x2ehidden."),
        ("ü", r"\xc3\xbc"),
    ],
)
def test_escaped_names(plain: str, escaped: str) -> None:
    assert escape_unit_name(plain) == escaped
    assert unescape_unit_name(escaped) == plain


@given(st.text())
def test_escaped_names_round_trip(plain: str) -> None:
    escaped = escape_unit_name(plain)
    assert unescape_unit_name(escaped) == plain
    assert "/" not in escaped
    assert not escaped.startswith(".")


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**36 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.text(max_size=30),
)
def test_round_trip(pid: int, process_start: int, task_id: int, start_time: int, worker_id: str) -> None:
    upid = Upid("a-1", pid, process_start, task_id, start_time, "sync", worker_id, AuthId.parse("x@y@pbs!t.1"))
    assert Upid.parse(str(upid)) == upid
