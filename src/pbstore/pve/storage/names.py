"""Names that storage configurations use: of storages, nodes, servers, users (pve-storage.md 1)."""

import ipaddress
import re

from pbstore.errors import FormatError
from pbstore.model.auth_id import AuthId
from pbstore.model.namespace import Namespace

STORAGE_ID = r"[A-Za-z][A-Za-z0-9\-_.]*[A-Za-z0-9]"
FINGERPRINT = r"([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_NODE = re.compile(_LABEL)
_DNS_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")


def check_storage_id(text: str) -> str:
    """Return a storage id.

    Raises:
        FormatError: it is none.
    """
    if len(text) < 2:
        raise FormatError(f"storage ID '{text}' cannot be shorter than 2 characters")
    if not re.fullmatch(STORAGE_ID, text):
        raise FormatError(f"storage ID '{text}' contains illegal characters")
    return text


def check_node(text: str) -> str:
    """Return a node name.

    Raises:
        FormatError: it is none.
    """
    if not _NODE.fullmatch(text):
        raise FormatError("value does not look like a valid node name")
    return text


def check_server(text: str) -> str:
    """Return a DNS name, or an IP address without brackets.

    Raises:
        FormatError: neither.
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if len(text) > 255 or not _DNS_NAME.fullmatch(text):
            raise FormatError("value does not look like a valid server name or IP address") from None
    return text


def check_user(text: str) -> str:
    """Return an auth id of a backup server: a user or an API token.

    Raises:
        FormatError: neither.
    """
    AuthId.parse(text)
    return text


def check_namespace(text: str) -> str:
    """Return a namespace `a/b/c`.

    Raises:
        FormatError: it is none.
    """
    Namespace.parse(text)
    return text
