"""`server-identity`: which server this is, whatever its address."""

from typing import Any

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.printable import printable
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import REPOSITORY, wanted_repository


def run(console: Console, output_format: str | None, **options: Any) -> None:
    """Print the id of the server's installation."""
    identity = connect(console, wanted_repository(console, options)).server_identity()
    chosen = console.format(output_format)
    if chosen == "text":
        console.print(f"pbs-instance-id: {printable(identity)}")
    else:
        console.print(json_text({"pbs-instance-id": identity}, chosen))


COMMAND = Command(
    description="Show the identity of the backup server.", run=run, parameters=(*REPOSITORY, OUTPUT_FORMAT)
)
