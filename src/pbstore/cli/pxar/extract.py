"""`pxar extract`: unpack an archive, or what patterns choose of it (cli-manager.md 2)."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pxar.parameters import ARCHIVE, FEATURES, PAYLOAD_INPUT, flag, left_out, path, texts
from pbstore.client.pxar_archive import ExtractJob, OverwriteOptions, extract_archive
from pbstore.errors import AbortedError, PbstoreError


def run(
    console: Console,
    archive: Path,
    target: Path | None,
    payload_input: Path | None,
    prelude_target: Path | None,
    pattern: list[str] | None,
    files_from: Path | None,
    strict: bool,
    **options: Any,
) -> None:
    """Extract the archive."""
    job = ExtractJob(
        archive=sys.stdin.fileno() if str(archive) == "-" else archive,
        target=target or Path(),
        payload=payload_input,
        prelude=prelude_target,
        patterns=_patterns(pattern or (), files_from),
        overwrite=_overwrite(options),
        without=left_out(options),
        strict=strict,
    )
    try:
        extract_archive(job, console.warn)
    except AbortedError:
        raise
    except PbstoreError as error:
        raise PbstoreError(f"error extracting archive - {error}") from error
    if prelude_target is not None and not prelude_target.exists():
        console.warn(f"warning: the archive has no prelude: {prelude_target} was not written")


def _patterns(given: Sequence[str], files_from: Path | None) -> list[bytes]:
    """The patterns of the command line, and behind them those of a file, one a line."""
    lines = files_from.read_bytes().split(b"\n") if files_from else []
    return [os.fsencode(pattern) for pattern in given] + [line for line in lines if line]


def _overwrite(options: dict[str, Any]) -> OverwriteOptions:
    everything = options["overwrite"]
    return OverwriteOptions(
        directories=everything or options["allow_existing_dirs"],
        files=everything or options["overwrite_files"],
        symlinks=everything or options["overwrite_symlinks"],
        hard_links=everything or options["overwrite_hardlinks"],
    )


COMMAND = Command(
    description="Extract an archive.",
    run=run,
    positional=("archive", "target"),
    parameters=(
        ARCHIVE,
        path("target", "Target directory. Default: the current directory."),
        PAYLOAD_INPUT,
        path("prelude-target", "New file for the prelude of a split archive."),
        texts("pattern", "List of paths or patterns of what to extract, the last match decides.", "Path or pattern."),
        path("files-from", "File with further patterns, one a line."),
        flag("allow-existing-dirs", "Allows directories to already exist on restore."),
        flag("overwrite", "Allows existing directories, and overwrites existing files and links."),
        flag("overwrite-files", "Overwrite already existing files."),
        flag("overwrite-symlinks", "Overwrite already existing entries by an archive's symlinks."),
        flag("overwrite-hardlinks", "Overwrite already existing entries by an archive's hard links."),
        flag("strict", "Stop on errors. Otherwise most errors will simply warn."),
        *FEATURES,
    ),
)
