"""Whole command lines: usage texts, error forms, help, completion, exit codes (cli-client.md 1)."""

from pathlib import Path

import pytest

from command_runner import Runner

USAGE_OF_SNAPSHOT = """
Usage:

proxmox-backup-client snapshot files <snapshot> [OPTIONS]
proxmox-backup-client snapshot forget <snapshot> [OPTIONS]
proxmox-backup-client snapshot list [<group>] [OPTIONS]
proxmox-backup-client snapshot notes show <snapshot> [OPTIONS]
proxmox-backup-client snapshot notes update <snapshot> <notes> [OPTIONS]
proxmox-backup-client snapshot protected show <snapshot> [OPTIONS]
proxmox-backup-client snapshot protected update <snapshot> <protected> [OPTIONS]
proxmox-backup-client snapshot upload-log <snapshot> <logfile> [OPTIONS]
"""
COMMANDS_OF_SNAPSHOT = "files, forget, list, notes, protected, upload-log"
USAGE_OF_USER_REMOVE = """\
Usage: proxmox-backup-manager user remove <userid> [OPTIONS]

 <userid>   <string>
             User ID

Optional parameters:

 --digest   <string>
             Prevent changes if current configuration file has different SHA256
             digest.
"""


@pytest.mark.parametrize(
    ("words", "stderr"),
    [
        (
            ("snapshot",),
            f"Error: no command specified.\nPossible commands: {COMMANDS_OF_SNAPSHOT}\n{USAGE_OF_SNAPSHOT}",
        ),
        (("snap", "lisst"), f"Error: no such command 'lisst'\n{USAGE_OF_SNAPSHOT}"),
        (("s",), "Error: no such command 's'\n\nUsage:\n\nproxmox-backup-client backup {<backupspec>} [OPTIONS]\n"),
        (
            ("restore", "host/x/y", "x.pxar"),
            "Error: parameter verification failed - 'target': missing argument\nUsage: proxmox-backup-client restore ",
        ),
        (
            ("backup", "x.foo:/etc"),
            "Error: parameter verification failed - 'backupspec': value does not match the regex",
        ),
        (("version", "x"), 'Error: got additional arguments: ["x"]\nUsage: proxmox-backup-client version [OPTIONS]\n'),
        (("list",), "Error: unable to get (default) repository"),
        (("list", "--repository", "a b"), "Error: unable to parse repository url 'a b'\n"),
        (("list", "--repository", "a", "--port", "1"), "Error: --repository and --server/--port/"),
    ],
)
def test_errors_of_the_client(client: Runner, home: dict[str, str], words: tuple[str, ...], stderr: str) -> None:
    outcome = client(*words, environment=home)
    assert outcome.stderr.startswith(stderr)
    assert (outcome.exit_code, outcome.stdout) == (255, "")


def test_a_parameter_error_shows_the_usage_of_the_command(manager: Runner, tmp_path: Path) -> None:
    outcome = manager("user", "remove", "a@pbs", "--nope", "x", environment={"PBSTORE_ROOT": str(tmp_path)})
    message = "Error: parameter verification failed - 'nope': schema does not allow additional properties."
    assert outcome.stderr == f"{message}\n{USAGE_OF_USER_REMOVE}"
    assert outcome.exit_code == 255


def test_several_errors_are_listed(client: Runner) -> None:
    outcome = client("version", "--nope", "x", "--port", "y")
    assert outcome.stderr.startswith(
        "Error: parameter verification failed:\n"
        "- 'nope': schema does not allow additional properties.\n"
        "- 'port': invalid digit found in string\n"
        "Usage: "
    )


@pytest.mark.parametrize("words", [("help",), ("--help",), ("-h",)])
def test_help_lists_all_commands(client: Runner, words: tuple[str, ...]) -> None:
    outcome = client(*words)
    assert outcome.exit_code == 0
    lines = outcome.stdout.splitlines()
    assert lines[:2] == ["Usage:", ""]
    assert lines[2:-2] == sorted(lines[2:-2])
    assert lines[-2:] == ["", "What one of them does: proxmox-backup-client help <command>"]
    assert "proxmox-backup-client key create-master-key" in lines
    assert (
        "proxmox-backup-client key import-with-master-key [<path>] --encrypted-keyfile <string> "
        "--master-keyfile <string> [OPTIONS]"
    ) in lines
    assert "proxmox-backup-client restore <snapshot> <archive-name> <target> [OPTIONS]" in lines


@pytest.mark.parametrize("words", [("help", "user", "remove"), ("user", "remove", "--help")])
def test_help_of_one_command(manager: Runner, words: tuple[str, ...]) -> None:
    outcome = manager(*words)
    usage, parameters = USAGE_OF_USER_REMOVE.split("\n", 1)
    assert (outcome.exit_code, outcome.stdout) == (
        0,
        f"{usage}\n\nRemove a user from the configuration file.\n{parameters}",
    )


def test_help_shows_examples(client: Runner) -> None:
    outcome = client("help", "namespace", "create")
    assert outcome.stdout.endswith(
        "Examples:\n\n"
        "  proxmox-backup-client namespace create customers/acme\n"
        "      'customers' must be there already\n"
    )


def test_verbose_help_describes_everything(client: Runner) -> None:
    outcome = client("help", "key", "--verbose")
    assert outcome.stdout.count("Usage: proxmox-backup-client key ") == 8


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("p l", ["list", "login", "logout"]),
        ("p snapshot ", ["files", "forget", "list", "notes", "protected", "upload-log"]),
        ("p snapshot protected update host/a/b ", ["false", "true"]),
        ("p benchmark --output-format=json-", ["--output-format=json-pretty"]),
        ("p snap l", ["list"]),
        ("p snapshots --ou", ["--output-format"]),
        ("p list --output-format j", ["json", "json-pretty"]),
        ("p backup --crypt-mode ", ["encrypt", "none", "sign-only"]),
        ("p key create --kdf=none --h", ["--hint"]),
        ("p nope ", []),
        ("p list --ns 'a b", []),
        ("p restore host/", []),
    ],
)
def test_completion(client: Runner, home: dict[str, str], line: str, expected: list[str]) -> None:
    outcome = client("bashcomplete", environment={**home, "COMP_LINE": line, "COMP_POINT": str(len(line))})
    assert (outcome.stdout.split(), outcome.stderr, outcome.exit_code) == (expected, "", 0)


def test_versions(client: Runner, home: dict[str, str]) -> None:
    text, json = (client("version", "--output-format", kind, environment=home) for kind in ("text", "json"))
    assert text.stdout.startswith("client version: 4.2.3 (pbstore ")
    assert json.stdout.startswith('{"client":{"release":"3","repoid":"pbstore ')
    wanted = client("version", environment={**home, "PROXMOX_OUTPUT_FORMAT": "json"})
    assert wanted.stdout == json.stdout
    wrong = client("version", environment={**home, "PROXMOX_OUTPUT_FORMAT": "xml"})
    assert wrong.stderr == "Error: PROXMOX_OUTPUT_FORMAT is 'xml': expected one of text, json, json-pretty\n"
