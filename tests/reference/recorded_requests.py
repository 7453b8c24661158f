"""The requests of the recorded server, read from its index: what was asked, as whom, and what came back."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from reference.recorded_server import RecordedServer, recorded
from unit.server.application_site import Answer

_LINE = re.compile(r"(?P<method>[A-Z]+) (?P<target>\S+) (?P<arguments>.*)\[as (?P<user>\S+)\] -> (?P<status>\d*)", re.S)
_STANDS_IN = {"root@pam": "test@pbs"}


@dataclass(frozen=True)
class RecordedRequest:
    """One request and its answer."""

    name: str
    method: str
    target: str
    parameters: tuple[tuple[str, str], ...]
    user: str
    status: int
    body: str

    def ask(self, server: RecordedServer) -> Answer:
        """Send it to our server, as the same user or one that stands for it."""
        user = _STANDS_IN.get(self.user, self.user)
        path, _, query = self.target.partition("?")
        if self.parameters:
            return server.send(self.method, path, dict(self.parameters), user)
        return server.site.raw(self.method, path, query, server.headers(user))


def recorded_request(fixtures: Path, name: str) -> RecordedRequest:
    """Look a request up by its name."""
    index = (fixtures / "api" / "INDEX.txt").read_text()
    match = re.search(rf"^{re.escape(name)}: (.*?-> \d*)$", index, re.M | re.S)
    assert match is not None, f"no request is called {name}"
    line = _LINE.fullmatch(match[1])
    assert line is not None, match[1]
    status, _, body = recorded(fixtures, name)
    words = shlex.split(line["arguments"])
    sent = (word for flag, word in zip(words[::2], words[1::2], strict=True) if flag in ("-d", "--data-urlencode"))
    parameters = tuple((key, value) for key, _, value in (word.partition("=") for word in sent))
    return RecordedRequest(name, line["method"], line["target"], parameters, line["user"], status, body)
