"""Which paths rights can be given on (auth.md 7)."""

import re

from pbstore.errors import FormatError

_ID = r"[A-Za-z0-9_][A-Za-z0-9._\-]*"
_NAMESPACE = rf"(?:/{_ID}){{0,7}}"
_VALID = re.compile(
    "/|"
    "/access(?:/(?:acl|users|domains))?|"
    rf"/access/openid(?:/{_ID})?|"
    rf"/datastore(?:/{_ID}{_NAMESPACE})?|"
    rf"/remote(?:/{_ID}(?:/{_ID}{_NAMESPACE})?)?|"
    "/system(?:/(?:certificates|disks|log|notifications|status|tasks|time|services|network))?|"
    rf"/system/(?:services|s3-endpoint|encryption-keys)(?:/{_ID})?|"
    rf"/system/network/(?:dns|interfaces(?:/{_ID})?)|"
    rf"/tape(?:/(?:device|pool|job)(?:/{_ID})?)?"
)
MAX_LENGTH = 128


def check_acl_path(path: str) -> str:
    """Return the path if rights can be given on it.

    Raises:
        FormatError: they cannot.
    """
    if len(path) > MAX_LENGTH or not _VALID.fullmatch(path):
        raise FormatError(f"invalid acl path '{path}'.")
    return path
