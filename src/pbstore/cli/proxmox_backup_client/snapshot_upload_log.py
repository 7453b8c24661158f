"""`snapshot upload-log` (also `upload-log`): keep the log of a backup with it."""

from pathlib import Path
from typing import Any

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.key_options import KEY, chosen_keys
from pbstore.cli.proxmox_backup_client.named_backups import SNAPSHOT, SNAPSHOT_COMPLETION
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.client.key_choice import KeyOptions
from pbstore.client.snapshot_changes import upload_log
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.namespace import Namespace


def run(
    console: Console,
    snapshot: Snapshot,
    logfile: Path,
    ns: Namespace | None,
    crypt_mode: CryptMode | None,
    keyfile: Path | None,
    keyfd: int | None,
    output_format: str | None,
    **options: Any,
) -> None:
    """Upload it."""
    repository = wanted_repository(console, options)
    namespace = wanted_namespace(console, ns)
    key_options = KeyOptions(crypt_mode=crypt_mode, keyfile=keyfile, keyfd=keyfd)
    keys = chosen_keys(console, key_options, for_backup=False)
    upload_log(connect(console, repository), namespace, snapshot, logfile, keys)
    chosen = console.format(output_format)
    # The text is the original's, which scripts may look for.
    console.print(
        f"Result: {json_text({'data': None}, 'json-pretty')}" if chosen == "text" else json_text(None, chosen)
    )


COMMAND = Command(
    description="Upload backup log file.",
    run=run,
    positional=("snapshot", "logfile"),
    parameters=(
        SNAPSHOT,
        Parameter(
            name="logfile",
            schema=String(description="The path to the log file you want to upload.", minimum_length=1, convert=Path),
        ),
        *KEY,
        *REPOSITORY,
        NAMESPACE,
        OUTPUT_FORMAT,
    ),
    completions=SNAPSHOT_COMPLETION,
    examples=(
        Example(
            "snapshot upload-log host/web/2026-06-01T08:00:00Z /var/log/backup.log", "Keep the log with the backup"
        ),
    ),
)
