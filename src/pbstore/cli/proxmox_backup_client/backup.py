"""`backup`: directories, images and files of this machine as one snapshot."""

import socket
import time
from pathlib import Path
from typing import Any

from pbstore.api.schema import Boolean, Enum, Integer, ListOf, Parameter, String
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.key_options import KEY, MASTER_KEY, chosen_keys
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.cli.proxmox_backup_client.traffic_options import TRAFFIC, traffic_limit
from pbstore.cli.work import run_work
from pbstore.client.backup import BackupJob, TreeOptions, run_backup
from pbstore.client.backup_source import PATTERN, BackupSource, check_sources
from pbstore.client.change_detection import ChangeDetection
from pbstore.client.key_choice import KeyOptions
from pbstore.client.key_in_backup import keys_in_backup
from pbstore.errors import PbstoreError
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.local_time import local_time_text
from pbstore.model.names import SAFE_ID
from pbstore.model.namespace import Namespace

WARNINGS_EXIT_CODE = 1


class BackupWarnings(PbstoreError):
    """The backup is complete, but there were warnings and the caller asked to be told by the exit code."""

    exit_code = WARNINGS_EXIT_CODE


def run(
    console: Console,
    backupspec: list[BackupSource],
    backup_type: str,
    backup_id: str | None,
    backup_time: int | None,
    ns: Namespace | None,
    change_detection_mode: ChangeDetection,
    crypt_mode: CryptMode | None,
    keyfile: Path | None,
    keyfd: int | None,
    master_pubkey_file: Path | None,
    master_pubkey_fd: int | None,
    dry_run: bool,
    no_cache: bool,
    fail_on_warning: bool,
    rate: int | None,
    burst: int | None,
    **options: Any,
) -> None:
    """Make the backup."""
    started = time.time()
    tree = _tree_options(options)
    repository = wanted_repository(console, options)
    namespace = wanted_namespace(console, ns)
    limit = traffic_limit(console, rate, burst)
    check_sources(backupspec)
    host = socket.gethostname()
    group = BackupGroup(BackupType(backup_type), backup_id or host)
    snapshot = Snapshot(group, int(started) if backup_time is None else backup_time)
    console.info(f"Starting backup: {snapshot if namespace.is_root else f'[{namespace}]:{snapshot}'}")
    console.info(f"Client name: {host}")
    console.info(f"Starting backup protocol: {local_time_text(started)}")
    keys = chosen_keys(
        console,
        KeyOptions(
            crypt_mode=crypt_mode,
            keyfile=keyfile,
            keyfd=keyfd,
            master_pubkey_file=master_pubkey_file,
            master_pubkey_fd=master_pubkey_fd,
        ),
        for_backup=True,
    )
    for warning in keys_in_backup(keys, backupspec, tree):
        console.warn(warning)
    server = connect(console, repository, limit)
    job = BackupJob(
        snapshot=snapshot,
        namespace=namespace,
        sources=backupspec,
        keys=keys,
        tree=tree,
        change_detection=change_detection_mode,
        dry_run=dry_run,
        no_cache=no_cache,
    )
    summary = run_work(console, lambda reporter: run_backup(server, job, reporter))
    if dry_run:
        return
    ended = time.time()
    if console.shows_progress:
        console.info(f"Summary: {summary}")
    console.info(f"Duration: {ended - started:.2f}s")
    console.info(f"End Time: {local_time_text(ended)}")
    count = summary.warning_count
    if count:
        console.warn(f"{count} warning{'s' if count > 1 else ''}, see above")
        if fail_on_warning:
            raise BackupWarnings(f"the backup is complete, but with {count} warning{'s' if count > 1 else ''}")


def _tree_options(options: dict[str, Any]) -> TreeOptions:
    chunk_size = options["chunk_size"]
    if chunk_size & (chunk_size - 1):
        raise PbstoreError(f"--chunk-size is {chunk_size}: must be a power of two")
    include_devices = options["include_dev"] or []
    if options["all_file_systems"] and include_devices:
        raise PbstoreError("option 'all-file-systems' conflicts with option 'include-dev'")
    return TreeOptions(
        exclude=options["exclude"] or [],
        include_devices=[_device(path) for path in include_devices],
        all_file_systems=options["all_file_systems"],
        skip_lost_and_found=options["skip_lost_and_found"],
        skip_e2big_xattr=options["skip_e2big_xattr"],
        entries_max=options["entries_max"],
        chunk_size=chunk_size * 1024,
    )


