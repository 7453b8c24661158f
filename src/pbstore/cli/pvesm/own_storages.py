"""The storages of this host, as the environment says where they are configured."""

from pathlib import Path

from pbstore.cli.console import Console
from pbstore.cli.printable import printable_lines
from pbstore.config.host_name import node_name
from pbstore.config.roots import Roots
from pbstore.errors import FormatError
from pbstore.pve.host import Host
from pbstore.pve.storage.names import check_node
from pbstore.pve.storage.storages import Storages


def own_host(console: Console) -> Host:
    """This node: below `PBSTORE_ROOT`, with the cluster's files in `PBSTORE_PVE_DIR`, called `PBSTORE_NODE`.

    Raises:
        FormatError: a name that no node can have.
    """
    root, pve = console.environment.get("PBSTORE_ROOT") or "/", console.environment.get("PBSTORE_PVE_DIR")
    node = console.environment.get("PBSTORE_NODE") or node_name()
    try:
        check_node(node)
    except FormatError as error:
        raise FormatError(f"node name '{node}': {error}; set PBSTORE_NODE to another one") from None
    return Host(Roots.below(Path(root), pve=Path(pve).absolute() if pve else None), node)


def own_storages(console: Console) -> Storages:
    """What can be done on this host; warnings go to stderr, lines of work to stdout.

    Raises:
        FormatError: the node has no proper name.
    """
    return Storages(own_host(console), warn=console.warn, log=lambda text: console.print(printable_lines(text)))


def complete_storages(console: Console, raw: object) -> list[str]:
    """The ids of all storages."""
    return list(Storages(own_host(console), warn=lambda text: None, log=lambda text: None).load().storages)


STORAGE_COMPLETION = {"storage": complete_storages}
