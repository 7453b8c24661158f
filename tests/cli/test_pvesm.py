"""`pvesm`: usage, errors, tables, completion, all without a server (pve-storage.md 6)."""

import sys
from pathlib import Path

import pytest

from command_runner import Outcome, Runner
from pbstore.cli.pvesm.list_volumes import table_lines as list_lines
from pbstore.cli.pvesm.main import PROGRAM
from pbstore.cli.pvesm.prune_backups import table_lines as prune_lines
from pbstore.cli.pvesm.status import table_lines as status_lines
from pbstore.pve.storage.storage import Storage
from pbstore.pve.storage.storages import StorageState
from pbstore.pve.storage.types import TYPES
from pbstore.pve.storage.volume_id import VolumeId
from pbstore.pve.storage.volume_info import PruneVerdict, Usage, VolumeEntry
from terminal import type_at

ADD = "pvesm add <type> <storage> [OPTIONS]\n"
SET = "pvesm set <storage> [OPTIONS]\n"
FINGERPRINT = ":".join(["ab"] * 32)
PBS = ("--server", "192.0.2.5", "--datastore", "main", "--username", "u@pbs", "--disable")


class Pvesm:
    """The program on a host of its own."""

    def __init__(self, runner: Runner, root: Path):
        self.runner = runner
        self.root = root
        self.environment = {"PBSTORE_ROOT": str(root), "PBSTORE_NODE": "pve1"}

    def __call__(self, *words: str | Path, **environment: str) -> Outcome:
        return self.runner(*words, environment=self.environment | environment)

    def succeed(self, *words: str | Path, **environment: str) -> str:
        outcome = self(*words, **environment)
        assert (outcome.exit_code, outcome.stderr) == (0, "")
        return outcome.stdout

    def error(self, *words: str | Path) -> str:
        outcome = self(*words)
        assert (outcome.exit_code, outcome.stdout) == (255, "")
        return outcome.stderr

    @property
    def config(self) -> str:
        return (self.root / "etc/pve/storage.cfg").read_text()


@pytest.fixture
def pvesm(pytestconfig: pytest.Config, tmp_path: Path) -> Pvesm:
    return Pvesm(Runner(PROGRAM, installed=pytestconfig.getoption("--installed")), tmp_path)


@pytest.mark.parametrize(
    ("words", "stderr"),
    [
        (("add", "pbs"), f"400 not enough arguments\n{ADD}"),
        (("add", "pbs", "b1", "x"), f"400 too many arguments\n{ADD}"),
        (("add", "pbs", "b1", "--nope", "1"), f"Unknown option: nope\n400 unable to parse option\n{ADD}"),
        (("set", "b1", "--datastore", "x"), f"Unknown option: datastore\n400 unable to parse option\n{SET}"),
        (("add", "pbs", "b1", "--port"), f"Option port requires an argument\n400 unable to parse option\n{ADD}"),
        (("set", "b1", "--p", "1"), "Option p is ambiguous (password, port, preallocation, prune-backups)\n400 unable"),
        (
            ("add", "pbs", "b", "--port", "0", "--server", "a b"),
            "400 Parameter verification failed.\n"
            "storage: invalid format - storage ID 'b' cannot be shorter than 2 characters\n"
            "port: value must have a minimum value of 1\n"
            f"server: invalid format - value does not look like a valid server name or IP address\n{ADD}",
        ),
        (
            ("add", "nfs", "n1"),
            "400 Parameter verification failed.\n"
            f"type: value 'nfs' does not have a value in the enumeration 'dir, pbs'\n{ADD}",
        ),
        (
            ("set", "b1", "--fingerprint", "0954"),
            f"400 Parameter verification failed.\nfingerprint: value does not match the regex pattern\n{SET}",
        ),
        (("status", "--storage", "b7"), "400 Parameter verification failed.\nstorage: No such storage.\npvesm status "),
        (("list", "b7"), "storage 'b7' does not exist\n"),
        (("path", "nonsense"), "unable to parse volume ID 'nonsense'\n"),
        (("set", "b1", "--nodes", "pve1"), "update storage failed: storage 'b1' does not exist\n"),
        (("remove", "b1"), "delete storage failed: storage 'b1' does not exist\n"),
        (
            ("add", "pbs", "b1", "--server", "a"),
            "create storage failed: missing value for required option 'datastore'",
        ),
        (("x",), "ERROR: unknown command 'pvesm x'\nUSAGE: pvesm <COMMAND> [ARGS] [OPTIONS]\n       pvesm add <type> "),
        (("scan", "x"), "ERROR: unknown command 'pvesm scan x'\nUSAGE: pvesm scan <COMMAND> [ARGS] [OPTIONS]\n"),
        ((), "ERROR: no command specified\nUSAGE: pvesm <COMMAND> [ARGS] [OPTIONS]\n"),
        (("scan", "pbs", "a", "u@pbs"), "400 Parameter verification failed.\npassword: property is missing and it is"),
        (("add", "pbs", "b1", *PBS, "--encryption-key", "/nowhere"), "unable to read '/nowhere' - No such file or dir"),
    ],
)
def test_errors(pvesm: Pvesm, words: tuple[str, ...], stderr: str) -> None:
    assert pvesm.error(*words).startswith(stderr)


