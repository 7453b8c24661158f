"""`status`: how full the datastore is."""

from collections.abc import Mapping
from typing import Any

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.repository_options import REPOSITORY, wanted_repository
from pbstore.cli.table import Column
from pbstore.client.answers import number_of

COLUMNS = (Column(name="name"), Column(name="value", right=True))


def run(console: Console, output_format: str | None, **options: Any) -> None:
    """Print total, used and available bytes."""
    status = connect(console, wanted_repository(console, options)).status()
    chosen = console.format(output_format)
    if chosen != "text":
        console.print(json_text(status, chosen))
        return
    console.print_headless_table(COLUMNS, table_rows(status))


def table_rows(status: Mapping[str, Any]) -> list[dict[str, str]]:
    """Rows of the table."""
    total = number_of(status, "total")
    return [{"name": name, "value": _share(number_of(status, name), total)} for name in ("total", "used", "avail")]


def _share(size_bytes: int, total_bytes: int) -> str:
    percent = round(size_bytes * 100 / total_bytes) if total_bytes else 0
    return f"{size_bytes} {f'({percent} %)':>8}"


COMMAND = Command(description="Get repository status.", run=run, parameters=(*REPOSITORY, OUTPUT_FORMAT))
