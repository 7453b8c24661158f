"""A storage of type `pbs` on a real backup server: what is listed, changed and read (pve-storage.md 4, 5)."""

import json
from pathlib import Path

import pytest

from backup_site import PASSWORD, BackupSite
from command_runner import Outcome, Runner
from pbstore.cli.pvesm.main import PROGRAM
from pbstore.config.roots import Roots
from pbstore.errors import PbstoreError
from pbstore.pve.host import Host
from pbstore.pve.storage.storages import Storages
from pbstore.pve.storage.volume_id import VolumeId
from running_server import token_header

pytestmark = pytest.mark.slow

DAY = 86400
START = 1717000000
NAMES = [f"backup/vm/100/2024-05-{29 + number}T16:26:40Z" for number in range(3)]
WRONG = ":".join(["00"] * 32)


class StorageHost:
    """A storage host of the test's own, with the storage `b1` if `add` was called."""

    def __init__(self, site: BackupSite, root: Path, runner: Runner, node: str = "pve1", pve: Path | None = None):
        self.site = site
        self.root = root
        self.runner = runner
        self.environment = {"PBSTORE_ROOT": str(root), "PBSTORE_NODE": node}
        if pve is not None:
            self.environment["PBSTORE_PVE_DIR"] = str(pve)
        self.warnings: list[str] = []
        self.log: list[str] = []
        self.host = Host(Roots.below(root, pve=pve), node)
        self.storages = Storages(self.host, warn=self.warnings.append, log=self.log.append)

    def __call__(self, *words: str | Path) -> Outcome:
        return self.runner(*words, environment=self.environment)

    def succeed(self, *words: str | Path) -> str:
        outcome = self(*words)
        assert (outcome.exit_code, outcome.stderr) == (0, ""), outcome
        return outcome.stdout

    def error(self, *words: str | Path) -> str:
        outcome = self(*words)
        assert outcome.exit_code == 255
        return outcome.stderr

    @property
    def address(self) -> tuple[str, ...]:
        return ("--server", "127.0.0.1", "--port", str(self.site.server.port), "--datastore", "main")

    def add(self, storage_id: str, *words: str | Path) -> str:
        login = ("--username", "archiver@pbs", "--password", PASSWORD, "--fingerprint", self.site.server.fingerprint)
        return self.succeed("add", "pbs", storage_id, *self.address, *login, *words)


@pytest.fixture
def runner(pytestconfig: pytest.Config) -> Runner:
    return Runner(PROGRAM, installed=pytestconfig.getoption("--installed"))


@pytest.fixture
def host(site: BackupSite, tmp_path: Path, runner: Runner) -> StorageHost:
    return StorageHost(site, tmp_path / "host", runner)


@pytest.fixture
def namespace(site: BackupSite, tmp_path: Path) -> str:
    """A namespace of the test's own, so that it sees its own backups only."""
    name = tmp_path.name.replace("[", "").replace("]", "")[-60:]
    site.succeed("namespace", "create", name)
    return name


@pytest.fixture
def vm(site: BackupSite, tmp_path: Path, namespace: str) -> str:
    """Three backups of a guest, a day apart, and one of a container and one of a host."""
    config = tmp_path / "qemu-server.conf"
    config.write_text("name: elsa\nmemory: 512\n")
    for number in range(3):
        back_up(site, namespace, "vm/100", START + number * DAY, f"qemu-server.conf:{config}")
    back_up(site, namespace, "ct/101", START, f"pct.conf:{config}")
    back_up(site, namespace, "host/elsa", START, f"x.conf:{config}")
    return namespace


def back_up(site: BackupSite, namespace: str, group: str, moment: int, *words: str | Path) -> None:
    kind, name = group.split("/")
    place = ("--backup-type", kind, "--backup-id", name, "--backup-time", str(moment), "--ns", namespace)
    site.succeed("backup", *words, *place)


def test_add_list_and_status(host: StorageHost, vm: str) -> None:
    assert host.add("b1", "--namespace", vm) == ""
    lines = host.succeed("status", "--storage", "b1").splitlines()
    assert lines[0].split()[:3] == ["Name", "Type", "Status"]
    name, kind, status, total, used, available, share = lines[1].split()
    assert (name, kind, status) == ("b1", "pbs", "active")
    assert int(total) >= int(used) + int(available) > 0
    assert share.endswith("%")
    listed = host.succeed("list", "b1").splitlines()
    assert [line.split()[0] for line in listed[1:]] == [
        "b1:backup/ct/101/2024-05-29T16:26:40Z",
        *(f"b1:{name}" for name in NAMES),
    ]
    assert listed[1].split()[1:3] == ["pbs-ct", "backup"]
    assert len(host.succeed("list", "b1", "--vmid", "101").splitlines()) == 2
    assert host.succeed("list", "b1", "--content", "images") == ""
    repository = f"archiver@pbs@127.0.0.1:{host.site.server.port}:main"
    assert host.succeed("path", f"b1:{NAMES[0]}") == f"pbs://{repository}/{NAMES[0][7:]}?ns={vm}\n"


