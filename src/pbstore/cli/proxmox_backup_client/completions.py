"""Values that completion asks the server for; it stays silent when that takes a question or fails."""

from collections.abc import Callable, Sequence

from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.connect import connect, repository_history
from pbstore.cli.proxmox_backup_client.repository_options import wanted_repository
from pbstore.client.answers import rows_of, text_of
from pbstore.client.server import Server, group_or_snapshot
from pbstore.errors import PbstoreError
from pbstore.model.archive_name import archive_name
from pbstore.model.namespace import Namespace


def _from_server(
    console: Console, raw: dict[str, object], ask: Callable[[Server, Namespace], Sequence[str]]
) -> Sequence[str]:
    quiet = Console({**console.environment, "PBS_LOG": "off"}, may_ask=False)
    try:
        options = {name.replace("-", "_"): value for name, value in raw.items()}
        server = connect(quiet, wanted_repository(quiet, options))
        named = str(raw["ns"]) if "ns" in raw else quiet.environment.get("PBS_NAMESPACE", "")
        return ask(server, Namespace.parse(named))
    except (PbstoreError, OSError):
        return ()
    finally:
        quiet.end()


def complete_repositories(console: Console, raw: dict[str, object]) -> Sequence[str]:
    """The repositories that were used before."""
    try:
        return repository_history(console).names()
    except OSError:
        return ()


def complete_namespaces(console: Console, raw: dict[str, object]) -> Sequence[str]:
    """All namespaces of the datastore but the root."""

    def names(server: Server, _: Namespace) -> list[str]:
        return [name for item in server.namespaces(Namespace(), None) if (name := text_of(item, "ns"))]

    return _from_server(console, {**raw, "ns": ""}, names)


def complete_tasks(console: Console, raw: dict[str, object]) -> Sequence[str]:
    """The tasks that the server lists first: those that run, and the last ones."""
    path = "nodes/localhost/tasks"
    return _from_server(console, raw, lambda server, _: [text_of(task, "upid") for task in rows_of(server.get(path))])


def complete_groups(console: Console, raw: dict[str, object]) -> Sequence[str]:
    """All groups of the namespace."""
    return _from_server(console, raw, lambda server, ns: [str(item.group) for item in server.groups(ns)])


def complete_snapshots(console: Console, raw: dict[str, object]) -> Sequence[str]:
    """All snapshots of the namespace."""
    return _from_server(console, raw, lambda server, ns: [str(item.snapshot) for item in server.snapshots(ns)])


def complete_groups_and_snapshots(console: Console, raw: dict[str, object]) -> Sequence[str]:
    """All groups and snapshots of the namespace."""
    return [*complete_groups(console, raw), *complete_snapshots(console, raw)]


def complete_archives(console: Console, raw: dict[str, object]) -> Sequence[str]:
    """The archives of the snapshot that was typed before."""

    def archives(server: Server, ns: Namespace) -> list[str]:
        snapshot = server.resolve(ns, group_or_snapshot(str(raw.get("snapshot", ""))))
        return [archive_name(item.filename) for item in server.files(ns, snapshot)]

    return _from_server(console, raw, archives)
