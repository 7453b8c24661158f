"""Questions on the terminal: passwords with `*` echo, and yes or no (keys.md 4)."""

import os
import termios
import tty
from typing import TextIO

from pbstore.errors import PbstoreError

MINIMUM_PASSWORD_LENGTH = 5
_MAXIMUM_BYTES = 4096


class NoTerminalError(PbstoreError):
    """Something has to be asked, but nobody is there to answer."""


def is_terminal(stream: TextIO) -> bool:
    """Whether the stream is a terminal; closed and replaced streams are none."""
    try:
        return os.isatty(stream.fileno())
    except (OSError, ValueError):
        return False


def read_password(prompt: str, stdin: TextIO, output: TextIO, *, echo: bool = True) -> str:
    """Ask on the terminal behind `stdin`; each character shows as `*`, unless `echo` is off or TAB switches it off.

    Raises:
        NoTerminalError: `stdin` is no terminal, or it was closed.
        KeyboardInterrupt: Ctrl-C.
        PbstoreError: the input is not UTF-8.
    """
    if not is_terminal(stdin):
        raise NoTerminalError("no password input mechanism available")
    descriptor = stdin.fileno()
    saved = termios.tcgetattr(descriptor)
    try:
        # Raw before the prompt is seen: whoever types at once must not be echoed.
        tty.setraw(descriptor, termios.TCSAFLUSH)
        output.write(prompt)
        output.flush()
        data = _read_line(descriptor, output, echo)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, saved)
        output.write("\n")
        output.flush()
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise PbstoreError("the password is not valid UTF-8") from None


def read_new_password(prompt: str, stdin: TextIO, output: TextIO) -> str:
    """Ask twice for a password to be set.

    Raises:
        PbstoreError: shorter than five characters, or the two differ.
        NoTerminalError: `stdin` is no terminal.
        KeyboardInterrupt: Ctrl-C.
    """
    if not is_terminal(stdin):
        raise NoTerminalError("unable to read passphrase - no tty")
    password = read_password(prompt, stdin, output)
    if len(password) < MINIMUM_PASSWORD_LENGTH:
        raise PbstoreError(f"Password too short: at least {MINIMUM_PASSWORD_LENGTH} characters")
    if read_password("Verify Password: ", stdin, output) != password:
        raise PbstoreError("Password verification failed: the two entries differ")
    return password


def confirm(question: str, stdin: TextIO, output: TextIO) -> bool:
    """Ask until the answer is y or n.

    Raises:
        NoTerminalError: the input ended.
    """
    while True:
        output.write(f"{question} (y/n): ")
        output.flush()
        line = stdin.readline()
        if not line:
            raise NoTerminalError("no answer given")
        if line.strip() in ("y", "Y", "n", "N"):
            return line.strip() in ("y", "Y")


def agrees(question: str, stdin: TextIO, output: TextIO) -> bool:
    """Ask once; only `y` or `Y` is agreement. The answer may come from a pipe."""
    output.write(f"{question} [y/N]: ")
    output.flush()
    return stdin.readline().strip() in ("y", "Y")


def _read_line(descriptor: int, output: TextIO, echo: bool) -> bytes:
    data = bytearray()
    while True:
        byte = os.read(descriptor, 1)
        if byte in (b"\r", b"\n"):
            return bytes(data)
        if byte == b"\x03":
            raise KeyboardInterrupt
        if byte in (b"", b"\x04"):
            raise NoTerminalError("the password input was closed")
        if byte == b"\t":
            echo = False
        elif byte in (b"\x7f", b"\b"):
            if data:
                _drop_character(data)
                _show(output, "\b \b", echo)
        elif byte >= b" " and len(data) < _MAXIMUM_BYTES:
            data += byte
            is_first_of_character = byte[0] & 0xC0 != 0x80
            _show(output, "*", echo and is_first_of_character)


def _drop_character(data: bytearray) -> None:
    while data and data.pop() & 0xC0 == 0x80:
        pass


def _show(output: TextIO, text: str, echo: bool) -> None:
    if echo:
        output.write(text)
        output.flush()