def _device(path: Path) -> int:
    try:
        return path.stat().st_dev
    except OSError as error:
        raise PbstoreError(f"unable to access '{path}' of --include-dev - {error.strerror}") from None


_SPECIFICATIONS = Parameter(
    name="backupspec",
    schema=ListOf(
        description="List of backup source specifications: [<archive-name>.<type>:<source-path>] ... The "
        "'archive-name' must only contain alphanumerics, hyphens and underscores while the 'type' must be either "
        "'pxar', 'img', 'conf' or 'log'.",
        item=String(description="Backup source specification.", pattern=PATTERN, convert=BackupSource.parse),
    ),
)
_TREE = (
    Parameter(
        name="all-file-systems",
        schema=Boolean(description="Include all mounted subdirectories."),
        optional=True,
        default=False,
    ),
    Parameter(
        name="include-dev",
        schema=ListOf(
            description="Include mountpoints with same st_dev number (see ``man fstat``) as specified files.",
            item=String(description="Path.", convert=Path),
        ),
        optional=True,
    ),
    Parameter(
        name="exclude",
        schema=ListOf(
            description="List of paths or patterns for matching files to exclude.",
            item=String(description="Path or match pattern."),
        ),
        optional=True,
    ),
    Parameter(
        name="skip-lost-and-found",
        schema=Boolean(description="Skip lost+found directory."),
        optional=True,
        default=False,
    ),
    Parameter(
        name="skip-e2big-xattr",
        schema=Boolean(
            description="Ignore the E2BIG error when retrieving xattrs. This includes the file, but discards the "
            "metadata."
        ),
        optional=True,
        default=False,
    ),
    Parameter(
        name="entries-max",
        schema=Integer(description="Max number of entries to hold in memory.", minimum=1),
        optional=True,
        default=1024 * 1024,
    ),
    Parameter(
        name="chunk-size",
        schema=Integer(description="Chunk size in KB. Must be a power of 2.", minimum=64, maximum=4096),
        optional=True,
        default=4096,
    ),
    Parameter(
        name="change-detection-mode",
        schema=Enum(
            description="How directories are backed up: 'legacy' as one archive, 'data' with the contents of files "
            "in an archive of their own, 'metadata' like that without reading files that have not changed.",
            values=[mode.value for mode in ChangeDetection],
            convert=ChangeDetection,
        ),
        optional=True,
        default=ChangeDetection.LEGACY,
    ),
)
_SNAPSHOT = (
    Parameter(
        name="backup-type",
        schema=Enum(description="Backup type.", values=("vm", "ct", "host")),
        optional=True,
        default="host",
    ),
    Parameter(
        name="backup-id",
        schema=String(description="Backup ID. Default: host name.", pattern=SAFE_ID.pattern),
        optional=True,
    ),
    Parameter(name="backup-time", schema=Integer(description="Backup time (Unix epoch.)", minimum=1), optional=True),
)
_RUN = (
    Parameter(
        name="dry-run",
        schema=Boolean(description="Just show what backup would do, but do not upload anything."),
        optional=True,
        default=False,
    ),
    Parameter(
        name="no-cache",
        schema=Boolean(description="Bypass local datastore cache for network storages."),
        optional=True,
        default=False,
    ),
    Parameter(
        name="fail-on-warning",
        schema=Boolean(description="Exit with code 1 if there were warnings; the backup is finished all the same."),
        optional=True,
        default=False,
    ),
)

COMMAND = Command(
    description="Create (host) backup.",
    run=run,
    positional=("backupspec",),
    parameters=(_SPECIFICATIONS, *_SNAPSHOT, *_TREE, *_RUN, *KEY, *MASTER_KEY, *TRAFFIC, *REPOSITORY, NAMESPACE),
    examples=(
        Example("backup root.pxar:/", "The root file system, without what is mounted in it"),
        Example(
            "backup root.pxar:/ --exclude /var/cache --include-dev /home", "Leave out a directory, take in a mount"
        ),
        Example("backup disk.img:/dev/vg/vm-100 vm.conf:vm.conf --backup-type vm --backup-id 100", "A disk and a file"),
    ),
)
