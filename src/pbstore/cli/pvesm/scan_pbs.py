"""`pvesm scan pbs`: the datastores of a server, before a storage is made of one."""

from typing import Any

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.host_output import OUTPUT_OPTIONS, OutputOptions
from pbstore.cli.host_program import ask_password
from pbstore.cli.table import Column
from pbstore.pve.storage.names import FINGERPRINT, check_server, check_user
from pbstore.pve.storage.scan import scan_backup_server
from pbstore.pve.value_types import Number, Text

COLUMNS = (Column(name="store"), Column(name="comment"))


def run(
    console: Console,
    server: str,
    username: str,
    password: object,
    fingerprint: str | None,
    port: int,
    **options: Any,
) -> None:
    """Print the datastores that the user may see."""
    secret = ask_password(console, password)
    rows = scan_backup_server(server, port, username, secret, fingerprint)
    OutputOptions.of(options).print_rows(console, COLUMNS, rows)


COMMAND = Command(
    description="Scan remote Proxmox Backup Server.",
    run=run,
    positional=("server", "username"),
    prompted=("password",),
    parameters=(
        Parameter(name="server", schema=Text(description="The server address (name or IP).", check=check_server)),
        Parameter(name="username", schema=Text(description="User-name or API token-ID.", check=check_user)),
        Parameter(
            name="password",
            schema=Text(description="User password or API token secret. Asked for when the value is left out."),
        ),
        Parameter(
            name="fingerprint",
            schema=Text(description="Certificate SHA 256 fingerprint.", pattern=FINGERPRINT),
            optional=True,
        ),
        Parameter(
            name="port",
            schema=Number(description="Port of the server.", minimum=1, maximum=65535),
            optional=True,
            default=8007,
        ),
        *OUTPUT_OPTIONS,
    ),
)
