"""The grammar of command lines (cli-client.md 1): every error form, and options wherever they may stand."""

from typing import Any

import pytest

from pbstore.api.schema import Boolean, Enum, Integer, ListOf, Parameter, String
from pbstore.cli.command import Command, Group, UsageError, find_command
from pbstore.cli.option_parser import PROMPT, AdditionalArgumentsError, parse_words
from pbstore.cli.proxmox_backup_client import prune
from pbstore.errors import ParameterError


def do_nothing(console: object, **arguments: Any) -> None:
    """Commands of this test are parsed only."""


COMMAND = Command(
    description="Copy things.",
    run=do_nothing,
    positional=("source", "target"),
    prompted=("password",),
    parameters=(
        Parameter(name="source", schema=String(description="Where from.")),
        Parameter(name="target", schema=String(description="Where to."), optional=True),
        Parameter(name="dry-run", schema=Boolean(description="Do nothing."), optional=True, default=False),
        Parameter(name="enable", schema=Boolean(description="Enable."), optional=True, default=True),
        Parameter(name="limit", schema=Integer(description="How many."), optional=True, default=50),
        Parameter(name="mode", schema=Enum(description="How.", values=("fast", "slow")), optional=True),
        Parameter(
            name="exclude", schema=ListOf(description="What not.", item=String(description="Pattern.")), optional=True
        ),
        Parameter(name="password", schema=String(description="Password.", minimum_length=8), optional=True),
    ),
)
LIST = Command(
    description="Take many.",
    run=do_nothing,
    positional=("spec",),
    parameters=(Parameter(name="spec", schema=ListOf(description="Specs.", item=String(description="Spec."))),),
)
PROGRAM = Group(
    commands={
        "copy": COMMAND,
        "snapshot": Group(commands={"list": LIST, "forget": LIST, "files": LIST}),
        "status": LIST,
    },
    aliases={"snapshots": ("snapshot", "list")},
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a"], {"source": "a"}),
        (["a", "b"], {"source": "a", "target": "b"}),
        (["a", "-"], {"source": "a", "target": "-"}),
        (["--limit", "7", "a"], {"source": "a", "limit": 7}),
        (["a", "--limit=7", "b"], {"source": "a", "target": "b", "limit": 7}),
        (["a", "-limit", "7", "b"], {"source": "a", "target": "b", "limit": 7}),
        (["a", "--dry-run"], {"source": "a", "dry_run": True}),
        (["--dry-run", "a", "b"], {"source": "a", "target": "b", "dry_run": True}),
        (["--dry-run", "no", "a"], {"source": "a", "dry_run": False}),
        (["--enable", "OFF", "a"], {"source": "a", "enable": False}),
        (["a", "--enable=0"], {"source": "a", "enable": False}),
        (["a", "--mode", "slow"], {"source": "a", "mode": "slow"}),
        (["--exclude", "x", "a", "--exclude=y"], {"source": "a", "exclude": ["x", "y"]}),
        (["--", "--limit", "-x"], {"source": "--limit", "target": "-x"}),
        (["--source", "a"], {"source": "a"}),
        (["--source", "a", "b"], {"source": "a", "target": "b"}),
        (["a", "--exclude", "x=y"], {"source": "a", "exclude": ["x=y"]}),
        (["a", "--password=long enough"], {"source": "a", "password": "long enough"}),
        (["a", "--password"], {"source": "a", "password": PROMPT}),
        (["--password", "--dry-run", "a"], {"source": "a", "password": PROMPT, "dry_run": True}),
    ],
)
def test_words_become_arguments(words: list[str], expected: dict[str, object]) -> None:
    defaults = {
        "target": None,
        "dry_run": False,
        "enable": True,
        "limit": 50,
        "mode": None,
        "exclude": None,
        "password": None,
    }
    assert parse_words(COMMAND, words) == defaults | expected


@pytest.mark.parametrize(
    ("words", "errors"),
    [
        ([], {"source": "missing argument"}),
        (["a", "--wrong", "x"], {"wrong": "schema does not allow additional properties."}),
        (["a", "--limit"], {"limit": "missing parameter value."}),
        (["a", "--limit", "--dry-run"], {"limit": "missing parameter value."}),
        (["a", "--enable"], {"enable": "missing boolean value."}),
        (["a", "--limit", "x"], {"limit": "invalid digit found in string"}),
        (["a", "--limit", "1", "--limit", "2"], {"limit": "duplicate parameter."}),
        (["a", "--mode", "x"], {"mode": "value 'x' is not defined in the enumeration. Choose one of: fast, slow"}),
        (["a", "--password", "short"], {"password": "value must be at least 8 characters long"}),
        (
            ["a", "--wrong", "x", "--limit", "y"],
            {"wrong": "schema does not allow additional properties.", "limit": "invalid digit found in string"},
        ),
    ],
)
def test_what_does_not_fit_is_named(words: list[str], errors: dict[str, str]) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_words(COMMAND, words)
    assert caught.value.errors == errors


def test_surplus_words_are_quoted() -> None:
    with pytest.raises(AdditionalArgumentsError, match=r'^got additional arguments: \["c", "d\\"e"\]$'):
        parse_words(COMMAND, ["a", "b", "c", 'd"e'])


def test_the_last_positional_list_takes_all_words() -> None:
    assert parse_words(LIST, ["a", "b", "c"]) == {"spec": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["copy"], ("copy",)),
        (["c"], ("copy",)),
        (["snap", "li"], ("snapshot", "list")),
        (["snapshots"], ("snapshot", "list")),
        (["st"], ("status",)),
    ],
)
def test_abbreviations_and_aliases_find_the_command(words: list[str], path: tuple[str, ...]) -> None:
    assert find_command(PROGRAM, words).path == path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["s"], "no such command 's'"),
        (["nope"], "no such command 'nope'"),
        (["snapshot", "f"], "no such command 'f'"),
        ([], "no command specified.\nPossible commands: copy, snapshot, status"),
        (["snapshot"], "no command specified.\nPossible commands: files, forget, list"),
        ([""], "no such command ''"),
    ],
)
def test_words_that_name_no_command(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_command(PROGRAM, words)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("option", "suggestion"),
    [("--keep-l", " Did you mean --keep-last?"), ("--keep-dayly", " Did you mean --keep-daily?"), ("--zzz", "")],
)
def test_an_option_that_was_meant_is_suggested(option: str, suggestion: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_words(prune.COMMAND, ["vm/100", option, "3"])
    assert caught.value.errors == {option[2:]: f"schema does not allow additional properties.{suggestion}"}
