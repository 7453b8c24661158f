"""`pvesm status`: which storages there are, whether they can be used, and how full they are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import STORAGE_COMPLETION, own_storages
from pbstore.cli.pvesm.storage_options import STORAGE
from pbstore.pve.storage.names import check_node
from pbstore.pve.storage.properties import check_content_type
from pbstore.pve.storage.storages import StorageState
from pbstore.pve.value_types import Flag, Text, Words

KIB = 1024


def run(
    console: Console,
    storage: str | None,
    content: tuple[str, ...] | None,
    enabled: bool,
    target: str | None,
    format: bool,
) -> None:
    """Print the table. `format` adds to what the API answers only; the original takes it here too."""
    states = own_storages(console).states(
        storage_id=storage, content=content, only_enabled=bool(enabled), target=target
    )
    for line in table_lines(states):
        console.print(line)


def table_lines(states: Sequence[StorageState]) -> Iterator[str]:
    """The lines of the table; sizes in KiB."""
    width = max((len(state.storage.storage_id) for state in states), default=0) + 1
    titles = ("Type", "Status", "Total (KiB)", "Used (KiB)", "Available (KiB)", "%")
    yield f"{'Name':<{width}} {titles[0]:>10} {titles[1]:>10} {titles[2]:>15} {titles[3]:>15} {titles[4]:>15} " + (
        f"{titles[5]:>8}"
    )
    for state in states:
        usage, name, kind = state.usage, state.storage.storage_id, state.storage.storage_type.name
        sizes = " ".join(f"{size // KIB:>15}" for size in (usage.total, usage.used, usage.available))
        yield f"{name:<{width}} {kind:>10} {_word(state):>10} {sizes} {_share(state)}"


def _word(state: StorageState) -> str:
    if not state.is_enabled:
        return "disabled"
    return "active" if state.is_active else "inactive"


def _share(state: StorageState) -> str:
    if not state.is_enabled:
        return f"{'N/A':>8}"
    total = state.usage.total
    return f"{state.usage.used * 100 / total if total else 0.0:7.2f}%"


COMMAND = Command(
    description="Get status for all datastores.",
    run=run,
    parameters=(
        replace(STORAGE, optional=True),
        Parameter(
            name="content",
            schema=Words(description="Only list stores which support this content type.", check=check_content_type),
            optional=True,
        ),
        Parameter(
            name="enabled",
            schema=Flag(description="Only list stores which are enabled (not disabled in config)."),
            optional=True,
            default=False,
        ),
        Parameter(
            name="target",
            schema=Text(
                description="Only list shared stores whose content is accessible on this node and the target node.",
                check=check_node,
            ),
            optional=True,
        ),
        Parameter(
            name="format",
            schema=Flag(description="Include information about formats."),
            optional=True,
            default=False,
        ),
    ),
    completions=STORAGE_COMPLETION,
)