def test_what_lists_tell_of_a_backup(host: StorageHost, vm: str, tmp_path: Path, site: BackupSite, key: Path) -> None:
    host.add("b1", "--namespace", vm)
    config = tmp_path / "qemu-server.conf"
    back_up(site, vm, "vm/200", START, f"qemu-server.conf:{config}", "--keyfile", key)
    volume = VolumeId("b1", NAMES[0])
    plugin = host.storages.of_volume(volume)
    plugin.set_attribute(volume.name, "notes", "first line\nsecond")
    plugin.set_attribute(volume.name, "protected", True)
    assert plugin.attribute(volume.name, "notes") == "first line\nsecond"
    assert plugin.attribute(volume.name, "protected") is True
    entries = {str(entry.volume): entry.describe() for entry in host.storages.volumes("b1")}
    first, second = (entries[f"b1:{name}"] for name in NAMES[:2])
    size = plugin.size(NAMES[1]).size
    assert second == {
        "volid": f"b1:{NAMES[1]}",
        "format": "pbs-vm",
        "content": "backup",
        "subtype": "qemu",
        "vmid": 100,
        "ctime": START + DAY,
        "size": size,
    }
    assert (first["notes"], first["protected"]) == ("first line", 1)
    encrypted = entries["b1:backup/vm/200/2024-05-29T16:26:40Z"]["encrypted"]
    assert encrypted == json.loads(key.read_text())["fingerprint"]
    assert entries["b1:backup/ct/101/2024-05-29T16:26:40Z"]["subtype"] == "lxc"
    with pytest.raises(PbstoreError, match="attribute 'x' is not supported for storage type 'pbs'"):
        plugin.attribute(volume.name, "x")


def test_protection_is_limited_and_keeps_a_backup(host: StorageHost, vm: str) -> None:
    host.add("b1", "--namespace", vm, "--max-protected-backups", "1")
    plugin = host.storages.of_volume(VolumeId("b1", NAMES[0]))
    plugin.set_attribute(NAMES[0], "protected", True)
    with pytest.raises(PbstoreError, match="The number of protected backups per guest is limited to 1 on storage 'b1'"):
        plugin.set_attribute(NAMES[1], "protected", True)
    plugin.set_attribute(NAMES[0], "protected", True)
    assert "protected" in host.error("free", f"b1:{NAMES[0]}")
    host.succeed("set", "b1", "--delete", "max-protected-backups")
    plugin = host.storages.of_volume(VolumeId("b1", NAMES[0]))
    with pytest.raises(PbstoreError, match="limited to 1"):
        plugin.set_attribute(NAMES[1], "protected", True, protected_limit=1)
    plugin.set_attribute(NAMES[1], "protected", True)
    plugin.set_attribute(NAMES[1], "protected", False)
    assert host.succeed("free", f"b1:{NAMES[1]}", "--delay", "5") == f"Removed volume 'b1:{NAMES[1]}'\n"
    assert host.succeed("free", NAMES[2], "--storage", "b1") == f"Removed volume 'b1:{NAMES[2]}'\n"
    assert len(host.succeed("list", "b1", "--vmid", "100").splitlines()) == 2


def test_pruning(host: StorageHost, vm: str) -> None:
    host.add("b1", "--namespace", vm)
    assert host.error("prune-backups", "b1") == "no prune-backups options configured for storage 'b1'\n"
    host.succeed("set", "b1", "--prune-backups", "keep-last=1")
    preview = host.succeed("prune-backups", "b1", "--dry-run").splitlines()
    assert preview[0].startswith("NOTE: this is only a preview")
    assert [line.split()[1:] for line in preview[4:]] == [
        ["qemu/100", "remove"],
        ["qemu/100", "remove"],
        ["qemu/100", "keep"],
        ["lxc/101", "keep"],
    ]
    assert host.succeed("prune-backups", "b1", "--dry-run", "--type", "lxc").splitlines()[4:] == preview[7:]
    keep = host.succeed("prune-backups", "b1", "--keep-all", "1", "--vmid", "100", "--type", "qemu", "--dry-run")
    assert [line.split()[2] for line in keep.splitlines()[4:]] == ["keep"] * 3
    assert host.succeed("prune-backups", "b1", "--dry-run", "--vmid", "999") == "No backups found\n"
    assert "keep-all cannot be set together" in host.error("prune-backups", "b1", "--keep-all", "--keep-last", "1")
    assert host.succeed("prune-backups", "b1") == (
        "running 'proxmox-backup-client prune' for 'ct/101'\nrunning 'proxmox-backup-client prune' for 'vm/100'\n"
    )
    assert len(host.succeed("list", "b1").splitlines()) == 3
    host.succeed("set", "b1", "--content", "none")
    assert host.error("prune-backups", "b1") == "storage 'b1' does not support backups\n"


