"""`inspect chunk`: what a chunk file is, and which indexes list it."""

from pathlib import Path
from typing import Any

from pbstore.api.schema import Boolean, Parameter, String
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.printable import debug_quoted
from pbstore.cli.proxmox_backup_debug.key_option import KEYFILE, given_key
from pbstore.cli.proxmox_backup_debug.output_target import output_target, write_output
from pbstore.datastore.inspection import BlobFacts, digest_of_name, indexes_with_chunk, inspect_blob
from pbstore.errors import PbstoreError


def run(
    console: Console,
    chunk: Path,
    digest: bytes | None,
    decode: str | None,
    keyfile: Path | None,
    reference_filter: Path | None,
    use_filename_as_digest: bool,
    output_format: str | None,
) -> None:
    """Print the facts, after writing the data if it is asked for."""
    chosen = console.format(output_format)
    facts = inspect_blob(chunk)
    if digest is None and use_filename_as_digest:
        digest = digest_of_name(chunk)
    if facts.damage is not None:
        console.warn(f"WARN: {facts.damage}")
    referenced_by = None if reference_filter is None else _references(console, reference_filter, digest)
    if decode is not None:
        data = facts.decode(given_key(console, keyfile), digest)
        write_output(output_target(decode), data)
    if chosen == "text":
        console.write(_text(facts, referenced_by))
    else:
        console.print(json_text(_wire(facts, referenced_by), chosen))


def _references(console: Console, directory: Path, digest: bytes | None) -> list[str]:
    if digest is None:
        raise PbstoreError(
            "--reference-filter needs the digest of the chunk, and its name is none: give it by --digest"
        )
    return [str(path) for path in indexes_with_chunk(directory, digest, lambda text: console.warn(f"WARN: {text}"))]


def _crc_text(facts: BlobFacts) -> str:
    return f"{facts.crc}({'OK' if facts.damage is None else 'NOT OK'})"


def _text(facts: BlobFacts, referenced_by: list[str] | None) -> str:
    lines = [
        f'CRC: "{_crc_text(facts)}"',
        f'encryption: "{facts.encryption}"',
        f"is-compressed: {str(facts.is_compressed).lower()}",
        f"size: {facts.size}",
    ]
    if referenced_by is not None:
        lines += ["referenced by:", *(f"  {debug_quoted(path)}" for path in referenced_by)]
    return "".join(f"{line}\n" for line in lines)


def _wire(facts: BlobFacts, referenced_by: list[str] | None) -> dict[str, Any]:
    wire = {
        "crc": _crc_text(facts),
        "encryption": facts.encryption,
        "is-compressed": facts.is_compressed,
        "size": facts.size,
    }
    return wire if referenced_by is None else {**wire, "referenced-by": referenced_by}


INSPECT_CHUNK = Command(
    description="Show what a chunk file is.",
    run=run,
    positional=("chunk",),
    parameters=(
        Parameter(name="chunk", schema=String(description="The chunk file.", minimum_length=1, convert=Path)),
        Parameter(
            name="digest",
            schema=String(
                description="Digest of the chunk: what --reference-filter looks for, and what decoded data must have.",
                pattern="[0-9a-f]{64}",
                convert=bytes.fromhex,
            ),
            optional=True,
        ),
        Parameter(
            name="decode",
            schema=String(
                description="Write the data of the chunk to this new file; '-' is standard output.",
                minimum_length=1,
            ),
            optional=True,
        ),
        KEYFILE,
        Parameter(
            name="reference-filter",
            schema=String(
                description="List the index files below this directory that refer to the chunk.",
                minimum_length=1,
                convert=Path,
            ),
            optional=True,
        ),
        Parameter(
            name="use-filename-as-digest",
            schema=Boolean(description="Take the name of the file for the digest, unless --digest is given."),
            optional=True,
            default=True,
        ),
        OUTPUT_FORMAT,
    ),
)
