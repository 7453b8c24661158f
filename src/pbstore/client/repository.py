"""The repository: which datastore on which server as whom (cli-client.md 1)."""

import re
from dataclasses import dataclass
from typing import Self

from pbstore.errors import FormatError
from pbstore.model.auth_id import AuthId, UserId

DEFAULT_AUTH_ID = AuthId(UserId("root", "pam"))
DEFAULT_HOST = "localhost"
DEFAULT_PORT = 8007
MAX_LENGTH = 256

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}\.)*{_LABEL}|\[[0-9a-fA-F:.]+(?:%[A-Za-z0-9._\-]+)?\]"
_URL = re.compile(
    rf"(?:(?:(?P<auth_id>[^\s:/]+)@)?(?P<host>{_HOST}):(?:(?P<port>[0-9]{{1,5}}):)?)?"
    r"(?P<datastore>[A-Za-z0-9_][A-Za-z0-9._\-]*)"
)


@dataclass(frozen=True)
class RepositorySpec:
    """`[[auth-id@]server[:port]:]datastore`; parts that were not given stay None."""

    datastore: str
    auth_id: AuthId | None = None
    host: str | None = None
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form.

        Raises:
            FormatError: not of the form.
        """
        match = _URL.fullmatch(text) if len(text) <= MAX_LENGTH else None
        port = int(match["port"]) if match and match["port"] else None
        if match is None or (port is not None and not 1 <= port <= 65535):
            raise FormatError(f"unable to parse repository url '{text}'")
        try:
            auth_id = AuthId.parse(match["auth_id"]) if match["auth_id"] else None
        except FormatError as error:
            raise FormatError(f"unable to parse repository url '{text}': {error}") from None
        return cls(match["datastore"], auth_id, match["host"], port)

    @property
    def user(self) -> AuthId:
        """Whom to log in as."""
        return self.auth_id or DEFAULT_AUTH_ID

    @property
    def server_name(self) -> str:
        """The host as written, an IPv6 address in brackets; key of the ticket and fingerprint caches."""
        return self.host or DEFAULT_HOST

    @property
    def address(self) -> tuple[str, int]:
        """Host without brackets and port, to connect to."""
        return self.server_name.strip("[]"), self.port or DEFAULT_PORT

    def __str__(self) -> str:
        if self.auth_id is not None:
            return f"{self.auth_id}@{self.server_name}:{self.port or DEFAULT_PORT}:{self.datastore}"
        host = [] if self.host is None and self.port is None else [self.server_name]
        port = [] if self.port is None else [str(self.port)]
        return ":".join([*host, *port, self.datastore])


def server_name_of(address: str) -> str:
    """Return a host name or address as it is written in a repository: a bare IPv6 address gets brackets.

    Raises:
        FormatError: neither a name nor an address.
    """
    name = f"[{address}]" if ":" in address and not address.startswith("[") else address
    if not re.fullmatch(_HOST, name):
        raise FormatError(f"invalid server '{address}': expected a DNS name or an IP address")
    return name
