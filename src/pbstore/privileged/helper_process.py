"""The helper's side: takes requests from its server one by one, each answered by a process of its own."""

import contextlib
import os
import signal
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from pbstore.errors import AuthenticationError, PbstoreError, ProtocolError
from pbstore.privileged.message import Message, receive_message, send_message
from pbstore.privileged.root_owned import RootOwnedFiles

TIME_LIMIT_SECONDS = 30
MAX_AT_ONCE = 64
ROOT = "root"
_PEER_CREDENTIALS = struct.Struct("3i")
"""`struct ucred`: pid, uid, gid."""


@dataclass(frozen=True)
class ServerProcess:
    """The only process that gets answers."""

    pid: int
    uid: int


def run_helper(channel: socket.socket, directory: Path, server: ServerProcess) -> None:
    """Answer until the server closes its end of the channel. Each datagram on it brings the socket of one request.

    Raises:
        OSError: the directory cannot be opened.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # It is needed until the server has ended, and notices that by itself.
        signal.signal(number, signal.SIG_IGN)
    files = RootOwnedFiles(directory)
    running: set[int] = set()
    while (request := _next_request(channel)) is not None:
        with request:
            if not _is_from(request, server):
                continue
            running -= _ended(wait=len(running) >= MAX_AT_ONCE)
            pid = os.fork()
            if pid == 0:
                _serve_and_exit(request, channel, files)
            running.add(pid)


def _next_request(channel: socket.socket) -> socket.socket | None:
    """Wait for a socket; None when the server has gone. A datagram without one is an empty request."""
    data, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    if descriptors:
        request = socket.socket(fileno=descriptors[0])
        request.set_inheritable(False)
        return request
    return socket.socket(socket.AF_UNIX) if data else None


def _is_from(request: socket.socket, server: ServerProcess) -> bool:
    """Whether the kernel says that the server itself made the socket."""
    try:
        credentials = request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    except OSError:
        return False
    pid, uid, _ = _PEER_CREDENTIALS.unpack(credentials)
    return (pid, uid) == (server.pid, server.uid)


def _ended(*, wait: bool) -> set[int]:
    """Return the processes that have ended, of which there is one at least when it waits for it."""
    ended: set[int] = set()
    while True:
        try:
            pid, _ = os.waitpid(-1, 0 if wait and not ended else os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.add(pid)


def _serve_and_exit(request: socket.socket, channel: socket.socket, files: RootOwnedFiles) -> NoReturn:
    """Answer one request in this process, which the kernel ends when that takes too long."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(TIME_LIMIT_SECONDS)
        channel.close()
        with contextlib.suppress(OSError, ProtocolError):
            send_message(request, _answer(request, files))
    finally:
        os._exit(0)


def _answer(request: socket.socket, files: RootOwnedFiles) -> Message:
    """Carry the request out. An answer says `ok`, or why not; never what was asked, which may be a password."""
    try:
        message = receive_message(request)
        action = _ACTIONS.get(message.texts.get("action", ""))
        if action is None:
            raise ProtocolError("no such action")
        return Message({"result": "ok"}, action(files, message.texts, message.content))
    except AuthenticationError as error:
        return Message({"result": "refused", "reason": str(error)})
    except OSError as error:
        return Message({"result": "system", "errno": str(error.errno or 0)})
    except PbstoreError as error:
        return Message({"result": "failed", "reason": str(error)})
    except KeyError:
        return Message({"result": "failed", "reason": "the request is incomplete"})
    except Exception as error:
        return Message({"result": "failed", "reason": f"internal error: {type(error).__name__}"})


def _pam() -> ModuleType:
    """Load PAM in the process of the request only; it may bring anything with it."""
    try:
        return import_module("pbstore.privileged.pam")
    except (ImportError, OSError, AttributeError):
        raise AuthenticationError("the system has no PAM library (libpam)") from None


def _authenticate(_: RootOwnedFiles, texts: Mapping[str, str], __: bytes) -> bytes:
    pam = _pam()
    pam.authenticate(texts["user"], texts["password"], texts["address"])
    return b""


def _change_password(_: RootOwnedFiles, texts: Mapping[str, str], __: bytes) -> bytes:
    """Believe nobody but PAM: who changes a password gives the old one, or that of root, and it is checked here."""
    if texts["authority"] not in (texts["user"], ROOT):
        raise AuthenticationError("only the user and root change the password of a user")
    pam = _pam()
    pam.authenticate(texts["authority"], texts["password"], texts["address"])
    pam.change_password(texts["user"], texts["new-password"], texts["address"])
    return b""


def _read(files: RootOwnedFiles, texts: Mapping[str, str], _: bytes) -> bytes:
    return files.read(texts["name"])


def _replace(files: RootOwnedFiles, texts: Mapping[str, str], content: bytes) -> bytes:
    files.replace(texts["name"], texts["kind"], content)
    return b""


_ACTIONS: dict[str, Callable[[RootOwnedFiles, Mapping[str, str], bytes], bytes]] = {
    "authenticate": _authenticate,
    "change-password": _change_password,
    "read": _read,
    "replace": _replace,
}
