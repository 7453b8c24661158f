"""What our client prints of a datastore of 4.2.3, served in place by our server, against what the original printed."""

import json
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_runner import Runner
from pbstore.cli.proxmox_backup_client.main import PROGRAM
from pbstore.config.roots import Roots
from reference.client_runs import ClientRun, OriginalSite, client_runs
from running_server import RunningServer

PRUNED = "host/modeswitch/2026-06-01T08:00:00Z"
"""Was listed, and removed later: the datastore is as it was at the end."""

BEFORE_1970 = "1965-03-04T05:06:08Z"
"""05:06:07 and a fraction: the original rounds it up for split archives, and down for others, as we always do."""
# Many runs of the real program.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(
    datastore_423: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[OriginalSite]:
    """The store, copied, behind a server of ours."""
    work = tmp_path_factory.mktemp("client-lists")
    shutil.copytree(datastore_423, work / "store", symlinks=True)
    server = RunningServer(work / "server")
    for path in (server_certificate.certificate, server_certificate.certificate_key):
        shutil.copy2(path, server.roots.config_dir / path.name)
    yield OriginalSite(server, work, Runner(PROGRAM, installed=True), {"fix42": work / "store"}, "fix42")
    server.stop(signal.SIGKILL)


def is_json(text: str) -> bool:
    return text.startswith(("[", "{"))


def at_the_end(stdout: str) -> str:
    """The same list without the snapshot that was removed later."""
    if is_json(stdout):
        items = [_at_the_end(item) for item in json.loads(stdout) if not _is_pruned(item)]
        return json.dumps(items)
    lines = stdout.splitlines(keepends=True)
    number = next((number for number, line in enumerate(lines) if PRUNED in line), None)
    if number is not None:
        del lines[number : number + 2]
    return re.sub(r"(│ host/modeswitch │ .* │ +)6 │", r"\g<1>5 │", "".join(lines))


def _is_pruned(item: dict[str, Any]) -> bool:
    return (item.get("backup-id"), item.get("backup-time")) == ("modeswitch", 1780300800)


def _at_the_end(item: dict[str, Any]) -> dict[str, Any]:
    is_group = item.get("backup-id") == "modeswitch" and "backup-count" in item
    return {**item, "backup-count": 5} if is_group else item


def unordered(text: str) -> object:
    """JSON whose lists come in the order of directories."""
    return _sorted(json.loads(text))


def _sorted(value: object) -> object:
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=json.dumps)
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return value


def check(site: OriginalSite, run: ClientRun, expected: str) -> None:
    outcome = site.replay(run)
    assert (outcome.exit_code, outcome.stderr) == (0, run.stderr), run.name
    if is_json(expected):
        assert unordered(outcome.stdout) == unordered(expected), run.name
        assert outcome.stdout.count("\n") == (outcome.stdout.count("\n") if "json-pretty" in run.words else 1)
    else:
        assert outcome.stdout == expected, run.name


@pytest.mark.parametrize(
    "name",
    ["list", "snapshot-list", "snapshot-list-group", "snapshot-list-ns", "snapshot-files", "prune-none", "prune-quiet"],
)
def test_lists(site: OriginalSite, fixtures_423: Path, name: str) -> None:
    runs = client_runs(fixtures_423 / "cli" / f"{name}.txt")
    assert runs
    for run in runs:
        check(site, run, at_the_end(run.stdout))


def test_prune_says_what_it_would_do(site: OriginalSite, fixtures_423: Path) -> None:
    runs = client_runs(fixtures_423 / "cli" / "prune-dry-run.txt")
    assert len(runs) == 9
    for run in runs:
        check(site, run, at_the_end(run.stdout))


@pytest.mark.parametrize("name", ["notes", "protected"])
def test_notes_and_protection_are_shown(site: OriginalSite, fixtures_423: Path, name: str) -> None:
    shown = [run for run in client_runs(fixtures_423 / "cli" / f"{name}.txt") if run.words[2] == "show"]
    assert len(shown) >= 2
    for run in shown:
        check(site, run, run.stdout)


