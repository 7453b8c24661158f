"""Options of `add` and `set`: properties by name, keys by the name of a file."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pbstore.api.schema import Parameter
from pbstore.cli.console import Console
from pbstore.cli.host_program import ask_password
from pbstore.errors import ConfigError
from pbstore.pve.host import MAX_FILE_BYTES
from pbstore.pve.storage.names import check_storage_id
from pbstore.pve.storage.properties import AUTOGEN, PROPERTIES
from pbstore.pve.storage.secret_changes import KEY, MASTER_KEY, PASSWORD
from pbstore.pve.storage.types import TYPES, Use
from pbstore.pve.value_types import Text, Value

STORAGE = Parameter(name="storage", schema=Text(description="The storage identifier.", check=check_storage_id))


def changeable_options() -> tuple[Parameter, ...]:
    """What may be changed later: `server` is among it, to be refused by name, as the original does."""
    fixed = {key for kind in TYPES.values() for key, use in kind.uses.items() if use in (Use.REQUIRED, Use.FIXED)}
    return tuple(option for name, option in PROPERTIES.items() if name == "server" or name not in fixed)


def given_values(console: Console, options: Mapping[str, Any]) -> dict[str, Value]:
    """The properties that were given, as the API takes them: the password asked for, the contents of files.

    Raises:
        ConfigError: a file that cannot be read.
        NoTerminalError: the password is to be asked for, and nobody is there.
    """
    values: dict[str, Value] = {}
    for name, parameter in PROPERTIES.items():
        value = options.get(parameter.python_name)
        if value is None:
            continue
        if name == PASSWORD:
            value = ask_password(console, value)
        elif name == KEY and value != AUTOGEN:
            value = _text(Path(value))
        elif name == MASTER_KEY:
            value = base64.b64encode(_content(Path(value))).decode()
        values[name] = value
    return values


def _text(path: Path) -> str:
    try:
        return _content(path).decode()
    except UnicodeDecodeError:
        raise ConfigError(f"'{path}' is no text file") from None


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"unable to read '{path}' - {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"'{path}' is larger than {MAX_FILE_BYTES >> 10} KiB, so it is no key")
    return content
