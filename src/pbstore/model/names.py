"""The name grammar that ids of datastores, backups, namespaces, users and tokens share (manifest.md 5, auth.md 1)."""

import re

from pbstore.errors import FormatError

SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._\-]*")


def check_safe_id(text: str, what: str) -> str:
    """Return `text` if it is a safe id.

    Raises:
        FormatError: it is not; the message names `what` it was meant to be.
    """
    if not SAFE_ID.fullmatch(text):
        raise FormatError(f"invalid {what} {text!r}: letters, digits, '.', '_' and '-', not starting with '.' or '-'")
    return text


def check_datastore_name(text: str) -> str:
    """Return `text` if it can name a datastore: a safe id of 3 to 32 characters.

    Raises:
        FormatError: it cannot.
    """
    check_safe_id(text, "datastore name")
    if not 3 <= len(text) <= 32:
        raise FormatError(f"invalid datastore name {text!r}: 3 to 32 characters long")
    return text
