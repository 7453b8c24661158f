"""Colour on a terminal that knows it, and nowhere else."""

from pathlib import Path

import pytest

from command_runner import Runner
from terminal import type_at


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({}, False), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_errors(client: Runner, home: dict[str, str], variables: dict[str, str], is_coloured: bool) -> None:
    environment = client.variables({**home, **variables})
    _, shown = type_at(client.command("list"), [], environment)
    head = "\x1b[1;31mError:\x1b[0m" if is_coloured else "Error:"
    assert shown.startswith(f"{head} unable to get (default) repository")


def test_not_into_a_file(client: Runner, home: dict[str, str], tmp_path: Path) -> None:
    assert client("list", environment={**home, "TERM": "xterm"}).stderr.startswith("Error: ")
