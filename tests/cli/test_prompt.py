"""Passwords typed on a real terminal (keys.md 4)."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pbstore.cli.prompt import read_new_password, read_password
from pbstore.errors import PbstoreError
try:
    {call}
except PbstoreError as error:
    print("error:", error)
except KeyboardInterrupt:
    print("interrupted")
"""
READ = "print('got', ascii(read_password('Password: ', sys.stdin, sys.stderr)))"
NEW = "print('got', ascii(read_new_password('New Password: ', sys.stdin, sys.stderr)))"


def type_at(call: str, *answers: bytes) -> str:
    """Run the script on a terminal of its own, type each answer when a prompt is there, return what it showed."""
    primary, secondary = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(call=call)],
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env=environment,
        start_new_session=True,
    )
    os.close(secondary)
    # A prompt that never comes must fail the test, not hang it.
    guard = threading.Timer(20, process.kill)
    guard.start()
    shown, waiting = b"", list(answers)
    try:
        while data := _read(primary):
            shown += data
            if waiting and shown.count(b"assword: ") > len(answers) - len(waiting):
                os.write(primary, waiting.pop(0))
    finally:
        process.wait()
        guard.cancel()
        os.close(primary)
    return shown.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (b"secret\r", "Password: ******\ngot 'secret'\n"),
        (b"secret\n", "Password: ******\ngot 'secret'\n"),
        (b"sec\x7f\x7fx\r", "Password: ***\b \b\b \b*\ngot 'sx'\n"),
        (b"\x7fa\r", "Password: *\ngot 'a'\n"),
        ("ü\x7fä\r".encode(), "Password: *\b \b*\ngot '\\xe4'\n"),
        (b"a\tbc\r", "Password: *\ngot 'abc'\n"),
        (b"\r", "Password: \ngot ''\n"),
        (b"\xff\r", "Password: *\nerror: the password is not valid UTF-8\n"),
        (b"ab\x03", "Password: **\ninterrupted\n"),
        (b"\x04", "Password: \nerror: the password input was closed\n"),
    ],
)
def test_typing(typed: bytes, shown: str) -> None:
    assert type_at(READ, typed) == shown


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ((b"secret\r", b"secret\r"), "got 'secret'"),
        ((b"secret\r", b"sacred\r"), "error: Password verification failed: the two entries differ"),
        ((b"abcd\r",), "error: Password too short: at least 5 characters"),
    ],
)
def test_new_passwords_are_asked_twice(answers: tuple[bytes, ...], outcome: str) -> None:
    shown = type_at(NEW, *answers)
    assert shown.splitlines()[-1] == outcome
    assert ("Verify Password: " in shown) == (len(answers) == 2)


def test_without_a_terminal_nobody_is_asked() -> None:
    command = [sys.executable, "-c", SCRIPT.format(call=NEW)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "error: unable to read passphrase - no tty\n"
