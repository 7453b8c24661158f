"""Addresses to listen on, as people write them: `127.0.0.1:8007`, `[::]:8007`, `:8007`, `8007`."""

import re

from pbstore.errors import FormatError

DEFAULT_HOST = "::"
DEFAULT_PORT = 8007


def parse_listen_address(text: str) -> tuple[str, int]:
    """Return host and port; a missing host is every address, port 0 is any free one.

    Raises:
        FormatError: neither address nor port.
    """
    host, colon, port_text = text.rpartition(":")
    if text.endswith("]") or not colon:
        host, port_text = (text, str(DEFAULT_PORT)) if not text.isdecimal() else ("", text)
    if not re.fullmatch("[0-9]{1,5}", port_text) or int(port_text) > 65535:
        raise FormatError(f"invalid listen address '{text}': expected ADDRESS:PORT, like 127.0.0.1:{DEFAULT_PORT}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise FormatError(f"invalid listen address '{text}': an IPv6 address stands in brackets, like [::]:{port_text}")
    return host or DEFAULT_HOST, int(port_text)


def url_of(host: str, port: int) -> str:
    """Return the address as an URL to open."""
    return f"https://[{host}]:{port}/" if ":" in host else f"https://{host}:{port}/"
