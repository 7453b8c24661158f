"""A device mounted read-only where nobody else sees it: in a mount namespace of its own.

The namespace lives as long as a child process waits in it; the kernel unmounts the device when that ends, however we
end. The parent looks into it through `/proc/<pid>/root`.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pbstore.errors import DatastoreError

_SAFE = "nosuid,nodev,noexec"
# Without recovery first: a journal that is replayed would be written to the device.
_READ_ONLY = (f"ro,norecovery,{_SAFE}", f"ro,{_SAFE}")
# A file system that is in use for writing cannot be mounted for reading only; its second mount can be made so.
_IN_USE = (f"rw,{_SAFE}", f"ro,{_SAFE}")
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
_SCRIPT = f"""
directory=$1 device=$2
shift 2
for options; do
    mount -o "$options" "$device" "$directory" || continue
    mount -o "remount,bind,ro,{_SAFE}" "$directory" || exit 1
    echo mounted
    exec cat
done
exit 1
"""


@contextmanager
def mounted_privately(device: Path) -> Iterator[Path]:
    """Yield the root directory of the file system on a block device or in an image file.

    Raises:
        DatastoreError: we are not root, or it cannot be mounted.
    """
    if os.geteuid() != 0:
        raise DatastoreError(f"mounting {device} needs root: run as root, or name a directory where it is mounted")
    options = _IN_USE if _is_mounted(device) else _READ_ONLY
    with tempfile.TemporaryDirectory(prefix="pbstore-device-") as place:
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SCRIPT, "sh", place, str(device)]
        # Leaving the block closes the child's input, which ends it.
        with _start([*command, *options]) as child:
            _wait_until_mounted(child, device, place)
            yield Path(f"/proc/{child.pid}/root{place}")


def _start(command: list[str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 - the words are ours, the device is one of them
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_ENVIRONMENT,
        )
    except FileNotFoundError:
        raise DatastoreError(f"{command[0]} is not installed: install util-linux") from None


def _wait_until_mounted(child: subprocess.Popen[str], device: Path, place: str) -> None:
    if child.stdout is not None and child.stdout.readline() == "mounted\n":
        return
    lines = child.communicate()[1].splitlines()
    # The last attempt is the plainest; hints on further lines are left out.
    reasons = [line for line in lines if not line.startswith(" ")] or ["mount failed"]
    raise DatastoreError(f"cannot mount {device}: {reasons[-1].removeprefix(f'mount: {place}: ')}")


def _is_mounted(device: Path) -> bool:
    """Whether the device is mounted anywhere in our namespace, perhaps only a part of it."""
    number = device.stat().st_rdev
    wanted = f"{os.major(number)}:{os.minor(number)}"
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    return device.is_block_device() and any(line.split(" ")[2] == wanted for line in lines)
