"""The server whose answers were recorded, as far as ours needs it: its accounts, rights and stores."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pbstore.config.datastore_cfg import DatastoreConfig, DatastoreFile
from pbstore.config.shadow import ShadowFile
from pbstore.config.user_cfg import UserConfig, UserFile
from pbstore.model.auth_id import AuthId
from running_server import RunningServer
from unit.server.application_site import Answer, Site

PASSWORDS = {"test@pbs": "Test12345", "reader@pbs": "Reader12345", "nobody@pbs": "Nobody12345"}


class RecordedServer:
    """Our application with the configuration of the recorded one; test@pbs stands for its root@pam, too."""

    def __init__(self, root: Path, stores: Mapping[str, Path]):
        files = RunningServer(root)
        for userid, password in PASSWORDS.items():
            with UserFile(files.roots).edit() as edit:
                edit.put_user(UserConfig(user=AuthId.parse(userid).user))
            ShadowFile(files.roots).set_password(userid.partition("@")[0], password)
        files.grant("/", "test@pbs", "Admin")
        files.grant("/datastore/fix42", "reader@pbs", "DatastoreReader")
        for name, path in stores.items():
            with DatastoreFile(files.roots).edit() as config:
                config.put(DatastoreConfig(name, {"path": str(path)}))
        self.site = Site(files.roots)
        self._headers: dict[str, dict[str, str]] = {}

    def headers(self, user: str) -> dict[str, str]:
        """The headers of a ticket."""
        if user not in self._headers:
            parameters = {"username": user, "password": PASSWORDS[user]}
            data = self.site.call("POST", "/api2/json/access/ticket", parameters).data
            self._headers[user] = {
                "cookie": f"PBSAuthCookie={data['ticket']}",
                "csrfpreventiontoken": data["CSRFPreventionToken"],
            }
        return self._headers[user]

    def ask(self, target: str, user: str = "test@pbs") -> Answer:
        """GET a target whose query is encoded already."""
        parts = urlsplit(target)
        return self.site.raw("GET", parts.path, parts.query, self.headers(user))

    def send(self, method: str, path: str, parameters: Mapping[str, object], user: str = "test@pbs") -> Answer:
        """Send parameters."""
        return self.site.call(method, path, parameters, headers=self.headers(user))

    def task_lines(self, upid: str) -> list[str]:
        """Wait for a task; the lines of its log without the time."""
        found = next(
            task for task in [*self.site.registry.tasks.running(), None] if task is None or str(task.upid) == upid
        )
        assert found is None or found.wait(60)
        (path,) = self.site.roots.tasks_dir.glob(f"*/{upid}")
        return lines_of(path)


def lines_of(log: Path) -> list[str]:
    """The lines of a task log without the time."""
    return [line[27:] for line in log.read_text().splitlines()]


def recorded(fixtures: Path, name: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of a recorded answer."""
    head, _, body = (fixtures / "api" / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body.decode()


def recorded_json(fixtures: Path, name: str) -> Any:
    """The body of a recorded answer."""
    return json.loads(recorded(fixtures, name)[2])
