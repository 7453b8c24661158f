"""The chapter's requirements about features and encryption, R20 and R22 to R36, by its own commands and paths.

What a backup job does with a storage's keys is done here by the backup client with the same key files.
"""

import json
import re
from pathlib import Path

import pytest

from seed.seed_host import PASSWORD, SeedHost

pytestmark = [pytest.mark.slow, pytest.mark.root, pytest.mark.timeout(300)]

SECRETS = "/etc/pve/priv/storage"
NAME = "2024-05-29T16:26:40Z"
MOMENT = "1717000000"
SECRET = "name: the text that nobody may read\n" * 40


def back_up(host: SeedHost, group: str, source: Path, storage_id: str | None = None, *words: str) -> None:
    """Back up a file as the configuration of a guest, and as an image, with the keys of a storage."""
    kind, name = group.split("/")
    archive = "pct.conf" if kind == "ct" else "qemu-server.conf"
    place = ("--backup-type", kind, "--backup-id", name, "--backup-time", MOMENT)
    keys = ["--keyfile", f"{SECRETS}/{storage_id}.enc"] if storage_id else []
    if storage_id and host.exists(f"{SECRETS}/{storage_id}.master.pem"):
        keys += ["--master-pubkey-file", f"{SECRETS}/{storage_id}.master.pem"]
    host.client("backup", f"{archive}:{source}", f"drive-scsi0.img:{source}", *place, *keys, *words)


def restore(host: SeedHost, group: str, key: str | Path | None, target: Path) -> str:
    """Restore the image of a guest; its content."""
    keys = ("--keyfile", key) if key else ()
    host.client("restore", f"{group}/{NAME}", "drive-scsi0.img", target, *keys)
    return target.read_text()


def files(host: SeedHost, group: str) -> list[str]:
    listed = json.loads(host.client("snapshot", "files", f"{group}/{NAME}", "--output-format", "json"))
    return [row["filename"] for row in listed]


