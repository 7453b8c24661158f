"""Where `--decode` and `--output-path` write to."""

import os
import sys
from pathlib import Path

from pbstore.client.restore_target import RestoreTarget


def output_target(name: str) -> RestoreTarget:
    """`-` is standard output. Files are made new, so that none is lost by mistake; devices and pipes are written to."""
    if name == "-":
        sys.stdout.flush()
        return RestoreTarget(descriptor=sys.stdout.fileno())
    path = Path(name)
    return RestoreTarget(path=path, overwrite=path.exists() and not path.is_file())


def write_output(target: RestoreTarget, data: bytes) -> None:
    """Write the data; a file made for it is removed when that fails.

    Raises:
        PbstoreError: the file exists already, or cannot be made.
    """
    with target.file() as descriptor, os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
