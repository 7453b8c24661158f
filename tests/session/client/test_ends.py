"""Transfers that end before they are done: killed servers, cancelling, full disks."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from pbstore._core import Progress
from pbstore.errors import AbortedError, ConnectionFailedError, PbstoreError
from session.client.client_site import MIB, ClientSite

pytestmark = pytest.mark.slow


def in_background(work: threading.Thread) -> threading.Thread:
    work.start()
    return work


def test_a_server_that_is_killed_while_it_receives(mortal: ClientSite) -> None:
    _, session = mortal.backup()
    read, write = os.pipe()
    killer = threading.Timer(0.3, mortal.server.stop, (signal.SIGKILL,))

    def feed() -> None:
        with os.fdopen(write, "wb") as sink:
            try:
                while True:
                    sink.write(os.urandom(MIB))
            except BrokenPipeError:
                pass

    feeder = in_background(threading.Thread(target=feed))
    in_background(killer)
    with pytest.raises(ConnectionFailedError, match="broke"):
        session.upload_image(read, "disk.img.fidx", key=None)
    os.close(read)
    feeder.join(10)
    killer.join()
    assert not feeder.is_alive()
    with pytest.raises(ConnectionFailedError):
        session.request("POST", "finish")


def test_a_server_that_is_killed_while_it_sends(mortal: ClientSite, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(os.urandom(160 * MIB))
    reader, index, _ = mortal.back_up_image(source)
    read, write = os.pipe()
    # Nobody reads the pipe before the server is gone, so that the restore is in the middle of it.
    killer = in_background(threading.Timer(0.3, mortal.server.stop, (signal.SIGKILL,)))

    def drain() -> None:
        killer.join()
        with os.fdopen(read, "rb") as pipe:
            while pipe.read(MIB):
                pass

    drainer = in_background(threading.Thread(target=drain))
    with os.fdopen(write, "wb") as sink, pytest.raises(ConnectionFailedError, match="broke"):
        reader.restore_stream(index, sink.fileno(), key=None, crypt_mode="none")
    drainer.join(10)
    assert not drainer.is_alive()


def test_cancelling_and_control_c_end_a_silent_source(site: ClientSite) -> None:
    # Who starts the tests in the background of a script has the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _end_a_silent_source(site)
    finally:
        signal.signal(signal.SIGINT, before)


def _end_a_silent_source(site: ClientSite) -> None:
    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    progress = Progress()
    for stop, raised in ((progress.cancel, AbortedError), (interrupt, KeyboardInterrupt)):
        _, session = site.backup()
        read, write = os.pipe()
        timer = in_background(threading.Timer(0.2, stop))
        began = time.monotonic()
        with pytest.raises(raised):
            session.upload_image(read, "disk.img.fidx", key=None, progress=progress if raised is AbortedError else None)
        assert time.monotonic() - began < 3
        timer.join()
        session.close()
        os.close(read)
        os.close(write)


def test_full_targets_are_reported(site: ClientSite, image: Path) -> None:
    reader, index, _ = site.back_up_image(image)
    with Path("/dev/full").open("wb") as full, pytest.raises(PbstoreError, match="No space left on device"):
        reader.restore_stream(index, full.fileno(), key=None, crypt_mode="none", archive_name="disk.img")
