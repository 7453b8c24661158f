"""The server that runs on this machine, by its control socket: no address, no password, the rights of root@pam."""

import http.client
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pbstore.client.answers import data_of, envelope_of
from pbstore.errors import ConnectionFailedError

TIMEOUT_SECONDS = 600.0
"""A call may wait for locks and for a slow disk."""


class LocalServer:
    """Every call raises ServerError, ConnectionFailedError or ProtocolError."""

    def __init__(self, socket_path: Path):
        self._socket_path = socket_path

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """GET `path` below `/api2/json/`; the `data` of the answer."""
        return data_of(*self._request("GET", path, parameters))

    def get_envelope(self, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """GET `path`; the whole answer, of which `data` is one member."""
        return envelope_of(*self._request("GET", path, parameters))

    def post(self, path: str, parameters: Mapping[str, Any]) -> Any:
        """POST parameters; the `data` of the answer."""
        return data_of(*self._request("POST", path, parameters))

    def delete(self, path: str) -> Any:
        """DELETE `path`; the `data` of the answer."""
        return data_of(*self._request("DELETE", path, None))

    def _request(self, method: str, path: str, parameters: Mapping[str, Any] | None) -> tuple[int, bytes]:
        encoded = urlencode({name: _text(value) for name, value in (parameters or {}).items()}, doseq=True)
        in_query = f"?{encoded}" if encoded and method != "POST" else ""
        body = encoded.encode() if method == "POST" else None
        connection = _UnixConnection(self._socket_path)
        try:
            connection.request(method, f"/api2/json/{path}{in_query}", body)
            response = connection.getresponse()
            return response.status, response.read()
        except (FileNotFoundError, ConnectionRefusedError):
            raise ConnectionFailedError(
                f"no server is running on {self._socket_path.parent}: start it with 'pbstore serve'"
            ) from None
        except PermissionError:
            raise ConnectionFailedError(
                f"not allowed to use {self._socket_path}: be root, or the user that the server runs as"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionFailedError(f"the server on {self._socket_path.parent} does not answer: {error}") from error
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path):
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect by the directory's descriptor: the address of a socket holds a hundred bytes only."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        directory = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sock.connect(f"/proc/self/fd/{directory}/{self._path.name}")
        finally:
            os.close(directory)


def _text(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value
