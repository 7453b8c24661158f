"""Stops whoever opens or reads a file until something has been done, so that races end the same way every time.

fanotify(7): only root may use it, and only file systems of the kernel have it.
"""

import ctypes
import os
import select
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntFlag
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLASS_CONTENT, _CLOEXEC, _MARK_ADD, _ON_DIRECTORY, _ALLOW = 0x4, 0x1, 0x1, 0x40000000, 1
_EVENT = struct.Struct("=IBBHQii")


class Access(IntFlag):
    """What is waited for."""

    OPEN = 0x10000
    READ = 0x20000


def is_available() -> bool:
    """Whether this kernel lets this user stop others."""
    group = _LIBC.fanotify_init(_CLASS_CONTENT | _CLOEXEC, os.O_RDONLY)
    if group >= 0:
        os.close(group)
    return bool(group >= 0)


@contextmanager
def at_first(access: Access, path: Path, action: Callable[[], None]) -> Iterator[None]:
    """Run `action` when `path` is opened or read for the first time, before that goes on; it must happen.

    `action` must not open `path` itself.
    """
    group = _check(_LIBC.fanotify_init(_CLASS_CONTENT | _CLOEXEC, os.O_RDONLY))
    mask = ctypes.c_uint64(access | (_ON_DIRECTORY if path.is_dir() else 0))
    _check(_LIBC.fanotify_mark(group, _MARK_ADD, mask, -100, os.fsencode(path)))
    stopped, stop = os.pipe()
    count = 0

    def watch() -> None:
        nonlocal count
        while stopped not in select.select([group, stopped], [], [])[0]:
            for event in _EVENT.iter_unpack(os.read(group, 100 * _EVENT.size)):
                if count == 0:
                    action()
                count += 1
                os.write(group, struct.pack("=iI", event[5], _ALLOW))
                os.close(event[5])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        os.close(stop)
        thread.join()
        # Lets go of whoever still waits.
        os.close(group)
        os.close(stopped)
    assert count, f"nobody came to {path}"


def _check(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
