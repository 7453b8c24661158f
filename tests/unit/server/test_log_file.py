"""An append-only log that clients cannot forge lines in."""

from pathlib import Path

from pbstore.server.log_file import LogFile


def test_lines_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("old\n")
    log = LogFile(path)
    log.write("one")
    log.write("two")
    assert path.read_text() == "old\none\ntwo\n"


def test_control_characters_cannot_make_a_line(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "x.log")
    log.write("agent\nforged: line\x1b[2J\x7f")
    assert (tmp_path / "x.log").read_text() == "agent?forged: line?[2J?\n"


def test_a_rotated_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    log = LogFile(path)
    log.write("one")
    path.rename(tmp_path / "x.log.1")
    log.write("two")
    log.close()
    log.write("three")
    assert (tmp_path / "x.log.1").read_text() == "one\n"
    assert path.read_text() == "two\nthree\n"
    assert path.stat().st_mode & 0o777 == 0o640
