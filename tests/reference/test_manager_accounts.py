"""`proxmox-backup-manager user`, `acl`, `cert` and `versions` beside what the original 4.2.3 printed."""

import json
import re
import shlex
from pathlib import Path

import pytest

from command_runner import Runner
from pbstore.cli.proxmox_backup_manager.main import PROGRAM as MANAGER
from pbstore.cli.usage import all_commands
from pbstore.config.roots import Roots
from pbstore.config.shadow import ShadowFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import UserFile
from pbstore.model.auth_id import AuthId
from unpack import unpack

_RUN = re.compile(
    r"^\$ proxmox-backup-manager ([^\n]*)\n--- stdout\n(.*?)--- stderr\n(.*?)--- exit (\d+)$", re.DOTALL | re.MULTILINE
)
JSON_FORMATS = ("json", "json-pretty")
LISTS = {"mgr-user-list": "user list", "mgr-acl-list": "acl list", "mgr-user-tokens": "user list-tokens test@pbs"}


@pytest.fixture
def manager(pytestconfig: pytest.Config) -> Runner:
    return Runner(MANAGER, installed=pytestconfig.getoption("--installed"))


@pytest.fixture
def environment(fixtures_423: Path, tmp_path: Path) -> dict[str, str]:
    """The configuration of the recorded server."""
    unpack(fixtures_423 / "etc-proxmox-backup.tar.xz", tmp_path / "etc")
    Roots.below(tmp_path).prepare()
    return {"PBSTORE_ROOT": str(tmp_path)}


def recorded_runs(fixtures: Path, name: str) -> dict[str, tuple[str, str, int]]:
    """Standard output, standard error and exit code by command."""
    text = (fixtures / "cli" / f"{name}.txt").read_text()
    return {command: (stdout, stderr, int(code)) for command, stdout, stderr, code in _RUN.findall(text)}


@pytest.mark.parametrize(
    ("capture", "command"),
    [
        *LISTS.items(),
        ("mgr-user-permissions", "user permissions reader@pbs"),
        ("mgr-user-permissions", "user permissions reader@pbs --path /datastore/fix42/ns1"),
        *(("mgr-user-permissions", f"user permissions reader@pbs --output-format {kind}") for kind in JSON_FORMATS),
        (
            "mgr-user-permissions",
            "user permissions reader@pbs --path /datastore/fix42/ns1 --output-format json-pretty",
        ),
        ("cert-info", "cert info"),
    ],
)
def test_same_output(
    fixtures_423: Path, manager: Runner, environment: dict[str, str], capture: str, command: str
) -> None:
    ours = manager(*shlex.split(command), environment=environment)
    assert (ours.stdout, ours.stderr, ours.exit_code) == recorded_runs(fixtures_423, capture)[command]


@pytest.mark.parametrize("output_format", JSON_FORMATS)
@pytest.mark.parametrize("capture", LISTS)
def test_same_lists_but_for_their_order(
    fixtures_423: Path, manager: Runner, environment: dict[str, str], capture: str, output_format: str
) -> None:
    command = f"{LISTS[capture]} --output-format {output_format}"
    ours = manager(*shlex.split(command), environment=environment).stdout
    theirs = recorded_runs(fixtures_423, capture)[command][0]
    assert sorted(json.loads(ours), key=json.dumps) == sorted(json.loads(theirs), key=json.dumps)
    assert sorted(ours) == sorted(theirs)


def test_the_same_certificate_facts_of_324(fixtures_323: Path, manager: Runner, tmp_path: Path) -> None:
    """Its serial number is 0, of which nobody is to be warned."""
    roots = Roots.below(tmp_path)
    roots.prepare()
    roots.certificate.write_bytes((fixtures_323 / "api/proxy.pem").read_bytes())
    ours = manager("cert", "info", environment={"PBSTORE_ROOT": str(tmp_path)})
    assert ours.stdout.strip() == (fixtures_323 / "api/cert-info.txt").read_text().strip()
    assert (ours.stderr, ours.exit_code) == ("", 0)


