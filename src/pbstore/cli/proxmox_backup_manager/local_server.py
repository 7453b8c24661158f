"""The running server that commands about tasks talk to."""

from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.client.local_server import LocalServer


def local_server(console: Console) -> LocalServer:
    """The server on the directories that the environment names; whether one runs shows at the first call."""
    return LocalServer(manager_roots(console).control_socket)