def test_namespaces(site: OriginalSite, fixtures_423: Path) -> None:
    text, pretty = client_runs(fixtures_423 / "cli" / "namespace.txt")[-2:]
    outcome = site.replay(text)
    assert sorted(outcome.stdout.splitlines()) == sorted(text.stdout.splitlines())
    check(site, pretty, pretty.stdout)


def test_catalogs_of_split_archives(site: OriginalSite, fixtures_423: Path) -> None:
    """The original writes the catalog to its log, we to standard output."""
    runs = client_runs(fixtures_423 / "cli" / "catalog-dump.txt")
    assert len(runs) == 5
    key = str(fixtures_423 / "keys" / "enc.json")
    for run in runs:
        words = [key if word.endswith("/enc.json") else word for word in run.words]
        outcome = site.run(*words)
        assert outcome.exit_code == run.exit_code
        if run.exit_code == 0:
            assert outcome.stdout == run.stderr.replace(BEFORE_1970, BEFORE_1970.replace(":08Z", ":07Z"))
        else:
            assert outcome.stdout == ""
            assert outcome.stderr.count("\n") == 1
            assert outcome.stderr.startswith("Error: ")
    missing_key = site.replay(runs[2])
    assert missing_key.stderr == runs[2].stderr


def test_a_catalog_as_json(site: OriginalSite) -> None:
    words = ("catalog", "dump", "host/split/2026-06-03T08:00:00Z")
    items = json.loads(site.run(*words, "--output-format", "json").stdout)
    pretty = site.run(*words, "--output-format", "json-pretty").stdout
    assert pretty == json.dumps(items, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert items[1] == {"mtime": 1779000600, "path": "./etc.mpxar.didx/conf.d/00.conf", "size": 500, "type": "f"}
    assert len(items) == len(site.run(*words).stdout.splitlines())


def test_status_version_and_identity(site: OriginalSite, fixtures_423: Path) -> None:
    for name in ("status", "version", "server-identity"):
        text, compact, pretty = client_runs(fixtures_423 / "cli" / f"{name}.txt")
        assert _shape(site.replay(text).stdout) == _shape(text.stdout)
        for run in (compact, pretty):
            outcome = site.replay(run)
            assert _keys(json.loads(outcome.stdout)) == _keys(json.loads(run.stdout))
            assert outcome.stdout.count("\n") == run.stdout.count("\n")


def _shape(text: str) -> list[str]:
    """Words without numbers, versions and padding."""
    plain = re.sub(r"\(pbstore .*?\)|[─│┌┐├┤┬┴┼└┘%()]", " ", text)
    return re.sub(r"\b[0-9a-f]*\d[0-9a-f.]*\b", "N", plain).split()


def _keys(value: object) -> object:
    return {name: _keys(item) for name, item in value.items()} if isinstance(value, dict) else type(value)


@pytest.mark.parametrize("kind", ["enc", "scrypt"])
def test_keys_are_shown(site: OriginalSite, fixtures_423: Path, kind: str) -> None:
    runs = [run for run in client_runs(fixtures_423 / "cli" / "key-show.txt") if run.words[2].endswith(f"{kind}.json")]
    assert len(runs) == 3
    for run in runs:
        path = fixtures_423 / "keys" / f"{kind}.json"
        outcome = site.run(*(str(path) if word.endswith(".json") else word for word in run.words))
        assert _without_frame(outcome.stdout) == _without_frame(run.stdout.replace(run.words[2], str(path)))
        if is_json(run.stdout):
            assert outcome.stdout == run.stdout.replace(run.words[2], str(path))


def _without_frame(table: str) -> list[str]:
    return re.sub(r"[─│┌┐├┤┬┴┼└┘╞═╪╡]", " ", table).split()


def test_the_master_key_is_shown(site: OriginalSite, fixtures_423: Path) -> None:
    (run,) = [run for run in client_runs(fixtures_423 / "cli" / "key-show.txt") if "show-master-pubkey" in run.words]
    path = (fixtures_423 / "keys" / "master-public.pem").resolve()
    outcome = site.run("key", "show-master-pubkey", path, "--output-format", "json-pretty")
    assert outcome.stdout == run.stdout.replace(run.words[2], str(path))
