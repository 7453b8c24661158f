"""A real `pbstore serve` in a process of its own, everything below one directory, and a plain HTTPS client for it."""

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

from pbstore.config.acl_cfg import AclFile
from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.roots import Roots
from pbstore.config.shadow import ShadowFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import TokenConfig, UserConfig, UserFile
from pbstore.datastore.creation import create_datastore
from pbstore.model.auth_id import AuthId

_READY = re.compile(r"https://(?P<host>\S+):(?P<port>\d+)/ .*?(?P<fingerprint>[0-9a-f]{2}(?::[0-9a-f]{2}){31})")


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def data(self) -> Any:
        """`data` of the JSON body."""
        return json.loads(self.body)["data"]


class RunningServer:
    """The server; `root` is its PBSTORE_ROOT. Configuration is written as the manager does it, to its files.

    `wrapper` is a command line that becomes the server's process itself, such as one that records its system calls;
    `environment` is what the process gets besides this one's.
    """

    def __init__(self, root: Path, wrapper: Sequence[str] = (), environment: Mapping[str, str] | None = None):
        self.root = root
        self._wrapper = wrapper
        self._environment = environment or {}
        self.roots = Roots.below(root)
        self.roots.prepare()
        self._process: subprocess.Popen[str] | None = None
        self.log = root / "serve.log"
        self.port = 0
        self.fingerprint = ""

    # The process

    def start(self, *options: str) -> None:
        """Start it on a free port of loopback and wait until it is ready."""
        process = self.spawn("--listen", f"127.0.0.1:{self.port}", *options)
        assert process.stdout is not None
        line = process.stdout.readline()
        match = _READY.search(line)
        if match is None:
            process.kill()
            process.communicate()
            raise AssertionError(f"the server is not ready: {line!r} {self.log.read_text()!r}")
        self.port = int(match["port"])
        self.fingerprint = match["fingerprint"]
        self._process = process

    def spawn(self, *options: str) -> "subprocess.Popen[str]":
        """Start `pbstore serve` without waiting for anything; what it says of itself is appended to `log`."""
        with self.log.open("ab") as log:
            return self._popen(log, options)

    def _popen(self, log: IO[bytes], options: tuple[str, ...]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*self._wrapper, sys.executable, "-m", "pbstore.cli.pbstore", "serve", *options],
            env={
                **os.environ,
                **self._environment,
                "PBSTORE_ROOT": str(self.root),
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end of a server that was told to end; its exit code."""
        assert self._process is not None
        self._process.communicate(timeout=30)
        code = self._process.returncode
        self._process = None
        return code

    # Its configuration

    def create_user(
        self, userid: str, password: str | None = None, *, enable: bool | None = None, expire: int = 0
    ) -> None:
        """Make a user of the realm pbs."""
        auth_id = AuthId.parse(userid)
        with UserFile(self.roots).edit() as edit:
            edit.put_user(UserConfig(user=auth_id.user, enable=enable, expire=expire or None))
        if password is not None:
            ShadowFile(self.roots).set_password(auth_id.user.name, password)

    def create_datastore(self, name: str) -> Path:
        """Make a datastore beside the server's own directories; its path. Takes seconds: 65536 directories."""
        path = self.root / "stores" / name
        create_datastore(path, [])
        self.add_datastore(name, path)
        return path

    def add_datastore(self, name: str, path: Path) -> None:
        """Configure a store whose directory exists."""
        with DatastoreFile(self.roots).edit() as edit:
            edit.put(DatastoreConfig(name, {"path": str(path)}))

    def create_token(self, tokenid: str) -> str:
        """Make a token and return its secret."""
        auth_id = AuthId.parse(tokenid)
        with UserFile(self.roots).edit() as edit:
            edit.put_token(TokenConfig(auth_id=auth_id))
        return TokenShadowFile(self.roots).generate(auth_id)

    def grant(self, path: str, auth_id: str, role: str) -> None:
        """Give a role."""
        with AclFile(self.roots).edit() as edit:
            edit.grant(path, auth_id, role)

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._process is not None
        return self._process.pid

    # Requests

    def request(
        self,
        method: str,
        target: str,
        parameters: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send one request on a connection of its own; `parameters` become a form body, or a query for GET."""
        sent = {"Host": "localhost", **(headers or {})}
        if parameters is not None and method in ("GET", "DELETE"):
            target = f"{target}?{urlencode(parameters, doseq=True)}"
        elif parameters is not None:
            body = urlencode(parameters, doseq=True).encode()
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._tls(), timeout=20)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            if body is not None:
                sent["Content-Length"] = str(len(body))
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def login(self, userid: str, password: str) -> dict[str, str]:
        """Log in and return the headers of a ticket."""
        answer = self.request("POST", "/api2/json/access/ticket", {"username": userid, "password": password})
        assert answer.status == 200, answer
        cookie = f"PBSAuthCookie={answer.data['ticket'].replace('%', '%25')}"
        return {"Cookie": cookie, "CSRFPreventionToken": answer.data["CSRFPreventionToken"]}

    def task_logs(self, worker_type: str) -> list[str]:
        """The logs of all tasks of a type."""
        found = sorted(self.roots.tasks_dir.glob(f"*/UPID:*:{worker_type}:*"), key=lambda path: path.stat().st_mtime)
        return [path.read_text() for path in found]

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.roots.certificate))
        context.check_hostname = False
        return context


def token_header(tokenid: str, secret: str) -> dict[str, str]:
    """The header of an API token."""
    return {"Authorization": f"PBSAPIToken={tokenid}:{secret}"}