def test_a_group_that_cannot_be_pruned_does_not_stop_the_others(host: StorageHost, vm: str) -> None:
    host.add("b1", "--namespace", vm)
    outcome = host("prune-backups", "b1", "--vmid", "999", "--type", "qemu", "--keep-last", "1")
    assert outcome.exit_code == 255
    assert outcome.stderr == "error pruning backups - check log\n"
    assert "prune 'vm/999': " in outcome.stdout


def test_the_configuration_in_a_backup(host: StorageHost, vm: str, site: BackupSite, key: Path, tmp_path: Path) -> None:
    host.add("b1", "--namespace", vm)
    text = "name: elsa\nmemory: 512\n"
    assert host.succeed("extractconfig", f"b1:{NAMES[0]}") == f"{text}\n"
    assert host.succeed("extractconfig", "b1:backup/ct/101/2024-05-29T16:26:40Z") == f"{text}\n"
    assert "unable to extract configuration for backup format 'pbs-host'" in host.error(
        "extractconfig", "b1:backup/host/elsa/2024-05-29T16:26:40Z"
    )
    config = tmp_path / "qemu-server.conf"
    back_up(site, vm, "vm/200", START, f"qemu-server.conf:{config}", "--keyfile", key)
    secret = "b1:backup/vm/200/2024-05-29T16:26:40Z"
    assert "missing key" in host.error("extractconfig", secret)
    host.succeed("set", "b1", "--encryption-key", key)
    assert host.succeed("extractconfig", secret) == f"{text}\n"
    stored = host.root / "etc/pve/priv/storage/b1.enc"
    stored.rename(stored.with_suffix(".away"))
    assert "but no encryption key file found!" in host.error("extractconfig", secret)
    outcome = host("status", "--storage", "b1")
    assert "encryption configured" in outcome.stderr
    assert outcome.stdout.splitlines()[1].split()[2] == "active"
    stored.with_suffix(".away").rename(stored)
    host.succeed("set", "b1", "--encryption-key", "autogen")
    assert "wrong key" in host.error("extractconfig", secret)


def test_what_a_backup_server_does_not_do(host: StorageHost, vm: str) -> None:
    host.add("b1", "--namespace", vm)
    assert host.error("alloc", "b1", "100", "x", "4G") == "can't allocate space in pbs storage\n"
    plugin = host.storages.of_volume(VolumeId("b1", NAMES[0]))
    for call, text in (
        (lambda: plugin.clone_image(NAMES[0], 100), "can't clone images in pbs storage"),
        (lambda: plugin.create_base(NAMES[0]), "can't create base images in pbs storage"),
        (lambda: plugin.snapshot(NAMES[0], "s"), "volume snapshot is not possible on pbs device"),
        (lambda: plugin.rollback(NAMES[0], "s"), "volume snapshot rollback is not possible on pbs device"),
        (lambda: plugin.delete_snapshot(NAMES[0], "s"), "volume snapshot delete is not possible on pbs device"),
        (lambda: plugin.resize(NAMES[0], 1), "volume resize is not possible on pbs device"),
        (lambda: plugin.snapshot_path(NAMES[0], "s"), "volume snapshot is not possible on pbs storage"),
    ):
        with pytest.raises(PbstoreError) as caught:
            call()
        assert str(caught.value) == text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--fingerprint", WRONG), "b1: error fetching datastores - "),
        ((), "b1: error fetching datastores - "),
        (("--password", "wrong"), "b1: error fetching datastores - login as 'archiver@pbs' failed"),
        (("--datastore", "nope"), "b1: Cannot find datastore 'nope', check permissions and existence!"),
    ],
)
def test_what_cannot_be_reached_is_not_added(host: StorageHost, words: tuple[str, ...], text: str) -> None:
    given = {"--username": "archiver@pbs", "--password": PASSWORD, "--fingerprint": host.site.server.fingerprint}
    given |= dict(zip(words[::2], words[1::2], strict=True))
    if not words:
        del given["--fingerprint"]
    options = [part for pair in given.items() for part in pair]
    message = host.error("add", "pbs", "b1", *host.address, *options)
    assert message.startswith(f"create storage failed: {text}")
    assert message.count("\n") == 1
    assert PASSWORD not in message
    assert not (host.root / "etc/pve/storage.cfg").exists()
    assert list((host.root / "etc/pve/priv/storage").iterdir()) == []


