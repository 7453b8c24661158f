"""`benchmark`: what this machine and its connection to the server can do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pbstore.api.schema import Boolean, Parameter
from pbstore.cli.command import Command, Example
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.proxmox_backup_client.connect import connect
from pbstore.cli.proxmox_backup_client.key_options import KEYFILE, chosen_keys
from pbstore.cli.proxmox_backup_client.repository_options import REPOSITORY, possible_repository
from pbstore.cli.work import WorkReporter, run_work
from pbstore.client.benchmark import measure_upload, measure_work
from pbstore.client.key_choice import KeyOptions

ROWS = {
    "tls": "TLS (maximal backup upload speed)",
    "sha256": "SHA256 checksum computation speed",
    "compress": "ZStd level 1 compression speed",
    "decompress": "ZStd level 1 decompression speed",
    "verify": "Chunk verification speed",
    "aes256_gcm": "AES256 GCM encryption speed",
}
LABELS = {
    "sha256": "SHA256",
    "compress": "Compression",
    "decompress": "Decompress",
    "aes256_gcm": "AES256/GCM",
    "verify": "Verify",
}
# What a desktop processor of 2018 (Ryzen 7 2700X) does, in bytes a second, TLS to a server on the same machine.
REFERENCE = {
    "tls": 1_230_000_000,
    "sha256": 2_022_000_000,
    "compress": 752_000_000,
    "decompress": 1_198_000_000,
    "aes256_gcm": 3_645_000_000,
    "verify": 758_000_000,
}


def run(console: Console, keyfile: Path | None, no_cache: bool, output_format: str | None, **options: Any) -> None:
    """Measure; the connection only if a repository is named."""
    chosen = console.format(output_format)
    key = None if keyfile is None else chosen_keys(console, KeyOptions(keyfile=keyfile), for_backup=False).key
    repository = possible_repository(console, options)
    server = None if repository is None else connect(console, repository)
    speeds: dict[str, float] = {}
    if server is not None:

        def upload(reporter: WorkReporter) -> float:
            speed = measure_upload(server, reporter, no_cache=no_cache)
            console.info(f"Uploaded {speed.chunk_count} chunks in {speed.seconds:.0f} seconds.")
            if speed.chunk_count:
                console.info(f"Time per request: {speed.seconds * 1e6 / speed.chunk_count:.0f} microseconds.")
            console.info(f"TLS speed: {speed.bytes_per_second / 1e6:.2f} MB/s")
            return speed.bytes_per_second

        speeds["tls"] = run_work(console, upload)
    speeds |= run_work(console, lambda _: measure_work(key))
    for name, label in LABELS.items():
        console.info(f"{label} speed: {speeds[name] / 1e6:.2f} MB/s")
    if chosen == "text":
        console.print_object(tuple(ROWS.values()), table_values(speeds), chosen)
    else:
        result = {name: {"speed": speeds.get(name), "top": REFERENCE[name]} for name in REFERENCE}
        console.print(json_text(result, chosen))


def table_values(speeds: Mapping[str, float]) -> dict[str, str]:
    """What stands in the table, by the name of the row."""
    return {title: _value(speeds.get(name), REFERENCE[name]) for name, title in ROWS.items()}


def _value(speed: float | None, reference: float) -> str:
    if speed is None:
        return "not tested"
    return f"{speed / 1e6:.2f} MB/s ({speed * 100 / reference:.0f}%)"


BENCHMARK = Command(
    description="Run benchmark tests.",
    run=run,
    parameters=(
        KEYFILE,
        Parameter(
            name="no-cache",
            schema=Boolean(description="Bypass local datastore cache for network storages."),
            optional=True,
            default=False,
        ),
        *REPOSITORY,
        OUTPUT_FORMAT,
    ),
    examples=(
        Example("benchmark", "This machine alone, or with its connection if a repository is set"),
        Example(
            "benchmark --repository backup@pbs@server:store", "Percentages compare with a desktop processor of 2018"
        ),
    ),
)
