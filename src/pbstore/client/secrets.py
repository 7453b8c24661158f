"""Secrets from the environment: `X`, `X_FD`, `X_FILE`, `X_CMD`, else a systemd credential (keys.md 4).

The environment is handed in as a mapping; only the first line of a secret counts.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pbstore.errors import ConfigError

MAX_SECRET_BYTES = 64 * 1024


def read_secret(name: str, environment: Mapping[str, str], credential: str | None = None) -> str | None:
    """Return the secret of base name `name`, from the first variable that is defined, None when there is none.

    Args:
        name: base name, like `PBS_PASSWORD`.
        environment: variables by name.
        credential: name of the systemd credential that is used when no variable is defined.

    Raises:
        ConfigError: not UTF-8, not readable, a command that failed, a descriptor that is no number.
    """
    if name in environment:
        data = environment[name].encode(errors="surrogateescape")
        return _first_line(data, name)
    if f"{name}_FD" in environment:
        return _first_line(_read_descriptor(f"{name}_FD", environment), f"{name}_FD")
    if f"{name}_FILE" in environment:
        return _first_line(_read_file(Path(environment[f"{name}_FILE"]), f"{name}_FILE"), f"{name}_FILE")
    if f"{name}_CMD" in environment:
        return _first_line(_run(environment[f"{name}_CMD"], f"{name}_CMD"), f"{name}_CMD")
    return None if credential is None else read_credential(credential, environment)


def read_credential(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the systemd credential `proxmox-backup-client.<name>` without line ends at its end, None when absent.

    Raises:
        ConfigError: not readable or not UTF-8.
    """
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return None
    path = Path(directory) / f"proxmox-backup-client.{name}"
    if not path.exists():
        return None
    return _text(_read_file(path, f"credential {path.name}"), f"credential {path.name}").rstrip("\r\n")


def _first_line(data: bytes, source: str) -> str:
    line = data.split(b"\n", 1)[0].removesuffix(b"\r")
    return _text(line, source)


def _text(data: bytes, source: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"the secret from {source} is not valid UTF-8") from None


def _read_descriptor(variable: str, environment: Mapping[str, str]) -> bytes:
    text = environment[variable]
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ConfigError(f"{variable} is '{text}': expected the number of an open file descriptor")
    try:
        with os.fdopen(int(text), "rb") as file:
            return file.read(MAX_SECRET_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot read file descriptor {text} of {variable}: {error.strerror}") from None


def _read_file(path: Path, source: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SECRET_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot read '{path}' of {source}: {error.strerror}") from None


def _run(command: str, source: str) -> bytes:
    try:
        words = shlex.split(command)
        # The user's own command line, split like a shell would but run without one (keys.md 4).
        done = subprocess.run(words, stdout=subprocess.PIPE, check=False)  # noqa: S603
    except ValueError as error:
        raise ConfigError(f"cannot split the command of {source}: {error}") from None
    except (OSError, IndexError) as error:
        raise ConfigError(f"cannot run the command of {source}: {error}") from None
    if done.returncode != 0:
        raise ConfigError(f"the command of {source} failed with exit code {done.returncode}")
    return done.stdout[:MAX_SECRET_BYTES]
