"""The server's side: asks the helper, from any thread."""

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from pbstore.config.file_kind import FileKind
from pbstore.errors import AuthenticationError, PbstoreError, ProtocolError
from pbstore.privileged.helper_process import TIME_LIMIT_SECONDS
from pbstore.privileged.message import MAX_TEXT_LENGTH, Message, receive_message, send_message

HELPER_MODULE = "pbstore.cli.pbstore.root_helper"
MAX_LOGINS_AT_ONCE = 16
"""Fewer than the helper serves, so that slow logins never keep files from being read."""
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class RootHelper:
    """A running helper; it ends when this is closed, or with the process that has it."""

    def __init__(self, process: "subprocess.Popen[bytes]", channel: socket.socket, directory: Path):
        self._process = process
        self._channel = channel
        self.directory = directory
        self._logins = threading.BoundedSemaphore(MAX_LOGINS_AT_ONCE)

    def authenticate(self, user: str, password: str, address: str) -> None:
        """Return if PAM says that it is the user's password and that the account may be used.

        `address` is where the user comes from.

        Raises:
            AuthenticationError: it says otherwise.
            OSError: the helper does not answer.
        """
        self._ask_pam({"action": "authenticate", "user": user, "password": password, "address": address})

    def change_password(self, user: str, new_password: str, *, authority: str, password: str, address: str) -> None:
        """Set the password of a user; `authority` is that user or `root`, who proves it by `password`.

        Raises:
            AuthenticationError: the proof is not good.
            PbstoreError: the new password is not.
            OSError: the helper does not answer.
        """
        asked = {"action": "change-password", "user": user, "new-password": new_password, "address": address}
        self._ask_pam({**asked, "authority": authority, "password": password})

    def read(self, name: str) -> bytes:
        """Return the content of a file of the directory.

        Raises:
            OSError: it cannot be read, or the helper does not answer.
        """
        return self._ask(Message({"action": "read", "name": name}))

    def replace(self, name: str, kind: FileKind, content: bytes) -> None:
        """Replace a file of the directory by one with the owner and mode of its kind.

        Raises:
            OSError: it cannot be written, or the helper does not answer.
        """
        self._ask(Message({"action": "replace", "name": name, "kind": kind.name}, content))

    def close(self) -> None:
        """Let the helper end; it sees to that itself as soon as the channel is closed."""
        self._channel.close()
        self._process.wait()

    def _ask_pam(self, texts: Mapping[str, str]) -> None:
        if any(len(text) > MAX_TEXT_LENGTH or "\0" in text for text in texts.values()):
            raise AuthenticationError("invalid credentials")
        if not self._logins.acquire(timeout=TIME_LIMIT_SECONDS):
            raise OSError(errno.EBUSY, "too many logins of the realm 'pam' at once")
        try:
            self._ask(Message(texts))
        finally:
            self._logins.release()

    def _ask(self, message: Message) -> bytes:
        try:
            answer = self._exchange(message)
        except (ProtocolError, TimeoutError):
            raise OSError(errno.ETIMEDOUT, "the root helper of the server does not answer in time") from None
        except (BrokenPipeError, ConnectionResetError):
            raise OSError(errno.EPIPE, "the root helper of the server has ended: restart the server") from None
        match answer.texts.get("result"):
            case "ok":
                return answer.content
            case "refused":
                raise AuthenticationError(answer.texts.get("reason", ""))
            case "system":
                number = int(answer.texts.get("errno", "0"))
                raise OSError(number, os.strerror(number))
            case _:
                raise PbstoreError(answer.texts.get("reason", ""))

    def _exchange(self, message: Message) -> Message:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self._channel, [b"?"], [theirs.fileno()])
            # The helper's process ends itself before that.
            ours.settimeout(TIME_LIMIT_SECONDS * 2)
            send_message(ours, message)
            return receive_message(ours)


def start_root_helper(directory: Path, *, uid: int, wrapper: Sequence[str] = ()) -> RootHelper:
    """Start a helper that serves this process, once it runs as `uid`, and the files of `directory`.

    `wrapper` is a command line that becomes the helper itself.

    Raises:
        OSError: it cannot be started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        arguments = [str(theirs.fileno()), str(directory), str(os.getpid()), str(uid)]
        process = subprocess.Popen(  # noqa: S603 - this interpreter, with numbers and a path of ours
            [*wrapper, sys.executable, "-I", "-m", HELPER_MODULE, *arguments],
            env=_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return RootHelper(process, ours, directory)
