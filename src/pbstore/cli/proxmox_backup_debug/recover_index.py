"""`recover index`: put an archive together again from its index and a directory of chunks."""

from pathlib import Path

from rich.console import Console as RichConsole
from rich.progress import BarColumn, DownloadColumn, Progress, TimeElapsedColumn, TransferSpeedColumn

from pbstore.api.schema import Boolean, Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_debug.key_option import KEYFILE, given_key
from pbstore.cli.proxmox_backup_debug.output_target import output_target
from pbstore.datastore.recovery import IndexRecovery, RecoveryOptions
from pbstore.errors import DatastoreError, EncryptionKeyError, IntegrityError


def run(
    console: Console,
    file: Path,
    chunks: Path,
    keyfile: Path | None,
    skip_crc: bool,
    ignore_missing_chunks: bool,
    ignore_corrupt_chunks: bool,
    output_path: str | None,
) -> None:
    """Write the archive; where it fails, no part of it stays behind, except on standard output and devices."""
    options = RecoveryOptions(
        skip_checksums=skip_crc, ignore_missing=ignore_missing_chunks, ignore_corrupt=ignore_corrupt_chunks
    )
    recovery = IndexRecovery(file, chunks, given_key(console, keyfile), options)
    target = output_target(file.stem if output_path is None else output_path)
    try:
        with target.file() as descriptor, _bar(console) as bar:
            task = bar.add_task("", total=recovery.size)
            recovery.write(
                descriptor,
                is_new=not target.is_stream and not target.overwrite,
                warn=lambda text: console.warn(f"WARN: {text}"),
                moved=lambda position: bar.update(task, completed=position),
            )
    except DatastoreError as error:
        raise DatastoreError(f"{error} (--ignore-missing-chunks puts zeros there)") from None
    except IntegrityError as error:
        raise IntegrityError(f"{error} (--ignore-corrupt-chunks puts zeros there)") from None
    except EncryptionKeyError as error:
        raise EncryptionKeyError(f"{error} (--keyfile gives the key)") from None


def _bar(console: Console) -> Progress:
    columns = (BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(), TimeElapsedColumn())
    return Progress(*columns, console=RichConsole(stderr=True), transient=True, disable=not console.shows_progress)


def _flag(name: str, description: str) -> Parameter:
    return Parameter(name=name, schema=Boolean(description=description), optional=True, default=False)


RECOVER_INDEX = Command(
    description="Put an archive together again from its index file and a directory of chunks.",
    run=run,
    positional=("file", "chunks"),
    parameters=(
        Parameter(
            name="file",
            schema=String(description="Index file, fixed or dynamic.", minimum_length=1, convert=Path),
        ),
        Parameter(
            name="chunks",
            schema=String(
                description="Directory of the chunks, in a datastore '.chunks'.",
                minimum_length=1,
                convert=Path,
            ),
        ),
        KEYFILE,
        _flag("skip-crc", "Compare neither CRC nor digest of chunks: faster, and takes damaged chunks as they are."),
        _flag("ignore-missing-chunks", "Write zeros in place of missing chunks."),
        _flag("ignore-corrupt-chunks", "Write zeros in place of corrupt chunks."),
        Parameter(
            name="output-path",
            schema=String(
                description="Output file path, which must not exist; defaults to the name of the index without its "
                "extension, in the current directory. '-' writes to standard output.",
                minimum_length=1,
            ),
            optional=True,
        ),
    ),
)
