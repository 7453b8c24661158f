"""`key create`: a new random encryption key."""

import secrets
from pathlib import Path

from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.printable import debug_quoted
from pbstore.cli.proxmox_backup_client.key.key_path import HINT, KDF, PATH, check_hint, new_default_key
from pbstore.format.kdf import KdfName, new_kdf
from pbstore.format.key_file import KEY_BYTES, KeyFile


def run(console: Console, path: Path | None, kdf: KdfName, hint: str | None) -> None:
    """Make the key and store it in a file that is not there yet."""
    check_hint(kdf, hint)
    if path is None:
        path = new_default_key(console)
        console.print(f"creating default key at: {debug_quoted(str(path))}")
    password = None if kdf is KdfName.NONE else console.ask_new_password("Encryption Key Password: ")
    KeyFile.create(secrets.token_bytes(KEY_BYTES), kdf=new_kdf(kdf), password=password, hint=hint).store(path)


COMMAND = Command(
    description="Create a new encryption key.",
    run=run,
    positional=("path",),
    parameters=(PATH, KDF, HINT),
    examples=(
        Example("key create", "The default key, used by all backups from then on; print it: key paperkey"),
        Example("key create storage.json --kdf none", "A key without password, for backups that nobody watches"),
    ),
)
