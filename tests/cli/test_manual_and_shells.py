"""Manual pages that a formatter takes without complaint, and completion in a real shell."""

import os
import pty
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from write_command_reference import SHARE, files

MANUALS = sorted((SHARE / "man" / "man1").glob("*.1"))


def test_what_is_made_from_the_commands_is_up_to_date() -> None:
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    assert not stale, "run python scripts/write_command_reference.py"
    assert {path for path in SHARE.rglob("*") if path.is_file()} <= set(files())


@pytest.mark.parametrize("path", MANUALS, ids=lambda path: path.name)
@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here to format manual pages")
def test_manual_pages_are_formatted_without_warnings(path: Path) -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-Wbreak", "-rLL=100n", path], capture_output=True, check=True
    )
    assert done.stderr == b""
    assert b"User Commands" in done.stdout


def test_the_manual_of_the_client_names_variables_files_and_exit_codes() -> None:
    page = (SHARE / "man" / "man1" / "proxmox-backup-client.1").read_text()
    for text in (".SH ENVIRONMENT", "PBS_PASSWORD_FD", ".SH FILES", ".SH EXIT STATUS", r"\fB255\fR"):
        assert text in page


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("proxmox-backup-client snapshot notes sh\t", "snapshot notes show"),
        ("proxmox-backup-client benchmark --output-format=json-\t", "--output-format=json-pretty"),
        ("proxmox-backup-client key show ./some-k\t", "./some-key.json"),
    ],
)
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes(tmp_path: Path, typed: str, completed: str) -> None:
    (tmp_path / "some-key.json").touch()
    primary, secondary = pty.openpty()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env={"PATH": path, "HOME": str(tmp_path), "TERM": "dumb", "PS1": "ready> ", "LC_ALL": "C.UTF-8"},
        cwd=tmp_path,
        start_new_session=True,
    )
    os.close(secondary)
    guard = threading.Timer(40, shell.kill)
    guard.start()
    try:
        source = SHARE / "bash-completion" / "completions" / "proxmox-backup-client"
        _wait_for(primary, "ready> ")
        os.write(primary, f"source {source}; echo sour''ced\n".encode())
        _wait_for(primary, "sourced")
        os.write(primary, typed.encode())
        assert _wait_for(primary, completed)
    finally:
        shell.kill()
        shell.wait()
        guard.cancel()
        os.close(primary)


def _wait_for(terminal: int, text: str) -> bool:
    shown = ""
    while text not in shown:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            return False
        shown += data.decode(errors="replace")
    return True