def test_the_recorded_accounts_are_made(fixtures_423: Path, manager: Runner, tmp_path: Path) -> None:
    """Run what the fixtures were made with; afterwards the lists are the recorded ones."""
    environment = {"PBSTORE_ROOT": str(tmp_path)}
    for capture in ("user-create", "token", "acl-update"):
        for command, (stdout, stderr, code) in recorded_runs(fixtures_423, capture).items():
            ours = manager(*shlex.split(command), environment=environment)
            assert (ours.stderr, ours.exit_code) == (stderr, code), command
            assert without_secret(ours.stdout) == without_secret(stdout), command
    for capture, command in LISTS.items():
        ours = manager(*shlex.split(command), environment=environment)
        assert ours.stdout == recorded_runs(fixtures_423, capture)[command][0]
    roots = Roots.below(tmp_path)
    assert ShadowFile(roots).verify("reader", "Reader12345")


def without_secret(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "SECRET", text)


@pytest.mark.parametrize("command", ["user create bad --password xxxxxxxx", "user create bad@pbs --password short"])
def test_same_complaints(fixtures_423: Path, manager: Runner, environment: dict[str, str], command: str) -> None:
    """Ours ask for the password when its value is left out, and say so in the last line."""
    ours = manager(*shlex.split(command), environment=environment)
    _, stderr, code = recorded_runs(fixtures_423, "cli-errors")[command]
    assert ours.stderr.startswith(stderr.rstrip("\n"))
    assert (ours.stdout, ours.exit_code) == ("", code)


def test_versions(fixtures_423: Path, manager: Runner) -> None:
    """The same release and form; the package's own version is that of ours."""
    runs = recorded_runs(fixtures_423, "mgr-versions")
    ours = manager("versions").stdout
    theirs = runs["versions"][0]
    assert re.sub(r"4\.2\.3-pbstore\S+", "unknown", ours) == theirs
    for output_format in JSON_FORMATS:
        (row,) = json.loads(manager("versions", "--output-format", output_format).stdout)
        (recorded,) = json.loads(runs[f"versions --output-format {output_format}"][0])
        assert row == {**recorded, "Version": row["Version"]}
    more = manager("versions", "--verbose").stdout.splitlines()
    assert [line.split()[0] for line in more[:3]] == ["proxmox-backup-server", "linux", "python3"]
    assert any(line.startswith("cryptography") for line in more)


def test_tokens_and_users_go_with_what_they_have(manager: Runner, environment: dict[str, str]) -> None:
    def run(*words: str) -> tuple[str, int]:
        outcome = manager(*words, environment=environment)
        return outcome.stderr, outcome.exit_code

    roots = Roots.below(Path(environment["PBSTORE_ROOT"]))
    assert run("user", "delete-token", "test@pbs", "tok") == ("", 0)
    gone = ("Error: token 'tok' of user 'test@pbs' does not exist.\n", 255)
    assert run("user", "delete-token", "test@pbs", "tok") == gone
    assert not TokenShadowFile(roots).verify(AuthId.parse("test@pbs!tok"), "44739e84-597a-4b31-acf8-ea84d8798b65")
    assert "tok" not in manager("acl", "list", environment=environment).stdout
    assert run("user", "update", "reader@pbs", "--comment", "x", "--digest", "0" * 64)[1] == 255
    assert run("user", "update", "reader@pbs", "--comment", "x", "--email", "r@x") == ("", 0)
    assert run("user", "update", "reader@pbs", "--delete", "comment", "--delete", "email") == ("", 0)
    assert run("user", "remove", "test@pbs") == ("", 0)
    left = sorted(str(user) for user in UserFile(roots).load().users)
    assert left == ["nobody@pbs", "off@pbs", "reader@pbs", "root@pam"]


FACTORS = {
    "users": {
        "test@pbs": {
            "totp": [{"id": "id-1", "description": "phone", "created": 1780300800, "entry": "otpauth://secret"}],
            "recovery": {"secret": "00ff", "entries": ["aa"], "created": 1780300801},
            "totp-locked": True,
        }
    }
}


