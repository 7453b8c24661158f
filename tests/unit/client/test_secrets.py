"""Secrets from variables, descriptors, files, commands and credentials, in that order (keys.md 4)."""

import os
from pathlib import Path

import pytest

from pbstore.client.secrets import read_secret
from pbstore.errors import ConfigError


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Every source at once; tests take some away."""
    reader, writer = os.pipe()
    os.write(writer, b"from fd\r\nsecond line")
    os.close(writer)
    (tmp_path / "secret").write_text("from file\nsecond line\n")
    (tmp_path / "proxmox-backup-client.password").write_text("from credential\n")
    return {
        "X": "from value\nsecond line",
        "X_FD": str(reader),
        "X_FILE": str(tmp_path / "secret"),
        "X_CMD": "echo 'from cmd'",
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }


def test_the_first_defined_variable_counts(environment: dict[str, str]) -> None:
    found = []
    for name in ("X", "X_FD", "X_FILE", "X_CMD", "CREDENTIALS_DIRECTORY"):
        found.append(read_secret("X", environment, "password"))
        del environment[name]
    assert found == ["from value", "from fd", "from file", "from cmd", "from credential"]
    assert read_secret("X", environment, "password") is None


def test_an_empty_value_is_an_empty_secret(environment: dict[str, str]) -> None:
    assert read_secret("X", {**environment, "X": ""}) == ""


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"X": "\udcff"}, "X is not valid UTF-8"),
        ({"X_FD": "no"}, "expected the number of an open file descriptor"),
        ({"X_FD": "987654"}, "cannot read file descriptor 987654 of X_FD"),
        ({"X_FILE": "/nonexistent"}, "cannot read '/nonexistent' of X_FILE: No such file"),
        ({"X_CMD": "false"}, "the command of X_CMD failed with exit code 1"),
        ({"X_CMD": "/nonexistent"}, "cannot run the command of X_CMD"),
        ({"X_CMD": ""}, "cannot run the command of X_CMD"),
        ({"X_CMD": "'"}, "cannot split the command of X_CMD"),
        ({"X_CMD": r"printf '\377'"}, "X_CMD is not valid UTF-8"),
    ],
)
def test_failures_name_the_variable_but_never_the_secret(variables: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_secret("X", variables)


def test_no_shell_runs_the_command(tmp_path: Path) -> None:
    assert read_secret("X", {"X_CMD": f"echo $HOME; touch {tmp_path}/made"}) == f"$HOME; touch {tmp_path}/made"
