"""`versions`: what runs here."""

import pbstore
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text


def run(console: Console, output_format: str | None) -> None:
    """Print package and version."""
    chosen = console.format(output_format)
    if chosen == "text":
        console.print(f"pbstore {pbstore.__version__}")
    else:
        console.print(json_text([{"Package": "pbstore", "Version": pbstore.__version__}], chosen))


VERSIONS = Command(description="List package versions.", run=run, parameters=(OUTPUT_FORMAT,))
