"""`inspect file`: what a blob or an index is."""

from pathlib import Path
from typing import Any

from pbstore.api.schema import Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_debug.key_option import KEYFILE, given_key
from pbstore.cli.proxmox_backup_debug.output_target import output_target, write_output
from pbstore.datastore.inspection import BlobFacts, IndexFacts, inspect_file
from pbstore.errors import PbstoreError
from pbstore.model.local_time import local_time_text


def run(console: Console, file: Path, decode: str | None, keyfile: Path | None, output_format: str | None) -> None:
    """Print the facts, after writing the content of the blob if it is asked for."""
    chosen = console.format(output_format)
    facts = inspect_file(file)
    if isinstance(facts, BlobFacts):
        if facts.damage is not None:
            console.warn(f"WARN: {facts.damage}")
        if decode is not None:
            data = facts.decode(given_key(console, keyfile))
            write_output(output_target(decode), data)
    elif decode is not None:
        raise PbstoreError("only a blob can be decoded: 'recover index' puts together what an index lists")
    if chosen == "text":
        console.write(_text(facts))
    else:
        console.print(json_text(_wire(facts), chosen))


def _text(facts: BlobFacts | IndexFacts) -> str:
    lines = [f"size: {facts.size}"]
    if isinstance(facts, BlobFacts):
        lines.append(f"encryption: {facts.encryption}")
    else:
        lines += [f"creation time: {local_time_text(facts.created)}", "chunks:"]
        lines += [f'  "{digest.hex()}"' for digest in facts.digests]
    return "".join(f"{line}\n" for line in lines)


def _wire(facts: BlobFacts | IndexFacts) -> dict[str, Any]:
    if isinstance(facts, BlobFacts):
        return {"size": facts.size, "encryption": facts.encryption}
    digests = [digest.hex() for digest in facts.digests]
    return {"size": facts.size, "ctime": local_time_text(facts.created), "chunk-digests": digests}


INSPECT_FILE = Command(
    description="Show what a blob or an index file is.",
    run=run,
    positional=("file",),
    parameters=(
        Parameter(
            name="file",
            schema=String(description="Path to the blob or index file.", minimum_length=1, convert=Path),
        ),
        Parameter(
            name="decode",
            schema=String(
                description="Write the data of the blob to this new file; '-' is standard output.",
                minimum_length=1,
            ),
            optional=True,
        ),
        KEYFILE,
        OUTPUT_FORMAT,
    ),
)