def chunk_count(host: SeedHost) -> int:
    return int(host.succeed("sh", "-c", "find /var/store/main/.chunks -type f | wc -l"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What is backed up, different in each test."""
    path = tmp_path / "source"
    path.write_text(f"# {tmp_path.name}\n{SECRET}")
    return path


def test_r20_the_key_is_attached_for_the_holder_of_the_master_key(host: SeedHost, source: Path, tmp_path: Path) -> None:
    host.add("r20", "--encryption-key", "autogen", "--master-pubkey", host.make_master_key(tmp_path))
    back_up(host, "vm/2000", source, "r20")
    assert "rsa-encrypted.key.blob" in files(host, "vm/2000")


def test_r22_backups_and_nothing_else(host: SeedHost) -> None:
    host.add("r22")
    done = host.run("pvesm", "set", "r22", "--content", "images")
    assert (done.returncode, done.stderr) == (0, "storage does not support content type 'images'\n")
    assert "\tcontent none\n" in host.read("/etc/pve/storage.cfg")
    host.succeed("pvesm", "set", "r22", "--content", "backup")
    assert host.error("pvesm", "alloc", "r22", "100", "x", "4G") == "can't allocate space in pbs storage\n"


def test_r23_no_image_formats(host: SeedHost) -> None:
    host.add("r23")
    code = "print(storages.states(storage_id='r23')[0].describe(with_formats=True)['formats'])"
    assert host.python(code) == "{'supported': []}\n"


def test_r24_every_node_sees_the_same(host: SeedHost, source: Path) -> None:
    host.client("namespace", "create", "r24")
    host.add("r24", "--namespace", "r24")
    back_up(host, "vm/2400", source, None, "--ns", "r24")
    listed = host.succeed("pvesm", "list", "r24")
    assert f"r24:backup/vm/2400/{NAME} pbs-vm  backup" in listed
    assert host.succeed("pvesm", "list", "r24", PBSTORE_NODE="pve2") == listed
    assert host.python("print(storages.states(storage_id='r24')[0].describe()['shared'])") == "1\n"


REFUSED = """
from pbstore.errors import PbstoreError
plugin = storages.plugin(storages.usable('{storage}'))
for call in ({calls}):
    try:
        call()
    except PbstoreError as error:
        print(error)
"""
VOLUME = f"'backup/vm/100/{NAME}'"


def test_r25_no_snapshots(host: SeedHost) -> None:
    host.add("r25")
    calls = (f"lambda: plugin.{name}({VOLUME}, 's')" for name in ("snapshot", "rollback", "delete_snapshot"))
    assert host.python(REFUSED.format(storage="r25", calls=", ".join(calls))).splitlines() == [
        "volume snapshot is not possible on pbs device",
        "volume snapshot rollback is not possible on pbs device",
        "volume snapshot delete is not possible on pbs device",
    ]


def test_r26_no_linked_clones(host: SeedHost) -> None:
    host.add("r26")
    calls = f"lambda: plugin.clone_image({VOLUME}, 100), lambda: plugin.create_base({VOLUME})"
    assert host.python(REFUSED.format(storage="r26", calls=calls)).splitlines() == [
        "can't clone images in pbs storage",
        "can't create base images in pbs storage",
    ]


def test_r27_the_server_never_has_the_key(host: SeedHost, source: Path, tmp_path: Path) -> None:
    host.add("r27", "--encryption-key", "autogen")
    back_up(host, "vm/2700", source, "r27")
    key = json.loads(host.read(f"{SECRETS}/r27.enc"))
    places = ("/var/store/main", "/var/log", "/var/lib", "/etc/proxmox-backup")
    for secret in ("that nobody may read", key["data"]):
        assert host.run("grep", "-rlaF", secret, *places).stdout == ""
    assert restore(host, "vm/2700", f"{SECRETS}/r27.enc", tmp_path / "back") == source.read_text()


def test_r28_the_command_line_configures_encryption(host: SeedHost, tmp_path: Path) -> None:
    key = tmp_path / "k.json"
    host.client("key", "create", key, "--kdf", "none")
    host.add("r28", "--encryption-key", key)
    host.add("r28b")
    host.succeed("pvesm", "set", "r28b", "--encryption-key", key)
    assert host.read(f"{SECRETS}/r28.enc") == host.read(f"{SECRETS}/r28b.enc") == f"{key.read_text()}\n"
    host.succeed("pvesm", "set", "r28b", "--delete", "encryption-key")
    assert not host.exists(f"{SECRETS}/r28b.enc")


def test_r29_only_root_may_read_the_key(host: SeedHost) -> None:
    host.add("r29", "--encryption-key", "autogen")
    host.succeed("pvesm", "set", "r29", "--encryption-key", "autogen")
    for suffix in ("enc", "enc.old", "pw"):
        assert host.facts(f"{SECRETS}/r29.{suffix}") == "root 600"


def test_r30_without_its_key_a_backup_cannot_be_read(host: SeedHost, source: Path) -> None:
    host.add("r30", "--encryption-key", "autogen")
    back_up(host, "vm/3000", source, "r30")
    volume = f"r30:backup/vm/3000/{NAME}"
    assert host.succeed("pvesm", "extractconfig", volume) == f"{source.read_text()}\n"
    host.succeed("mv", f"{SECRETS}/r30.enc", "/etc/pve/copy")
    fingerprint = json.loads(host.read("/etc/pve/copy"))["fingerprint"]
    missing = f"encryption configured ('{fingerprint}') but no encryption key file found!"
    assert missing in host.error("pvesm", "extractconfig", volume)
    assert missing in host.run("pvesm", "status").stderr
    host.succeed("mv", "/etc/pve/copy", f"{SECRETS}/r30.enc")
    assert host.succeed("pvesm", "extractconfig", volume) == f"{source.read_text()}\n"


def test_r31_the_key_on_paper(host: SeedHost) -> None:
    host.add("r31", "--encryption-key", "autogen")
    page = host.client("key", "paperkey", f"{SECRETS}/r31.enc", "--output-format", "text")
    match = re.search(r"-----BEGIN PROXMOX BACKUP KEY-----\n(.*?)-----END PROXMOX BACKUP KEY-----\n", page, re.DOTALL)
    assert match is not None
    assert json.loads(match[1]) == json.loads(host.read(f"{SECRETS}/r31.enc"))
    assert "█" in page


def test_r32_one_master_key_for_all(host: SeedHost, source: Path, tmp_path: Path) -> None:
    public = host.make_master_key(tmp_path)
    for number in (1, 2):
        host.add(f"r32-{number}", "--encryption-key", "autogen", "--master-pubkey", public)
        back_up(host, f"vm/320{number}", source, f"r32-{number}")
        assert "rsa-encrypted.key.blob" in files(host, f"vm/320{number}")
    assert host.read(f"{SECRETS}/r32-1.enc") != host.read(f"{SECRETS}/r32-2.enc")


def test_r33_the_master_key_recovers_a_backup_whose_host_is_gone(host: SeedHost, source: Path, tmp_path: Path) -> None:
    host.add("r33", "--encryption-key", "autogen", "--master-pubkey", host.make_master_key(tmp_path))
    back_up(host, "vm/3300", source, "r33")
    host.succeed("pvesm", "remove", "r33")
    assert not host.exists(f"{SECRETS}/r33.enc")
    sealed, recovered = tmp_path / "sealed", tmp_path / "out.json"
    host.client("restore", f"vm/3300/{NAME}", "rsa-encrypted.key", sealed)
    words = ("--master-keyfile", tmp_path / "master-private.pem", "--encrypted-keyfile", sealed, "--kdf", "none")
    recover = ("proxmox-backup-client", "key", "import-with-master-key", recovered, *words)
    code, shown = host.type([b"masterpw-1\n"], *recover)
    assert code == 0, shown
    assert restore(host, "vm/3300", recovered, tmp_path / "back") == source.read_text()


def test_r34_a_master_key_on_paper(host: SeedHost, tmp_path: Path) -> None:
    host.make_master_key(tmp_path)
    page = host.client("key", "paperkey", tmp_path / "master-private.pem", "--output-format", "text")
    assert (tmp_path / "master-private.pem").read_text().splitlines()[1] in page
    assert "█" in page


def test_r35_backups_with_and_without_keys_live_together(host: SeedHost, source: Path, tmp_path: Path) -> None:
    host.add("r35-a", "--encryption-key", "autogen")
    host.add("r35-b", "--encryption-key", "autogen")
    back_up(host, "vm/3500", source)
    back_up(host, "vm/3501", source, "r35-a")
    back_up(host, "ct/3502", source, "r35-b")
    host.succeed("proxmox-backup-manager", "verify", "main")
    keys = {"vm/3500": None, "vm/3501": f"{SECRETS}/r35-a.enc", "ct/3502": f"{SECRETS}/r35-b.enc"}
    for group, key in keys.items():
        assert restore(host, group, key, tmp_path / group.replace("/", "-")) == source.read_text()
    listed = host.python(
        "print([(e.vmid, str(e.more.get('encrypted'))[:1], e.more['verification']['state']) "
        "for e in storages.volumes('r35-a') if 3500 <= e.vmid <= 3502])"
    )
    assert re.fullmatch(r"\[\(3502, '[0-9a-f]', 'ok'\), \(3500, 'N', 'ok'\), \(3501, '[0-9a-f]', 'ok'\)\]\n", listed)


def test_r36_other_keys_share_no_chunks(host: SeedHost, source: Path) -> None:
    host.add("r36-a", "--encryption-key", "autogen")
    host.add("r36-b", "--encryption-key", "autogen")
    before = chunk_count(host)
    back_up(host, "vm/3600", source, "r36-a")
    back_up(host, "vm/3601", source, "r36-a")
    once = chunk_count(host)
    back_up(host, "vm/3602", source, "r36-b")
    assert (once - before, chunk_count(host) - once) == (1, 1)


def test_no_secret_is_where_others_may_read(host: SeedHost) -> None:
    """Of all storages of these tests: passwords and keys are in files of mode 0600 only."""
    host.add("rz", "--encryption-key", "autogen")
    names = host.succeed("sh", "-c", f'cat {SECRETS}/*.enc | grep -o \'"data":"[^"]*\' | cut -d\'"\' -f4').split()
    assert names
    public = host.succeed("find", "/etc/pve", "/var/log", "/var/lib", "/run", "-type", "f", "-perm", "/077").split()
    assert public
    for secret in (PASSWORD, *names):
        assert host.run("grep", "-laF", secret, *public).stdout == ""
