"""`key import-master-pubkey`: make a master public key the default one."""

from pathlib import Path

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.printable import debug_quoted
from pbstore.cli.proxmox_backup_client.key.key_path import default_master_key, read_file
from pbstore.client.replace_file import replace_file
from pbstore.format.master_key import load_public_key


def run(console: Console, path: Path) -> None:
    """Check that it is an RSA public key, and copy the file."""
    data = read_file(path)
    key = load_public_key(data)
    console.print(f"Path: {debug_quoted(str(path))}")
    numbers = key.public_numbers()
    console.print(f"Modulus: {numbers.n:X}")
    console.print(f"Exponent: {numbers.e}")
    console.print(f"Length: {key.key_size}")
    target = default_master_key(console)
    replace_file(target, data, mode=0o644)
    console.print(f"Imported public master key to {debug_quoted(str(target))}")


COMMAND = Command(
    description="Import an RSA public key used to put an encrypted version of the symmetric backup encryption key "
    "onto the backup server along with each backup.",
    run=run,
    positional=("path",),
    parameters=(
        Parameter(name="path", schema=String(description="Path to the PEM formatted RSA public key.", convert=Path)),
    ),
)
