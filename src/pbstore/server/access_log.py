"""Lines of the access log (protocol-transport.md 7)."""

from datetime import datetime
from urllib.parse import unquote_plus

from pbstore.model.auth_id import AuthId

MAX_TARGET_LENGTH = 3072
MAX_AGENT_LENGTH = 128
SECRET_KEYS = frozenset(("password", "vncticket", "tfa-challenge", "confirmation-password", "value"))


def access_line(
    *, peer: str, caller: AuthId | None, now: float, method: str, target: str, status: int, size: int, agent: str
) -> str:
    """Return the line of one request; `peer` is `ip:port`, `target` as received, `size` the bytes of the body."""
    time = datetime.fromtimestamp(now).astimezone().strftime("%d/%m/%Y:%H:%M:%S %z")
    shown = without_secrets(target[:MAX_TARGET_LENGTH])
    who = caller if caller is not None else "-"
    return f'{host_of(peer)} - {who} [{time}] "{method} {shown}" {status} {size} {agent[:MAX_AGENT_LENGTH] or "-"}'


def host_of(peer: str) -> str:
    """Return the address of `ip:port` or `[ip]:port`."""
    host = peer.rpartition(":")[0]
    return host.removeprefix("[").removesuffix("]") or "-"


def without_secrets(target: str) -> str:
    """Blank the values of query parameters that are secrets: nobody should send them there, but logs live long."""
    path, mark, query = target.partition("?")
    parts = []
    for part in query.split("&"):
        key, equals, _ = part.partition("=")
        parts.append(f"{key}=*" if equals and unquote_plus(key) in SECRET_KEYS else part)
    return path + mark + "&".join(parts)
