"""The lines that intrusion detection reads (auth.md 5)."""

import re
from pathlib import Path

import pytest

from pbstore.access.auth_log import AuthLog
from pbstore.model.auth_id import UserId

TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}: "


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "auth.log"


def test_lines(path: Path) -> None:
    log = AuthLog(path, lambda: 1714557600.9)
    log.success(UserId("u", "pbs"))
    log.failure("[::ffff:192.0.2.1]:50000", "invalid credentials", user="u@pbs")
    log.failure("192.0.2.1:50000", "invalid ticket")
    log.failure(None, "invalid ticket")
    expected = [
        "successful auth for user 'u@pbs'",
        "authentication failure; rhost=[::ffff:192.0.2.1]:50000 user=u@pbs msg=invalid credentials",
        "authentication failure; rhost=192.0.2.1:50000 msg=invalid ticket",
        "authentication failure; rhost=unknown msg=invalid ticket",
    ]
    for line, text in zip(path.read_text().splitlines(), expected, strict=True):
        assert re.fullmatch(TIME + re.escape(text), line)


@pytest.mark.parametrize("name", ["x\n2024-01-01T00:00:00Z: fake", "\ud800", "\x1b[2J", "x" * 100000])
def test_nobody_can_fake_a_line(path: Path, name: str) -> None:
    AuthLog(path, lambda: 0).failure("192.0.2.1:5", "invalid credentials", user=name)
    content = path.read_text()
    assert content.count("\n") == 1
    assert content.rstrip("\n").isprintable()
    assert len(content) < 1000
    assert content.endswith("msg=invalid credentials\n")


def test_a_rotated_log_is_made_anew(path: Path) -> None:
    log = AuthLog(path, lambda: 0)
    log.failure(None, "first")
    path.rename(path.with_suffix(".1"))
    log.failure(None, "second")
    assert path.read_text().endswith("msg=second\n")
