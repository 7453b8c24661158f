"""Lines of `diff archive`, byte for byte as the original prints them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pbstore.cli.proxmox_backup_debug.difference_line import difference_line


@dataclass(frozen=True, kw_only=True)
class Entry:
    path: bytes
    kind: str = "f"
    mode: int = 0o100644
    uid: int = 0
    gid: int = 0
    mtime_seconds: int = 0
    size: int = 0
    device: tuple[int, int] | None = None


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


CONF_D = Entry(path=b"/conf.d", kind="d", mode=0o40755, mtime_seconds=1779086500)
CONF_07 = Entry(path=b"/conf.d/07.conf", mtime_seconds=1779086407, size=16)
ZZ_NEW = Entry(path=b"/zz-new", mtime_seconds=1779086408, size=4)


def test_plain_lines() -> None:
    lines = [
        difference_line("M", CONF_D, frozenset({"mtime"}), color=False),
        difference_line("M", CONF_07, frozenset({"mtime", "size"}), color=False),
        difference_line("A", ZZ_NEW, frozenset(), color=False),
    ]
    assert lines == [
        "M  d      0      0    755            *2026-05-18 06:41:40  conf.d",
        "M  f      0      0    644      *16 B *2026-05-18 06:40:07  07.conf",
        "A  f      0      0    644        4 B  2026-05-18 06:40:08  zz-new",
    ]


def test_coloured_lines() -> None:
    lines = [
        difference_line("M", CONF_D, frozenset({"mtime"}), color=True),
        difference_line("M", CONF_07, frozenset({"mtime", "size", "other"}), color=True),
        difference_line("A", ZZ_NEW, frozenset(), color=True),
    ]
    expected = [
        "^[[0m^[[33mM^[[0m  d^[[0m      0^[[0m      0^[[0m    755^[[0m           ^[[0m "
        "^[[0m^[[33m*2026-05-18 06:41:40^[[0m  conf.d^[[0m",
        "^[[0m^[[33mM^[[0m  f^[[0m      0^[[0m      0^[[0m    644^[[0m ^[[0m^[[33m     *16 B^[[0m "
        "^[[0m^[[33m*2026-05-18 06:40:07^[[0m ^[[0m^[[33m*07.conf^[[0m",
        "^[[0m^[[32mA^[[0m  f^[[0m      0^[[0m      0^[[0m    644^[[0m        4 B^[[0m  2026-05-18 06:40:08^[[0m  "
        "zz-new^[[0m",
    ]
    assert lines == [line.replace("^[", "\x1b") for line in expected]


def test_every_kind_has_its_columns() -> None:
    device = Entry(path=b"/dev/null", kind="c", mode=0o20666, device=(1, 3))
    assert (
        difference_line("D", device, frozenset(), color=False)
        == "D  c      0      0    666        1,3  1970-01-01 00:00:00  null"
    )
    link = Entry(path=b"/a/b", kind="h", mode=0o104755, uid=1000, gid=1234567, size=5 << 20)
    assert (
        difference_line("M", link, frozenset({"kind", "uid", "gid", "mode"}), color=False)
        == "M *h  *1000 *1234567  *4755      5 MiB  1970-01-01 00:00:00  b"
    )
    symlink = Entry(path=b"/l", kind="l", mode=0o120777, mtime_seconds=1 << 62)
    assert (
        difference_line("M", symlink, frozenset({"other"}), color=False)
        == "M  l      0      0    777             4611686018427387904 *l"
    )


def test_names_do_not_reach_the_terminal_as_they_are() -> None:
    entry = Entry(path=b"/d/a\x1b[31m\xff\n")
    assert difference_line("A", entry, frozenset(), color=False).endswith("  a\\u{1b}[31m\\xff\\u{a}")
