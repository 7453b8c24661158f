"""`key show-master-pubkey`: modulus, exponent and length of a master public key."""

from pathlib import Path

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.proxmox_backup_client.key.key_path import existing_master_key, read_file
from pbstore.format.master_key import load_public_key


def run(console: Console, path: Path | None, output_format: str | None) -> None:
    """Print them."""
    found = existing_master_key(console, path)
    key = load_public_key(read_file(found))
    numbers = key.public_numbers()
    values = {
        "path": str(found.resolve()),
        "modulus": f"{numbers.n:X}",
        "exponent": str(numbers.e),
        "length": key.key_size,
    }
    console.print_object(tuple(values), values, output_format)


COMMAND = Command(
    description="List information about master key.",
    run=run,
    positional=("path",),
    parameters=(
        Parameter(
            name="path",
            schema=String(
                description="Path to the PEM formatted RSA public key. Default: location of the imported one.",
                convert=Path,
            ),
            optional=True,
        ),
        OUTPUT_FORMAT,
    ),
)