def test_add_set_and_remove(pvesm: Pvesm) -> None:
    assert pvesm.succeed("add", "pbs", "b1", *PBS) == ""
    assert pvesm.config == "pbs: b1\n\tdisable\n\tdatastore main\n\tserver 192.0.2.5\n\tusername u@pbs\n\n"
    assert pvesm.error("add", "pbs", "b1", *PBS) == "create storage failed: storage ID 'b1' already defined\n"
    words = ("--nodes=pve1", "-nodes", "pve2", "--prune", "keep-last=3,keep-daily=2", "--max-protected-backups", "-1")
    assert pvesm.succeed("set", "b1", *words, "--fingerprint", FINGERPRINT) == ""
    assert pvesm.config == (
        f"pbs: b1\n\tdisable\n\tdatastore main\n\tserver 192.0.2.5\n\tfingerprint {FINGERPRINT}\n"
        "\tmax-protected-backups -1\n\tnodes pve1,pve2\n\tprune-backups keep-daily=2,keep-last=3\n\tusername u@pbs\n\n"
    )
    assert pvesm.succeed("set", "b1", "--delete", "nodes,fingerprint", "--delete", "prune-backups") == ""
    assert "nodes" not in pvesm.config
    assert pvesm.error("set", "b1", "--shared", "0") == "update storage failed: unexpected property 'shared'\n"
    assert "can't change value of fixed parameter 'server'" in pvesm.error("set", "b1", "--server", "x")
    assert "detected modified configuration" in pvesm.error("set", "b1", "--digest", "0" * 40, "--port", "1")
    assert pvesm.succeed("remove", "b1") == ""
    assert pvesm.config == ""


def test_a_warning_does_not_stop_a_change(pvesm: Pvesm) -> None:
    pvesm.succeed("add", "pbs", "b1", *PBS)
    outcome = pvesm("set", "b1", "--content", "images")
    assert (outcome.exit_code, outcome.stderr) == (0, "storage does not support content type 'images'\n")
    assert "\tcontent none\n" in pvesm.config


def test_what_is_odd_in_the_configuration_is_told(pvesm: Pvesm) -> None:
    (pvesm.root / "etc/pve").mkdir(parents=True)
    (pvesm.root / "etc/pve/storage.cfg").write_text("foo: bar\n\tx y\n\nnfs: share\n\tserver a\n")
    outcome = pvesm("status", "--storage", "share")
    assert outcome.exit_code == 0
    assert outcome.stderr == (
        "file storage.cfg line 1 (skip section 'bar'): unsupported type 'foo'\n"
        "storage 'share': storages of type 'nfs' cannot be used here\n"
    )
    assert outcome.stdout.splitlines()[1].split() == ["share", "nfs", "inactive", "0", "0", "0", "0.00%"]


