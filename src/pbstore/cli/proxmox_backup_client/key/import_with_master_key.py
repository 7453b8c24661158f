"""`key import-with-master-key`: get an encryption key back from the copy that lies with its backups."""

from pathlib import Path

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.printable import debug_quoted
from pbstore.cli.proxmox_backup_client.key.key_path import (
    HINT,
    KDF,
    PATH,
    check_hint,
    new_default_key,
    read_file,
)
from pbstore.cli.proxmox_backup_client.key_options import key_password
from pbstore.format.kdf import KdfName, new_kdf
from pbstore.format.key_file import KeyFile
from pbstore.format.master_key import decrypt_key_file


def run(
    console: Console,
    path: Path | None,
    master_keyfile: Path,
    encrypted_keyfile: Path,
    kdf: KdfName,
    hint: str | None,
) -> None:
    """Open the copy with the private master key and store the key; an explicit path is replaced."""
    check_hint(kdf, hint)
    target = new_default_key(console) if path is None else path
    private_key, sealed = read_file(master_keyfile), read_file(encrypted_keyfile)
    key_file = decrypt_key_file(sealed, private_key, console.ask_password("Master Key Password: "))
    raw_key = key_file.open(lambda: key_password(console))
    password = None if kdf is KdfName.NONE else console.ask_new_password("New Password: ")
    if path is None:
        console.print(f"creating default key at: {debug_quoted(str(target))}")
    imported = KeyFile.create(raw_key, kdf=new_kdf(kdf), password=password, hint=hint, created=key_file.created)
    imported.store(target, replace_existing=path is not None)


COMMAND = Command(
    description="Import an encrypted backup of an encryption key using a (private) master key.",
    run=run,
    positional=("path",),
    parameters=(
        PATH,
        KDF,
        HINT,
        Parameter(
            name="master-keyfile",
            schema=String(description="(Private) master key to use.", convert=Path),
        ),
        Parameter(
            name="encrypted-keyfile",
            schema=String(description="RSA-encrypted keyfile to import.", convert=Path),
        ),
    ),
)
