"""Unpack an archive of the fixtures."""

import tarfile
from pathlib import Path


def unpack(archive: Path, target: Path) -> Path:
    """Unpack below `target` and return it."""
    with tarfile.open(archive) as tar:
        # The first releases of Python 3.11 know no filters; the files are ours to trust.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(target)  # noqa: S202
    return target
