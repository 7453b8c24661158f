"""`key show`: what is public about a key."""

from pathlib import Path

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT
from pbstore.cli.printable import debug_quoted
from pbstore.cli.proxmox_backup_client.key.key_path import PATH, existing_key
from pbstore.format.kdf import KdfName
from pbstore.format.key_file import KeyFile
from pbstore.model.local_time import local_time_text

NAMES = ("path", "kdf", "created", "modified", "fingerprint", "hint")


def run(console: Console, path: Path | None, output_format: str | None) -> None:
    """Print it; no password is needed."""
    found = existing_key(console, path)
    key_file = KeyFile.load(found)
    fingerprint = key_file.fingerprint
    values = {
        "path": debug_quoted(str(found)),
        "kdf": (KdfName.NONE if key_file.kdf is None else key_file.kdf.name).value,
        "created": key_file.created,
        "modified": key_file.modified,
        "fingerprint": None if fingerprint is None else str(fingerprint),
        "hint": key_file.hint,
    }
    if console.format(output_format) == "text":
        values |= {name: local_time_text(getattr(key_file, name)) for name in ("created", "modified")}
    console.print_object(NAMES, {name: value for name, value in values.items() if value is not None}, output_format)


COMMAND = Command(
    description="Print the encryption key's metadata.", run=run, positional=("path",), parameters=(PATH, OUTPUT_FORMAT)
)