def test_nodes_and_switched_off_storages(pvesm: Pvesm) -> None:
    pvesm.succeed("add", "dir", "d1", "--path", pvesm.root / "d1", "--nodes", "pve2", "--content", "iso")
    pvesm.succeed("add", "dir", "d2", "--path", pvesm.root / "d2", "--disable", "--content", "iso")
    pvesm.succeed("add", "dir", "d3", "--path", pvesm.root / "d3", "--content", "iso")

    def listed(*words: str, **environment: str) -> dict[str, str]:
        lines = pvesm.succeed("status", *words, **environment).splitlines()[1:]
        return {line.split()[0]: line.split()[2] for line in lines}

    assert listed() == {"d1": "disabled", "d2": "disabled", "d3": "active", "local": "active"}
    assert listed(PBSTORE_NODE="pve2") == {"d1": "active", "d2": "disabled", "d3": "active", "local": "active"}
    assert listed("--enabled", "1") == listed("--enabled") == {"d3": "active", "local": "active"}
    assert listed("--content", "iso") == {"d3": "active", "local": "active"}
    assert listed("--target", "pve2", "--content", "iso", PBSTORE_NODE="pve2").keys() == {"d1", "d3", "local"}
    assert pvesm.error("list", "d1") == "storage 'd1' is not available on node 'pve1'\n"
    assert pvesm.error("list", "d2") == "storage 'd2' is disabled\n"
    assert pvesm.error("list", "d2").count("\n") == 1


def test_images_in_a_directory(pvesm: Pvesm) -> None:
    volume = "local:100/vm-100-disk-0.raw"
    assert pvesm.succeed("alloc", "local", "100", "", "4M") == f"successfully created '{volume}'\n"
    path = pvesm.root / "var/lib/vz/images/100/vm-100-disk-0.raw"
    assert (path.stat().st_size, path.stat().st_mode & 0o777) == (4 << 20, 0o640)
    assert "vm-100-disk-1.raw" in pvesm.succeed("alloc", "local", "100", "", "1024")
    assert "already exists" in pvesm.error("alloc", "local", "100", "vm-100-disk-0.raw", "1")
    assert "wrong extension" in pvesm.error("alloc", "local", "100", "vm-100-a.raw", "1", "--format", "qcow2")
    assert pvesm.error("alloc", "local", "100", "x.raw", "1T").startswith("400 Parameter verification failed.\nsize: ")
    assert pvesm.succeed("path", volume) == f"{path}\n"
    assert pvesm.succeed("list", "local").splitlines()[1] == f"{volume} raw     images    4194304 100"
    assert pvesm.succeed("list", "local", "--vmid", "101") == ""
    assert pvesm.succeed("free", volume) == f"Removed volume '{volume}'\n"
    assert pvesm.error("free", volume) == f"volume '{volume}' does not exist\n"
    assert "unable to parse" in pvesm.error("path", "local:../../etc/passwd")
    assert "unable to parse" in pvesm.error("path", "local:iso/../x.iso")


def test_streams_are_refused(pvesm: Pvesm) -> None:
    assert "cannot be exported as 'raw+size'" in pvesm.error("export", "local:100/x.raw", "raw+size", "-")
    assert "cannot be imported as 'raw+size'" in pvesm.error("import", "local:100/x.raw", "raw+size", "-")


def test_apiinfo(pvesm: Pvesm) -> None:
    assert pvesm.succeed("apiinfo") == "APIVER 15\nAPIAGE 6\n"


def test_help(pvesm: Pvesm) -> None:
    overview = pvesm.succeed("help")
    assert overview.startswith("USAGE: pvesm <COMMAND> [ARGS] [OPTIONS]\n       pvesm add <type> <storage> [OPTIONS]\n")
    assert pvesm.succeed("--help") == overview
    page = pvesm.succeed("help", "scan", "pbs")
    assert page.startswith("USAGE: pvesm scan pbs <server> <username> --password <string> [OPTIONS]\n\n  Scan remote ")
    assert pvesm.succeed("scan", "pbs", "--help") == page
    assert " --encryption-key <string>" in pvesm.succeed("help", "--verbose")
    assert pvesm.error("help", "x").startswith("ERROR: unknown command 'pvesm x'\nUSAGE: ")


