"""Calls that start a task on the server and answer with its id."""

from collections.abc import Mapping
from typing import Any

from pbstore.client.server import Server
from pbstore.errors import ProtocolError


def start_task(server: Server, path: str, parameters: Mapping[str, Any]) -> str:
    """POST to `path` and return the id of the task.

    Raises:
        ProtocolError: the answer is none.
        ServerError: the server does not start it.
    """
    upid = server.post(path, parameters)
    if not isinstance(upid, str) or not upid.startswith("UPID:"):
        raise ProtocolError("the server's answer is not the id of a task")
    return upid


def collect_garbage(server: Server) -> str:
    """Start garbage collection of the datastore; the id of the task."""
    return start_task(server, f"{server.datastore_path}/gc", {})