def test_an_api_token(host: StorageHost) -> None:
    server = host.site.server
    server.create_user("token@pbs", "Token12345")
    secret = server.create_token("token@pbs!pve")
    for auth_id in ("token@pbs", "token@pbs!pve"):
        server.grant("/datastore/main", auth_id, "DatastoreAdmin")
    assert server.request("GET", "/api2/json/version", headers=token_header("token@pbs!pve", secret)).status == 200
    login = ("--username", "token@pbs!pve", "--password", secret, "--fingerprint", server.fingerprint)
    host.succeed("add", "pbs", "b1", *host.address, *login)
    assert host.succeed("status", "--storage", "b1").splitlines()[1].split()[2] == "active"
    assert secret not in (host.root / "etc/pve/storage.cfg").read_text()


def test_scanning_a_server(host: StorageHost) -> None:
    server = host.site.server
    where = ("127.0.0.1", "archiver@pbs", "--port", str(server.port), "--password", PASSWORD)
    trusted = (*where, "--fingerprint", server.fingerprint)
    assert host.succeed("scan", "pbs", *trusted) == (
        "┌───────┬─────────┐\n│ store │ comment │\n╞═══════╪═════════╡\n│ main  │         │\n└───────┴─────────┘\n"
    )
    assert host.succeed("pbsscan", *trusted, "--noborder", "--noheader").split() == ["main"]
    rows = json.loads(host.succeed("scan", "pbs", *trusted, "--output-format", "json"))
    assert [row["store"] for row in rows] == ["main"]
    assert host.succeed("scan", "pbs", *trusted, "--output-format", "json-pretty").startswith("[\n   {\n      ")
    assert '\n  store: "main"' in host.succeed("scan", "pbs", *trusted, "--output-format", "yaml")
    assert host.succeed("scan", "pbs", *trusted, "--quiet") == ""
    assert host.error("scan", "pbs", *where).startswith("error fetching datastores - ")
    assert "login as" in host.error("scan", "pbs", *(*trusted[:5], "wrong", *trusted[6:]))


def test_a_server_that_is_away(host: StorageHost, vm: str) -> None:
    host.add("b1", "--namespace", vm)
    host.succeed("set", "b1", "--port", "1")
    outcome = host("status", "--storage", "b1")
    assert outcome.exit_code == 0
    assert outcome.stderr.startswith("b1: error fetching datastores - ")
    assert outcome.stdout.splitlines()[1].split() == ["b1", "pbs", "inactive", "0", "0", "0", "0.00%"]
    assert host.error("list", "b1").startswith("b1: error fetching datastores - ")


def test_a_second_node_sees_the_same(site: BackupSite, tmp_path: Path, runner: Runner, vm: str) -> None:
    shared = tmp_path / "shared"
    one, two = (StorageHost(site, tmp_path / node, runner, node, shared) for node in ("pve1", "pve2"))
    one.add("b1", "--namespace", vm)
    assert one.succeed("list", "b1") == two.succeed("list", "b1")
    two.succeed("set", "b1", "--nodes", "pve2")
    assert one.error("list", "b1") == "storage 'b1' is not available on node 'pve1'\n"
    assert [path.name for path in (shared / "priv/storage").iterdir()] == ["b1.pw"]


def test_the_servers_identity(host: StorageHost) -> None:
    host.add("b1")
    identity = host.storages.plugin(host.storages.usable("b1")).identity()
    host.add("b2", "--namespace", "")
    assert host.storages.plugin(host.storages.usable("b2")).identity() == identity


def test_secrets_are_in_no_output_and_no_public_file(host: StorageHost, vm: str) -> None:
    host.add("b1", "--namespace", vm, "--encryption-key", "autogen")
    key = json.loads((host.root / "etc/pve/priv/storage/b1.enc").read_text())["data"]
    shown = "".join(
        host(*words).stdout + host(*words).stderr
        for words in (("status",), ("list", "b1"), ("set", "b1", "--server", "x"), ("list", "b2"), ("free", "b1:x"))
    )
    assert PASSWORD not in shown
    assert key not in shown
    public = [path for path in host.root.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert public
    assert all(PASSWORD not in path.read_text() and key not in path.read_text() for path in public)
