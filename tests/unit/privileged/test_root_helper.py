"""The helper in a process of its own: whom it answers, what it reads and writes, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore.config.config_file import ConfigFile
from pbstore.config.file_kind import FileKind, service_owner
from pbstore.config.root_files import read_config_file, use_root_files
from pbstore.errors import AuthenticationError, PbstoreError
from pbstore.privileged.message import Message, receive_message, send_message
from pbstore.privileged.root_helper import RootHelper, start_root_helper


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.mkdir()
    return path


@pytest.fixture
def helper(directory: Path) -> Iterator[RootHelper]:
    helper = start_root_helper(directory, uid=os.geteuid())
    yield helper
    helper.close()


def ask(helper: RootHelper, texts: dict[str, str], content: bytes = b"") -> Message:
    """Ask in any words."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(helper._channel, [b"?"], [theirs.fileno()])
        theirs.close()
        ours.settimeout(20)
        send_message(ours, Message(texts, content))
        return receive_message(ours)


def test_files_are_replaced_and_read(helper: RootHelper, directory: Path) -> None:
    content = b"{}" * 1_000_000
    helper.replace("shadow.json", FileKind.SECRET, content)
    assert helper.read("shadow.json") == content
    status = (directory / "shadow.json").stat()
    assert status.st_mode & 0o777 == 0o600
    helper.replace("user.cfg", FileKind.CONFIG, b"user: a@pbs\n")
    status = (directory / "user.cfg").stat()
    service = service_owner()
    expected = (os.getuid(), os.getgid()) if service is None else (0, service[1])
    assert (status.st_mode & 0o777, (status.st_uid, status.st_gid)) == (0o640, expected)
    assert sorted(path.name for path in directory.iterdir()) == ["shadow.json", "user.cfg"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "/etc/passwd", ".hidden", "a\0b", "x" * 200, "ü"])
def test_only_names_of_configuration_files(helper: RootHelper, name: str) -> None:
    with pytest.raises(PbstoreError, match="no name of a configuration file"):
        helper.read(name)
    with pytest.raises(PbstoreError, match="no name of a configuration file"):
        helper.replace(name, FileKind.SECRET, b"")


def test_nothing_outside_is_read_through_links(helper: RootHelper, directory: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of somebody else")
    (directory / "link").symlink_to(secret)
    (directory / "second-name").hardlink_to(secret)
    os.mkfifo(directory / "fifo")
    (directory / "directory").mkdir()
    for name in ("link", "second-name", "fifo", "directory", "missing"):
        with pytest.raises(OSError, match=r"Operation not permitted|Too many levels|No such file|Is a directory"):
            helper.read(name)


def test_nothing_outside_is_written(helper: RootHelper, directory: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "target").write_text("mine")
    (directory / "link").symlink_to(outside / "target")
    helper.replace("link", FileKind.SECRET, b"new")
    assert (outside / "target").read_text() == "mine"
    assert not (directory / "link").is_symlink()
    # The directory is the one that was there at the start, whatever has its name now.
    directory.rename(tmp_path / "moved")
    directory.symlink_to(outside)
    helper.replace("target", FileKind.SECRET, b"new")
    assert (outside / "target").read_text() == "mine"
    assert (tmp_path / "moved" / "target").read_text() == "new"


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({}, "no such action"),
        ({"action": "run", "name": "x"}, "no such action"),
        ({"action": "read"}, "the request is incomplete"),
        ({"action": "authenticate", "user": "root"}, "the request is incomplete"),
        ({"action": "replace", "name": "x", "kind": "SERVICE"}, "no kind of file that belongs to root"),
        ({"action": "replace", "name": "x", "kind": "0644"}, "no kind of file that belongs to root"),
    ],
)
def test_other_wishes(helper: RootHelper, texts: dict[str, str], reason: str) -> None:
    assert ask(helper, texts).texts == {"result": "failed", "reason": reason}


def test_nobody_changes_the_password_of_another(helper: RootHelper) -> None:
    texts = {"action": "change-password", "user": "root", "new-password": "x", "address": "", "password": "x"}
    answer = ask(helper, {**texts, "authority": "nobody"})
    assert answer.texts["result"] == "refused"


def test_nonsense_does_not_end_it(helper: RootHelper) -> None:
    for sent in (b"", b"\xff" * 100, b"\0\0\0\x02\0\0\0\0[]"):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(helper._channel, [b"?"], [theirs.fileno()])
            ours.sendall(sent)
    helper._channel.send(b"no socket at all")
    helper.replace("still-there", FileKind.SECRET, b"")


OTHER_PROCESS = """
import socket, sys
ours, theirs = socket.socketpair()
channel = socket.socket(fileno=int(sys.argv[1]))
socket.send_fds(channel, [b"?"], [theirs.fileno()])
theirs.close()
ours.sendall(bytes.fromhex(sys.argv[2]))
try:
    print(ours.recv(100))
except ConnectionResetError:
    print(b"")
"""


def test_only_the_server_itself_is_answered(helper: RootHelper, directory: Path) -> None:
    """Another process gets nothing, even of the same user and with the channel in its hands."""
    (directory / "secret").write_text("x")
    head = b'{"action": "read", "name": "secret"}'
    request = len(head).to_bytes(4, "big") + bytes(4) + head
    descriptor = helper._channel.fileno()
    command = [sys.executable, "-c", OTHER_PROCESS, str(descriptor), request.hex()]
    answer = subprocess.run(command, pass_fds=[descriptor], capture_output=True, text=True, check=True, timeout=20)
    assert answer.stdout == "b''\n"
    assert helper.read("secret") == b"x"


def test_it_ends_with_the_server(directory: Path) -> None:
    helper = start_root_helper(directory, uid=os.geteuid())
    helper.replace("x", FileKind.SECRET, b"")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        helper._process.send_signal(number)
    assert helper.read("x") == b""
    helper.close()
    assert helper._process.returncode == 0


def test_a_helper_that_died_is_said_so(directory: Path) -> None:
    helper = start_root_helper(directory, uid=os.geteuid())
    helper._process.kill()
    helper._process.wait()
    with pytest.raises(OSError, match="restart the server"):
        helper.read("x")
    helper.close()


def test_what_is_no_password_is_not_asked_for(helper: RootHelper) -> None:
    for password in ("x" * 1025, "a\0b"):
        with pytest.raises(AuthenticationError):
            helper.authenticate("root", password, "127.0.0.1")


def test_configuration_of_root_goes_through_the_helper(helper: RootHelper, directory: Path) -> None:
    file = ConfigFile(directory / "shadow.json", FileKind.SECRET, lock_name="shadow.json.lock")
    use_root_files(helper)
    try:
        helper._process.send_signal(signal.SIGSTOP)
        service = ConfigFile(directory / "token.shadow", FileKind.SERVICE)
        service.replace(b"its own")
        assert read_config_file(directory / "token.shadow") == b"its own"
        helper._process.send_signal(signal.SIGCONT)
        file.replace(b"{}")
        assert file.read() == b"{}"
    finally:
        use_root_files(None)
