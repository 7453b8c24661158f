"""`key paperkey`: a printable copy of an encryption key or of a private master key, with QR codes (keys.md 7)."""

from pathlib import Path

from pbstore.api.schema import Enum, Parameter, String
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.key.key_path import PATH, existing_key, read_file
from pbstore.format.paper_key import PaperKey


def run(console: Console, path: Path | None, subject: str | None, output_format: str) -> None:
    """Print it to standard output."""
    paper_key = PaperKey.parse(read_file(existing_key(console, path)))
    console.write(paper_key.html(subject) if output_format == "html" else paper_key.text(subject))


COMMAND = Command(
    description="Generate a printable, human readable text file containing the encryption key.",
    run=run,
    positional=("path",),
    parameters=(
        PATH,
        Parameter(
            name="subject",
            schema=String(description="Include the specified subject as title text.", pattern=r"[^\x00-\x1f\x7f]*"),
            optional=True,
        ),
        Parameter(
            name="output-format",
            schema=Enum(description="Paperkey output format.", values=("text", "html")),
            optional=True,
            default="html",
        ),
    ),
    examples=(Example("key paperkey --subject web > key.html", "A page to print and to lock away"),),
)
