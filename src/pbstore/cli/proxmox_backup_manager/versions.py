"""`versions`: what runs here."""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from re import match

import pbstore
from pbstore.api.schema import Boolean, Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.output_format import OUTPUT_FORMAT, json_text
from pbstore.cli.table import Column
from pbstore.server.methods.version import COMPATIBLE_RELEASE, COMPATIBLE_VERSION

COLUMNS = (Column(name="Package"), Column(name="Version"), Column(name="ExtraInfo"))
PACKAGE = "proxmox-backup-server"
_UNKNOWN = ("Arch", "Description", "Origin", "Priority", "Section", "Title")


def run(console: Console, verbose: bool, output_format: str | None) -> None:
    """Print the release that is spoken here, on request with what it is made of."""
    release = f"{COMPATIBLE_VERSION}.{COMPATIBLE_RELEASE}"
    rows = [_row(PACKAGE, f"{release}-pbstore{pbstore.__version__}", f"running version: {release}")]
    if verbose:
        rows += [
            _row("linux", platform.release(), "running kernel"),
            _row("python3", platform.python_version()),
            *(_row(name, found) for name, found in _libraries()),
        ]
    chosen = console.format(output_format)
    if chosen == "text":
        console.print_plain_columns(COLUMNS, rows)
    else:
        console.print(json_text(rows, chosen))


def _row(package: str, found: str, extra: str = "") -> dict[str, str]:
    """One package with the keys that the original's list has."""
    return {"Package": package, "Version": found, "ExtraInfo": extra, **dict.fromkeys(_UNKNOWN, "unknown")}


def _libraries() -> Iterator[tuple[str, str]]:
    """The libraries that an installed package asks for, in alphabetical order; none are known without one."""
    try:
        needed = requires("pbstore") or []
    except PackageNotFoundError:
        return
    for name in sorted(found[0] for line in needed if (found := match(r"[\w.-]+", line))):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "not installed"


VERSIONS = Command(
    description="List package versions for important Proxmox Backup Server packages.",
    run=run,
    parameters=(
        Parameter(
            name="verbose",
            schema=Boolean(description="Also list the system and the libraries."),
            optional=True,
            default=False,
        ),
        OUTPUT_FORMAT,
    ),
)
