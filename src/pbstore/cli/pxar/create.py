"""`pxar create`: archive a directory (cli-manager.md 2)."""

import os
from pathlib import Path
from typing import Any

from pbstore.api.schema import Integer, Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pxar.parameters import ARCHIVE, FEATURES, flag, left_out, path, texts
from pbstore.client.pxar_archive import CreateJob, create_archive


def run(
    console: Console,
    archive: Path,
    source: Path,
    payload_output: Path | None,
    exclude: list[str] | None,
    all_file_systems: bool,
    entries_max: int,
    **options: Any,
) -> None:
    """Make the archive."""
    job = CreateJob(
        source=source,
        archive=archive,
        payload=payload_output,
        exclude=[os.fsencode(pattern) for pattern in exclude or ()],
        all_file_systems=all_file_systems,
        entries_max=entries_max,
        without=left_out(options),
    )
    create_archive(job, console.warn)


COMMAND = Command(
    description="Create a new .pxar archive.",
    run=run,
    positional=("archive", "source"),
    parameters=(
        ARCHIVE,
        path("source", "Source directory.", optional=False),
        path("payload-output", "Write the contents of files to this file: a split archive."),
        texts("exclude", "List of paths or pattern matching files to exclude.", "Path or pattern."),
        flag("all-file-systems", "Include mounted subdirectories."),
        Parameter(
            name="entries-max",
            schema=Integer(description="Max number of entries loaded at once into memory.", minimum=1),
            optional=True,
            default=1024 * 1024,
        ),
        *FEATURES,
    ),
)
