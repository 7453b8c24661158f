"""Waiting for the signal that ends the server."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_ENDING = (signal.SIGTERM, signal.SIGINT)


class EndSignal:
    """SIGTERM or SIGINT has come, to whichever thread of the process the kernel gave it."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor

    def wait(self) -> None:
        """Return when the first has come, at once if one has."""
        while os.read(self._descriptor, 1)[0] not in _ENDING:
            pass


@contextmanager
def end_signal() -> Iterator[EndSignal]:
    """Catch both signals within a `with` block, in the main thread.

    A lock would not do to wait on: a signal that another thread takes (one that just starts a thread may) does not wake
    the main thread from it. The byte that Python's own handler writes does.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writer, False)
    earlier_descriptor = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    earlier = [(number, signal.signal(number, lambda *_: None)) for number in _ENDING]
    try:
        yield EndSignal(reader)
    finally:
        for number, handler in earlier:
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier_descriptor)
        os.close(reader)
        os.close(writer)
