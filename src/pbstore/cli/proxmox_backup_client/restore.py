"""`restore`: one archive of a snapshot, to a file, a directory or standard output."""

import sys
from pathlib import Path
from typing import Any

from pbstore.api.schema import Boolean, ListOf, Parameter, String
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.progress_display import RESTORE_LINES
from pbstore.cli.proxmox_backup_client.completions import complete_archives, complete_groups_and_snapshots
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.key_options import KEY, chosen_keys
from pbstore.cli.proxmox_backup_client.repository_options import (
    NAMESPACE,
    REPOSITORY,
    wanted_namespace,
    wanted_repository,
)
from pbstore.cli.proxmox_backup_client.traffic_options import TRAFFIC, traffic_limit
from pbstore.cli.work import run_work
from pbstore.client.key_choice import KeyOptions
from pbstore.client.restore import RestoreJob, UnpackOptions, run_restore
from pbstore.client.restore_check import RestoreCheck, run_restore_check
from pbstore.client.restore_target import RestoreTarget
from pbstore.client.server import group_or_snapshot
from pbstore.model.archive_name import server_file_name
from pbstore.model.backup import BackupGroup, Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.namespace import Namespace


def run(
    console: Console,
    snapshot: BackupGroup | Snapshot,
    archive_name: str | None,
    target: str | None,
    ns: Namespace | None,
    crypt_mode: CryptMode | None,
    keyfile: Path | None,
    keyfd: int | None,
    pattern: list[str] | None,
    prelude_target: Path | None,
    verify_only: bool,
    rate: int | None,
    burst: int | None,
    **options: Any,
) -> None:
    """Restore the archive, or check that it could be."""
    repository = wanted_repository(console, options)
    namespace = wanted_namespace(console, ns)
    key_options = KeyOptions(crypt_mode=crypt_mode, keyfile=keyfile, keyfd=keyfd)
    keys = chosen_keys(console, key_options, for_backup=False)
    server = connect(console, repository, traffic_limit(console, rate, burst))
    named = server.resolve(namespace, snapshot, console.info)
    must_be_signed = crypt_mode in (CryptMode.ENCRYPT, CryptMode.SIGN_ONLY)
    if verify_only or archive_name is None or target is None:
        check = RestoreCheck(
            snapshot=named, namespace=namespace, file_name=archive_name, keys=keys, must_be_signed=must_be_signed
        )
        run_work(console, lambda reporter: run_restore_check(server, check, reporter), RESTORE_LINES)
        return
    job = RestoreJob(
        snapshot=named,
        namespace=namespace,
        file_name=archive_name,
        target=_target(target, overwrite=options["overwrite"]),
        keys=keys,
        unpack=_unpack_options(options, pattern or []),
        prelude_target=None if prelude_target is None else RestoreTarget(path=prelude_target),
        must_be_signed=must_be_signed,
    )
    run_work(console, lambda reporter: run_restore(server, job, reporter), RESTORE_LINES)


def _unpack_options(options: dict[str, Any], patterns: list[str]) -> UnpackOptions:
    flags = {parameter.python_name: options[parameter.python_name] for parameter in _UNPACK}
    return UnpackOptions(ignore_device_errors=flags.pop("ignore_extract_device_errors"), patterns=patterns, **flags)


def _target(target: str, *, overwrite: bool) -> RestoreTarget:
    if target == "-":
        sys.stdout.flush()
        return RestoreTarget(descriptor=sys.stdout.fileno())
    return RestoreTarget(path=Path(target), overwrite=overwrite)


def _flag(name: str, description: str) -> Parameter:
    return Parameter(name=name, schema=Boolean(description=description), optional=True, default=False)


_UNPACK = (
    _flag("allow-existing-dirs", "Do not fail if directories already exists."),
    _flag("overwrite", "Overwrite already existing files, links and image files."),
    _flag("overwrite-files", "Overwrite already existing files."),
    _flag("overwrite-symlinks", "Overwrite already existing entries by archives symlink."),
    _flag("overwrite-hardlinks", "Overwrite already existing entries by archives hardlink."),
    _flag("ignore-acls", "Ignore ACL settings."),
    _flag("ignore-xattrs", "Ignore extended attributes."),
    _flag("ignore-ownership", "Ignore owner and group settings (no chown)."),
    _flag("ignore-permissions", "Ignore permissions (no chmod)."),
    _flag("ignore-extract-device-errors", "Ignore errors that occur during device node extraction."),
)

COMMAND = Command(
    description="Restore backup repository.",
    run=run,
    positional=("snapshot", "archive-name", "target"),
    needless_with={"archive-name": "verify-only", "target": "verify-only"},
    parameters=(
        Parameter(
            name="snapshot",
            schema=String(description="Group/Snapshot path.", convert=group_or_snapshot),
        ),
        Parameter(
            name="archive-name",
            schema=String(description="Backup archive name.", convert=server_file_name),
            optional=True,
        ),
        Parameter(
            name="target",
            schema=String(
                description="Target directory or file. '-' writes to standard output, where '.pxar' archives are not "
                "unpacked.",
                minimum_length=1,
            ),
            optional=True,
        ),
        *_UNPACK,
        Parameter(
            name="pattern",
            schema=ListOf(
                description="List of paths or patterns for matching files to restore.",
                item=String(description="Path or match pattern."),
            ),
            optional=True,
        ),
        Parameter(
            name="prelude-target",
            schema=String(description="Path to the file where the prelude of a split archive is stored.", convert=Path),
            optional=True,
        ),
        _flag(
            "verify-only",
            "Write nothing, but read, decrypt and check all that the restore would. Without an archive name all "
            "archives of the snapshot are checked, and no target is needed. The exit code is 255 if any is damaged.",
        ),
        *KEY,
        *TRAFFIC,
        *REPOSITORY,
        NAMESPACE,
    ),
    completions={"snapshot": complete_groups_and_snapshots, "archive-name": complete_archives},
    examples=(
        Example("restore host/web root.pxar /tmp/web", "The newest snapshot of a group, into a new directory"),
        Example("restore host/web/2026-06-01T08:00:00Z root.pxar /tmp/etc --pattern /etc", "A part of one snapshot"),
        Example("restore vm/100 drive-scsi0.img /dev/vg/vm-100", "An image, onto a block device"),
        Example("restore vm/100 qemu-server.conf -", "To standard output"),
    ),
)
