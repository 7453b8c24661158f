"""Passwords typed on a real terminal (keys.md 4)."""

import os
import subprocess
import sys

import pytest

from terminal import type_at

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


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def shown_for(call: str, *answers: bytes) -> str:
    """What the terminal showed while the script ran."""
    return type_at([sys.executable, "-c", SCRIPT.format(call=call)], answers, ENVIRONMENT)[1]


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
    assert shown_for(READ, typed) == shown


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ((b"secret\r", b"secret\r"), "got 'secret'"),
        ((b"secret\r", b"sacred\r"), "error: Password verification failed: the two entries differ"),
        ((b"abcd\r",), "error: Password too short: at least 5 characters"),
    ],
)
def test_new_passwords_are_asked_twice(answers: tuple[bytes, ...], outcome: str) -> None:
    shown = shown_for(NEW, *answers)
    assert shown.splitlines()[-1] == outcome
    assert ("Verify Password: " in shown) == (len(answers) == 2)


def test_without_a_terminal_nobody_is_asked() -> None:
    command = [sys.executable, "-c", SCRIPT.format(call=NEW)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert done.stdout == "error: unable to read passphrase - no tty\n"
