"""`version`: of the client and, when a repository is named, of the server."""

from typing import Any

import pbstore
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import REPOSITORY, possible_repository

# The release whose commands and protocol this client speaks.
COMPATIBLE_VERSION = "4.2"
COMPATIBLE_RELEASE = "3"


def run(console: Console, output_format: str | None, **options: Any) -> None:
    """Print the versions."""
    own = {"version": COMPATIBLE_VERSION, "release": COMPATIBLE_RELEASE, "repoid": f"pbstore {pbstore.__version__}"}
    repository = possible_repository(console, options)
    server = None if repository is None else connect(console, repository).version()
    chosen = console.format(output_format)
    if chosen != "text":
        console.print(json_text({"client": own} | ({} if server is None else {"server": server}), chosen))
        return
    console.print(f"client version: {own['version']}.{own['release']} ({own['repoid']})")
    if server is not None:
        console.print(f"server version: {server.get('version')}.{server.get('release')}")


COMMAND = Command(
    description="Show client and optional server version.", run=run, parameters=(*REPOSITORY, OUTPUT_FORMAT)
)
