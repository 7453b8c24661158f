"""`key change-passphrase`: protect a key with another password, or with none."""

from pathlib import Path

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.printable import debug_quoted
from pbstore.cli.prompt import NoTerminalError
from pbstore.cli.proxmox_backup_client.key.key_path import (
    HINT,
    KDF,
    PATH,
    check_hint,
    existing_key,
)
from pbstore.cli.proxmox_backup_client.key_options import key_password
from pbstore.format.kdf import KdfName, new_kdf
from pbstore.format.key_file import KeyFile


def run(console: Console, path: Path | None, kdf: KdfName, hint: str | None) -> None:
    """Ask for the old and the new password and replace the file; the time of creation stays."""
    check_hint(kdf, hint)
    found = existing_key(console, path)
    if path is None:
        console.print(f"updating default key at: {debug_quoted(str(found))}")
    if not console.is_interactive:
        raise NoTerminalError("unable to change passphrase - no tty")
    old = KeyFile.load(found)
    raw_key = old.open(lambda: key_password(console))
    password = None if kdf is KdfName.NONE else console.ask_new_password("New Password: ")
    new = KeyFile.create(raw_key, kdf=new_kdf(kdf), password=password, hint=hint, created=old.created)
    new.store(found, replace_existing=True)


COMMAND = Command(
    description="Change the encryption key's password.", run=run, positional=("path",), parameters=(PATH, KDF, HINT)
)
