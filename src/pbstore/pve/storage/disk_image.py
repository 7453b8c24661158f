"""Disk images in files: making them, and what they are. `qemu-img` does what only it can.

Names, modes and sizes: pve-access-and-guests.md 3.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pbstore.errors import NotFoundError, PbstoreError

_PREALLOCATION = {"qcow2": "metadata", "raw": "off"}
_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class ImageFacts:
    """Virtual size and allocated bytes; `ctime` in seconds since 1970, `backing` what a linked clone is based on."""

    size: int
    used: int
    ctime: int
    backing: Path | None = None


def image_facts(path: Path, image_format: str) -> ImageFacts:
    """Look at an image; of other files only the size counts.

    Raises:
        NotFoundError: it is not there.
        PbstoreError: it is no image of that format.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise NotFoundError(f"cannot read '{path}': {error.strerror}") from None
    if image_format == "subvol":
        return ImageFacts(0, 0, int(found.st_ctime))
    used = found.st_blocks * 512
    if image_format == "raw":
        return ImageFacts(found.st_size, used, int(found.st_ctime))
    answer = json.loads(_run("info", "--output=json", "-f", image_format, str(path)))
    size, backing = (answer.get(key) for key in ("virtual-size", "backing-filename"))
    if not isinstance(size, int):
        raise PbstoreError(f"qemu-img does not say how large '{path}' is")
    base = (path.parent / backing).resolve() if isinstance(backing, str) else None
    return ImageFacts(size, used, int(found.st_ctime), base)


def create_image(path: Path, image_format: str, size_kib: int, preallocation: str | None) -> None:
    """Make an empty image, or a directory for the format `subvol`; nothing is left behind when that fails.

    Raises:
        PbstoreError: it exists, or cannot be made.
    """
    if path.exists() or path.is_symlink():
        raise PbstoreError(f"disk image '{path}' already exists")
    if image_format == "subvol":
        if size_kib:
            raise PbstoreError("storage does not support subvol quotas")
        path.mkdir(mode=0o755)
        return
    chosen = preallocation or _PREALLOCATION.get(image_format)
    chosen = "off" if image_format == "raw" and chosen == "metadata" else chosen
    # Made here, so that it never is readable by others and nobody else's file is overwritten.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    try:
        if image_format == "raw" and chosen == "off":
            os.truncate(descriptor, size_kib << 10)
            return
        options = ["-o", f"preallocation={chosen}"] if image_format in _PREALLOCATION else []
        _run("create", *options, "-f", image_format, str(path), f"{size_kib}K")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _run(*words: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, and paths that are arguments
            ["/usr/bin/env", "qemu-img", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise PbstoreError(f"qemu-img {words[0]} took longer than {_TIMEOUT_SECONDS:.0f} seconds") from None
    if done.returncode == 127:
        raise PbstoreError("qemu-img is not installed: disk images need it (Debian: qemu-utils)")
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise PbstoreError(f"qemu-img {words[0]} failed: {lines[-1] if lines else f'exit code {done.returncode}'}")
    return done.stdout
