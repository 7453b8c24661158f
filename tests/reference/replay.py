"""The recorded 4.2.3 taken over by our server, and its recorded requests sent again as they were."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pbstore._core import Request
from pbstore.access.tickets import issue_ticket
from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.roots import Roots
from pbstore.model.auth_id import AuthId
from reference.recorded_server import PASSWORDS, recorded
from unit.server.application_site import Answer, Site
from unpack import unpack

ROOT = AuthId.parse("root@pam")
TIME = float(0x6B03CC4F)
_LINE = re.compile(r"(?P<method>[A-Z]+) (?P<target>\S+) (?P<arguments>.*)\[as (?P<user>.*)\] -> (?P<status>\d*)")
_FORM = "application/x-www-form-urlencoded"


def taken_over(fixtures: Path, root: Path, stores: Mapping[str, Path] | None = None) -> Site:
    """Our application with the configuration and keys of the recorded server, at the time of the recording.

    Args:
        fixtures: where the recordings are.
        root: an empty directory for the server.
        stores: where the datastores lie here, in the order of the configuration; others keep the recorded path.
    """
    unpack(fixtures / "etc-proxmox-backup.tar.xz", root / "etc")
    roots = Roots.below(root)
    roots.prepare()
    if stores is not None:
        config = (fixtures / "cli" / "maintenance-offline.datastore.cfg").read_text()
        config = re.sub(r"\n\s+maintenance-mode .*", "", config)
        for name, path in stores.items():
            config = re.sub(rf"(datastore: {name}\n(?:\s+(?!path).*\n)*\s+path ).*", rf"\g<1>{path}", config)
        (roots.config_dir / "datastore.cfg").write_text(config)
    return Site(roots, now=TIME)


@dataclass(frozen=True)
class Recording:
    """One line of the index: a request, and as whom it was sent."""

    method: str
    target: str
    user: str
    headers: Mapping[str, str]
    body: str
    status: str


def recording(fixtures: Path, name: str) -> Recording:
    """Look a recorded request up."""
    index = (fixtures / "api" / "INDEX.txt").read_text()
    found = re.search(rf"^{re.escape(name)}: (.*)$", index, re.M)
    line = _LINE.fullmatch(found[1]) if found else None
    assert line is not None, name
    words = shlex.split(line["arguments"])
    fields: list[tuple[str, str]] = []
    headers, body = {"content-type": _FORM}, ""
    while words:
        flag = words.pop(0)
        if flag == "-H":
            header, _, value = words.pop(0).partition(": ")
            headers[header.lower()] = value
        elif flag in ("-d", "--data-urlencode"):
            word = words.pop(0)
            key, is_field, value = word.partition("=")
            if is_field and not word.startswith("{"):
                fields.append((key, value))
            else:
                body = word
    return Recording(line["method"], line["target"], line["user"], headers, body or urlencode(fields), line["status"])


def request_of(site: Site, fixtures: Path, name: str) -> Request:
    """The recorded request with the credentials that it had."""
    found = recording(fixtures, name)
    path, _, query = found.target.partition("?")
    return Request(
        method=found.method,
        path=path,
        query=query,
        headers=[*found.headers.items(), *credentials(site, fixtures, name, found.user).items()],
        body=found.body.encode(),
        peer="192.0.2.1:4711",
    )


def ask(site: Site, fixtures: Path, name: str) -> Answer:
    """Send the recorded request again; root@pam is called as by the manager."""
    request = request_of(site, fixtures, name)
    is_root = recording(fixtures, name).user == str(ROOT)
    answer = site.application.handle_for(ROOT, request) if is_root else site.application.handle(request)
    return Answer(answer[0], dict(answer[1]), answer[2])


def credentials(site: Site, fixtures: Path, name: str, user: str) -> dict[str, str]:
    """The headers of the recorded caller."""
    if user in PASSWORDS:
        data = site.call("POST", "/api2/json/access/ticket", {"username": user, "password": PASSWORDS[user]}).data
        return {"cookie": f"PBSAuthCookie={data['ticket']}", "csrfpreventiontoken": data["CSRFPreventionToken"]}
    if user.startswith(str(ROOT)):
        return root_ticket(site) | ({"csrfpreventiontoken": "0:wrong"} if "wrong CSRF" in user else {})
    if "cookie of ticket_http_only" in user:
        return {"cookie": recorded(fixtures, "ticket_http_only")[1]["set-cookie"].partition(";")[0]}
    if user == "ticket in __Host- cookie":
        return {"cookie": f"__Host-{root_ticket(site)['cookie']}"}
    if user == "urlencoded cookie":
        name, _, ticket = root_ticket(site)["cookie"].partition("=")
        return {"cookie": urlencode({name: ticket})}
    if user == "bad cookie":
        return {"cookie": f"PBSAuthCookie=PBS:test@pbs:{int(TIME):08X}::{name}"}
    if user == "token" or user.startswith("Authorization"):
        secret = (fixtures / "cli" / "token.txt").read_text()
        found = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", secret)
        assert found is not None
        wrong = {"token_badsecret": "test@pbs!tok:wrong", "token_unknown": "test@pbs!other:wrong"}
        separator = " " if name == "token_space" else "="
        return {"authorization": f"PBSAPIToken{separator}{wrong.get(name, f'test@pbs!tok:{found[0]}')}"}
    return {}


def root_ticket(site: Site) -> dict[str, str]:
    """A ticket of root@pam, whose password only the system could check."""
    return {"cookie": f"PBSAuthCookie={issue_ticket(load_or_create_auth_key(site.roots), ROOT.user, site.now)}"}


def comparable(text: str) -> Any:
    """JSON with its lists, which the original has in any order, in one of ours; else the text."""
    try:
        return ordered(json.loads(text))
    except ValueError:
        return text


def ordered(value: Any) -> Any:
    """Sort lists of objects, and names of files."""
    if isinstance(value, dict):
        return {key: sorted(item, key=str) if key == "files" else ordered(item) for key, item in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return sorted((ordered(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def shape(value: Any) -> Any:
    """What kinds of values an answer has, for answers whose values are of their time; lists by their first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__