@pytest.mark.parametrize(
    ("line", "candidates"),
    [
        ("pvesm pr", ["prune-backups"]),
        ("pvesm add ", ["dir", "pbs"]),
        ("pvesm set b", ["b1"]),
        ("pvesm set b1 --na", ["--namespace"]),
        ("pvesm scan pbs a b --output-format j", ["json", "json-pretty"]),
        ("pvesm pbss", ["pbsscan"]),
    ],
)
def test_completion(pvesm: Pvesm, line: str, candidates: list[str]) -> None:
    pvesm.succeed("add", "pbs", "b1", *PBS)
    assert pvesm.succeed("bashcomplete", COMP_LINE=line, COMP_POINT=str(len(line))).split() == candidates


def test_the_password_is_asked_for_once_and_not_shown(pvesm: Pvesm) -> None:
    words = ("add", "pbs", "b1", *PBS, "--fingerprint", FINGERPRINT, "--password")
    environment = pvesm.runner.variables(pvesm.environment)
    code, shown = type_at(pvesm.runner.command(*words), [b"geheim-1\n"], environment)
    assert (code, shown) == (0, "Enter Password: \n")
    path = pvesm.root / "etc/pve/priv/storage/b1.pw"
    assert path.read_text() == "geheim-1\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "geheim" not in pvesm.config


def test_nobody_is_there_to_type_the_password(pvesm: Pvesm) -> None:
    assert pvesm.error("add", "pbs", "b1", *PBS, "--password") == "no password input mechanism available\n"
    assert not (pvesm.root / "etc/pve/storage.cfg").exists()


def test_the_status_table() -> None:
    usage = Usage(total=102687672 << 10, used=13041108 << 10, available=84387300 << 10)
    states = [
        StorageState(storage=Storage("backup", TYPES["pbs"], {}), is_enabled=True, is_active=True, usage=usage),
        StorageState(storage=Storage("offsite", TYPES["pbs"], {}), is_enabled=False),
    ]
    assert list(status_lines(states)) == [
        "Name           Type     Status     Total (KiB)      Used (KiB) Available (KiB)        %",
        "backup          pbs     active       102687672        13041108        84387300   12.70%",
        "offsite         pbs   disabled               0               0               0      N/A",
    ]


def test_the_list_of_volumes() -> None:
    def entry(name: str, form: str, size: int, vmid: int | None) -> VolumeEntry:
        return VolumeEntry(volume=VolumeId("backup", name), format=form, content="backup", size=size, vmid=vmid)

    entries = [
        entry("iso/x.iso", "iso", 7, None),
        entry("backup/ct/101/2024-01-02T00:00:00Z", "pbs-ct", 123456, 101),
        entry("backup/vm/100/2024-01-01T00:00:00Z", "pbs-vm", 34359738368, 100),
    ]
    assert list(list_lines(entries)) == [
        "Volid                                     Format  Type             Size VMID",
        "backup:backup/ct/101/2024-01-02T00:00:00Z pbs-ct  backup         123456 101",
        "backup:backup/vm/100/2024-01-01T00:00:00Z pbs-vm  backup    34359738368 100",
        "backup:iso/x.iso                          iso     backup              7",
    ]


def test_the_preview_of_pruning() -> None:
    def verdict(name: str, mark: str, subtype: str, vmid: int) -> PruneVerdict:
        return PruneVerdict(volume=VolumeId("backup", name), ctime=1, mark=mark, subtype=subtype, vmid=vmid)

    verdicts = [
        verdict("backup/ct/101/2024-01-02T00:00:00Z", "keep", "lxc", 101),
        verdict("backup/vm/100/2024-01-01T00:00:00Z", "remove", "qemu", 100),
    ]
    assert list(prune_lines(verdicts)) == [
        "NOTE: this is only a preview and might not be what a subsequent",
        "prune call does if backups are removed/added in the meantime.",
        "",
        "Backup                                           Backup-ID Prune-Mark",
        "backup:backup/vm/100/2024-01-01T00:00:00Z         qemu/100     remove",
        "backup:backup/ct/101/2024-01-02T00:00:00Z          lxc/101       keep",
    ]
    assert list(prune_lines([])) == ["No backups found"]


def test_the_program_is_installed_under_its_name() -> None:
    assert (Path(sys.executable).parent / "pvesm").exists()
