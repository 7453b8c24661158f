"""Rules for new passwords (auth.md 2, password storage)."""

import re

from pbstore.errors import ParameterError

MIN_LENGTH = 8
MAX_LENGTH = 64
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_new_password(password: str) -> str:
    """Return the password if it may be set.

    Raises:
        ParameterError: too short, too long, or with control characters.
    """
    if len(password) < MIN_LENGTH:
        raise ParameterError({"password": f"value must be at least {MIN_LENGTH} characters long"})
    if len(password) > MAX_LENGTH:
        raise ParameterError({"password": f"value may only be {MAX_LENGTH} characters long"})
    if _CONTROL.search(password):
        raise ParameterError({"password": "control characters are not allowed"})
    return password
