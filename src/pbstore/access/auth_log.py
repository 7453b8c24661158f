"""`auth.log`: logins and failures in lines that intrusion detection reads (auth.md 5)."""

import logging
import os
import threading
from datetime import datetime
from pathlib import Path

from pbstore.access.clock import Clock
from pbstore.config.file_kind import FileKind
from pbstore.model.auth_id import UserId

MAX_TEXT_LENGTH = 512
_log = logging.getLogger(__name__)


class AuthLog:
    """Appends lines; each is one write, so that several writers do not mix.

    A line that the system refuses goes to the server's own log: a full disk keeps nobody from logging in.
    """

    def __init__(self, path: Path, clock: Clock):
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()

    def success(self, user: UserId) -> None:
        """Note a login."""
        self._write(f"successful auth for user '{user}'")

    def failure(self, peer: str | None, reason: str, user: str | None = None) -> None:
        """Note a failure; `peer` is `ip:port` with an IPv6 address in brackets, `user` is what a login gave."""
        user_text = "" if user is None else f"user={_one_line(user)} "
        self._write(f"authentication failure; rhost={peer or 'unknown'} {user_text}msg={_one_line(reason)}")

    def _write(self, text: str) -> None:
        time_text = datetime.fromtimestamp(int(self._clock())).astimezone().isoformat()
        line = f"{time_text}: {text}\n".encode("utf-8", "backslashreplace")
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                _log.warning("cannot write to %s: %s: %s", self._path, error.strerror, text)

    def _append(self, line: bytes) -> None:
        # Opened for each line: the log may be rotated away at any time.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, FileKind.SERVICE.mode)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _one_line(text: str) -> str:
    """Escape what could fake another field or line."""
    shown = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
    return shown[:MAX_TEXT_LENGTH]