def test_second_factors(manager: Runner, environment: dict[str, str]) -> None:
    path = Roots.below(Path(environment["PBSTORE_ROOT"])).config_dir / "tfa.json"
    path.write_text(json.dumps(FACTORS))

    def tfa(*words: str) -> str:
        outcome = manager("user", "tfa", *words, environment=environment)
        return outcome.stdout if outcome.exit_code == 0 else outcome.stderr

    listed = tfa("list", "test@pbs")
    assert [line for line in listed.splitlines() if "│" in line] == [
        "│ id       │ type     │ description │                  created │",
        "│ id-1     │ totp     │ phone       │ Mon Jun  1 08:00:00 2026 │",
        "│ recovery │ recovery │             │ Mon Jun  1 08:00:01 2026 │",
    ]
    assert json.loads(tfa("list", "test@pbs", "--output-format", "json"))[0] == {
        "id": "id-1",
        "type": "totp",
        "description": "phone",
        "created": 1780300800,
    }
    assert tfa("list", "reader@pbs") == ""
    assert tfa("list", "ghost@pbs") == "Error: no such user 'ghost@pbs'\n"
    assert tfa("unlock", "test@pbs") == ""
    assert "totp-locked" not in path.read_text()
    assert tfa("delete", "test@pbs", "id-2") == "Error: no such tfa entry 'id-2' of user 'test@pbs'\n"
    assert tfa("delete", "test@pbs", "id-1") == ""
    assert tfa("delete", "test@pbs", "recovery") == ""
    assert json.loads(path.read_text()) == {"users": {"test@pbs": {}}}


def test_a_certificate_is_made_and_replaced(manager: Runner, tmp_path: Path) -> None:
    environment = {"PBSTORE_ROOT": str(tmp_path)}
    config_dir = Roots.below(tmp_path).config_dir

    def fingerprint() -> str:
        found = re.search(
            r"^Fingerprint \(sha256\): (.*)$", manager("cert", "info", environment=environment).stdout, re.M
        )
        assert found is not None
        return found[1]

    assert "made when the server starts" in manager("cert", "info", environment=environment).stderr
    assert manager("cert", "update", environment=environment).exit_code == 0
    first = fingerprint()
    assert {path.name for path in config_dir.iterdir()} >= {"authkey.key", "authkey.pub", "csrf.key", "proxy.key"}
    assert manager("cert", "update", environment=environment).exit_code == 0
    assert fingerprint() == first
    assert manager("cert", "update", "--force", environment=environment).exit_code == 0
    assert fingerprint() != first


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("user ", ["create", "delete-token", "generate-token", "list", "list-tokens", "permissions", "remove"]),
        ("user remove r", ["reader@pbs", "root@pam"]),
        ("user permissions test", ["test@pbs", "test@pbs!notok", "test@pbs!tok"]),
        ("user delete-token test@pbs ", ["notok", "tok"]),
        ("user tfa delete test@pbs ", ["id-1", "recovery"]),
        ("user update reader@pbs --delete ", ["comment", "email", "firstname", "lastname"]),
        ("acl update /datastore/fix", ["/datastore/fix42", "/datastore/fix42/ns1"]),
        ("acl update / DatastoreP", ["DatastorePowerUser"]),
        ("acl update / Admin --auth-id n", ["nobody@pbs"]),
        ("datastore show ", ["bad", "copy", "fix42", "pushed"]),
        ("verify f", ["fix42"]),
        ("prune f", ["fix42"]),
        ("prune fix42 --ns ", []),
        ("task stop ", []),
        ("cert ", ["info", "update"]),
        ("cert update --f", ["--force"]),
    ],
)
def test_completion(manager: Runner, environment: dict[str, str], line: str, expected: list[str]) -> None:
    (Roots.below(Path(environment["PBSTORE_ROOT"])).config_dir / "tfa.json").write_text(json.dumps(FACTORS))
    words = f"proxmox-backup-manager {line}"
    outcome = manager("bashcomplete", environment={**environment, "COMP_LINE": words, "COMP_POINT": str(len(words))})
    assert (outcome.stdout.splitlines()[: len(expected) or None], outcome.exit_code) == (expected, 0)


NAMED_BY_CONFIGURATION = {"userid", "auth-id", "token-name", "id", "name", "path", "store", "ns", "upid"}
NEW_NAMES = {
    ("datastore", "create", "name"),
    ("datastore", "create", "path"),
    ("user", "create", "userid"),
    ("user", "generate-token", "token-name"),
}


def test_what_has_a_name_is_completed() -> None:
    missing = {
        (*path, parameter.name)
        for path, command in all_commands(MANAGER.commands, ())
        for parameter in command.parameters
        if parameter.name in NAMED_BY_CONFIGURATION and parameter.name not in command.completions
    }
    assert missing == NEW_NAMES


def test_completion_leaves_no_traces(manager: Runner, tmp_path: Path) -> None:
    root = tmp_path / "nowhere"
    line = "proxmox-backup-manager task log "
    environment = {"PBSTORE_ROOT": str(root), "COMP_LINE": line, "COMP_POINT": str(len(line))}
    assert manager("bashcomplete", environment=environment).stdout == ""
    assert not root.exists()
