"""The chapter's requirements about configuration, R1 to R21, R37 and R38, by its own commands and paths.

R2, R4 and R14 are about the API and its pages and are not tried here.
"""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from seed.seed_host import PASSWORD, SERVER, USER, SeedHost

pytestmark = [pytest.mark.slow, pytest.mark.root, pytest.mark.timeout(300)]

CONFIG = "/etc/pve/storage.cfg"
SECRETS = "/etc/pve/priv/storage"
WRONG = ":".join(["00"] * 32)


def section(host: SeedHost, storage_id: str) -> list[str]:
    """The lines of a storage's section."""
    found = [part for part in host.read(CONFIG).split("\n\n") if part.startswith(f"pbs: {storage_id}\n")]
    return [line.strip() for line in found[0].splitlines()[1:]] if found else []


def is_listed(host: SeedHost, storage_id: str) -> bool:
    return host.exists(CONFIG) and bool(section(host, storage_id))


def test_r1_a_storage_of_type_pbs_is_used_like_any_other(host: SeedHost) -> None:
    assert host.add("r1") == ""
    assert re.search(r"^r1 +pbs +active ", host.succeed("pvesm", "status"), re.MULTILINE)


def test_r3_it_can_be_added_by_the_command_line(host: SeedHost) -> None:
    host.add("r3")
    assert section(host, "r3") == [
        "datastore main",
        f"server {SERVER}",
        f"fingerprint {host.fingerprint}",
        f"username {USER}",
    ]
    assert host.facts(CONFIG) == "root 640"


def test_r5_the_common_properties_round_trip(host: SeedHost) -> None:
    host.add("r5")
    host.succeed("pvesm", "set", "r5", "--nodes", "pve1,pve2", "--disable", "1", "--prune-backups", "keep-last=3")
    host.succeed("pvesm", "set", "r5", "--content", "backup", "--max-protected-backups", "7")
    lines = ["disable", "content backup", "max-protected-backups 7", "nodes pve1,pve2", "prune-backups keep-last=3"]
    assert set(lines) <= set(section(host, "r5"))
    host.succeed("pvesm", "set", "r5", "--maxfiles", "2")
    assert "prune-backups keep-last=2" in section(host, "r5")


def test_r6_shared_cannot_be_set(host: SeedHost) -> None:
    host.add("r6")
    message = host.error("pvesm", "set", "r6", "--shared", "0")
    assert message == "update storage failed: unexpected property 'shared'\n"


def test_r7_server_is_required_and_fixed(host: SeedHost) -> None:
    message = host.error("pvesm", "add", "pbs", "r7", "--datastore", "main", "--username", USER, "--password", "x")
    assert message == "create storage failed: missing value for required option 'server'\n"
    host.add("r7")
    message = host.error("pvesm", "set", "r7", "--server", "x")
    assert message == "update storage failed: can't change value of fixed parameter 'server'\n"


def test_r8_user_or_token_with_realm_and_root_without_one(host: SeedHost) -> None:
    made = host.succeed("proxmox-backup-manager", "user", "generate-token", USER, "pve")
    secret = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", made)
    assert secret is not None
    rights = ("acl", "update", "/datastore/main", "DatastoreAdmin", "--auth-id", f"{USER}!pve")
    host.succeed("proxmox-backup-manager", *rights)
    where = ("pvesm", "add", "pbs", "r8", "--server", SERVER, "--datastore", "main", "--fingerprint", host.fingerprint)
    host.succeed(*where, "--username", f"{USER}!pve", "--password", secret[0])
    assert f"username {USER}!pve" in section(host, "r8")
    host.succeed("pvesm", "remove", "r8")
    assert "login as 'root@pam' failed" in host.error(*where, "--password", "x")
    assert "username: invalid format" in host.error(*where, "--username", "nobody", "--password", "x")


def test_r9_the_password_is_never_in_the_configuration(host: SeedHost) -> None:
    host.add("r9")
    assert host.run("grep", "-c", "password", CONFIG).stdout == "0\n"
    assert PASSWORD not in host.read(CONFIG)


def test_r10_the_password_file(host: SeedHost) -> None:
    host.add("r10")
    assert host.read(f"{SECRETS}/r10.pw") == f"{PASSWORD}\n"
    assert host.facts(f"{SECRETS}/r10.pw") == "root 600"
    assert (host.facts(SECRETS), host.facts("/etc/pve/priv")) == ("root 700", "root 700")
    host.succeed("pvesm", "remove", "r10")
    assert not host.exists(f"{SECRETS}/r10.pw")


def test_r11_datastore_is_required_fixed_and_has_to_exist(host: SeedHost) -> None:
    login = ("--server", SERVER, "--username", USER, "--password", PASSWORD, "--fingerprint", host.fingerprint)
    message = host.error("pvesm", "add", "pbs", "r11", *login)
    assert message == "create storage failed: missing value for required option 'datastore'\n"
    message = host.error("pvesm", "add", "pbs", "r11", *login, "--datastore", "x", "--encryption-key", "autogen")
    reason = "r11: Cannot find datastore 'x', check permissions and existence!"
    assert message == f"create storage failed: {reason}\n"
    assert not is_listed(host, "r11")
    assert "r11" not in host.succeed("ls", SECRETS)
    host.add("r11")
    assert host.error("pvesm", "set", "r11", "--datastore", "y").startswith("Unknown option: datastore\n")


def test_r12_the_form_of_a_fingerprint(host: SeedHost) -> None:
    host.add("r12")
    host.succeed("pvesm", "set", "r12", "--fingerprint", host.fingerprint.upper())
    assert host.succeed("pvesm", "status", "--storage", "r12").splitlines()[1].split()[2] == "active"
    message = host.error("pvesm", "set", "r12", "--fingerprint", host.fingerprint.replace(":", ""))
    assert "fingerprint: value does not match the regex pattern\n" in message


def test_r13_which_certificates_are_trusted(host: SeedHost) -> None:
    where = ("pvesm", "add", "pbs", "r13", "--server", SERVER, "--datastore", "main", "--username", USER)
    login = (*where, "--password", PASSWORD)
    assert "certificate" in host.error(*login)
    assert "certificate" in host.error(*login, "--fingerprint", WRONG)
    assert not is_listed(host, "r13")
    host.succeed(*login, "--fingerprint", host.fingerprint)
    host.succeed("pvesm", "remove", "r13")
    host.succeed(*login, SSL_CERT_FILE=str(host.authority))
    assert not any(line.startswith("fingerprint") for line in section(host, "r13"))


def test_r15_the_fingerprint_by_the_manager(host: SeedHost) -> None:
    shown = re.search(r"^Fingerprint \(sha256\): (\S+)$", host.succeed("proxmox-backup-manager", "cert", "info"), re.M)
    assert shown is not None
    pem = host.read("/etc/proxmox-backup/proxy.pem")
    der = base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-")))
    assert shown[1].replace(":", "") == hashlib.sha256(der).hexdigest()
    assert shown[1] == host.fingerprint


def test_r16_a_given_encryption_key(host: SeedHost, tmp_path: Path) -> None:
    key = tmp_path / "k.json"
    host.client("key", "create", key, "--kdf", "none")
    host.add("r16", "--encryption-key", key)
    assert json.loads(host.read(f"{SECRETS}/r16.enc")) == json.loads(key.read_text())
    assert host.facts(f"{SECRETS}/r16.enc") == "root 600"
    assert f"encryption-key {json.loads(key.read_text())['fingerprint']}" in section(host, "r16")
    protected = json.dumps({**json.loads(key.read_text()), "kdf": {"Scrypt": {}}})
    key.write_text(protected)
    assert "protected by a password" in host.error("pvesm", "set", "r16", "--encryption-key", key)


def test_r17_a_key_is_generated(host: SeedHost) -> None:
    host.add("r17")
    assert not host.exists(f"{SECRETS}/r17.enc")
    host.succeed("pvesm", "set", "r17", "--encryption-key", "autogen")
    text = host.read(f"{SECRETS}/r17.enc")
    assert '"kdf":null' in text
    assert f"encryption-key {json.loads(text)['fingerprint']}" in section(host, "r17")


def test_r18_maxfiles_of_the_sample(host: SeedHost) -> None:
    host.add("r18")
    host.write("/etc/pve/kept", host.read(CONFIG))
    for old, preview in (("maxfiles 0", "No backups found"), ("maxfiles 3", "No backups found")):
        host.write(CONFIG, host.read("/etc/pve/kept").replace("pbs: r18\n", f"pbs: r18\n\t{old}\n"))
        done = host.run("pvesm", "prune-backups", "r18", "--vmid", "999", "--dry-run")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{preview}\n", "")
    host.succeed("pvesm", "set", "r18", "--content", "backup")
    assert "prune-backups keep-last=3" in section(host, "r18")
    assert not any(line.startswith("maxfiles") for line in section(host, "r18"))


def test_r19_a_master_key_needs_an_encryption_key(host: SeedHost, tmp_path: Path) -> None:
    public = host.make_master_key(tmp_path)
    login = ("--username", USER, "--password", PASSWORD, "--fingerprint", host.fingerprint)
    where = ("pvesm", "add", "pbs", "r19", "--server", SERVER, "--datastore", "main", *login)
    message = host.error(*where, "--master-pubkey", public)
    assert message == "create storage failed: 'master-pubkey' can only be used together with 'encryption-key'\n"
    host.succeed(*where, "--master-pubkey", public, "--encryption-key", "autogen")
    assert host.read(f"{SECRETS}/r19.master.pem") == f"{public.read_text()}\n"
    assert host.facts(f"{SECRETS}/r19.master.pem") == "root 600"
    assert "master-pubkey 1" in section(host, "r19")


def test_r21_the_sample_section(host: SeedHost) -> None:
    kept = host.read(CONFIG) if host.exists(CONFIG) else ""
    sample = f"""pbs: backup
        datastore main
        server enya.proxmox.com
        content backup
        fingerprint {host.fingerprint}
        maxfiles 0
        username archiver@pbs
"""
    host.write(CONFIG, sample)
    host.succeed("sh", "-c", f"umask 077 && mkdir -p {SECRETS} && echo {PASSWORD} > {SECRETS}/backup.pw")
    try:
        done = host.run("pvesm", "status", "--storage", "backup")
        assert done.stderr == ""
        assert done.stdout.splitlines()[1].split()[:3] == ["backup", "pbs", "active"]
        address = host.succeed("pvesm", "path", "backup:backup/vm/100/2024-01-01T00:00:00Z")
        assert address == f"pbs://{USER}@{SERVER}:main/vm/100/2024-01-01T00:00:00Z\n"
        assert host.read(CONFIG) == sample
    finally:
        host.write(CONFIG, kept)


def test_r37_the_command_of_the_chapter_asks_for_the_password(host: SeedHost) -> None:
    words = ("--server", SERVER, "--datastore", "main", "--username", USER, "--fingerprint", host.fingerprint)
    code, shown = host.type([PASSWORD.encode() + b"\n"], "pvesm", "add", "pbs", "r37", *words, "--password")
    assert (code, shown) == (0, "Enter Password: \n")
    assert re.search(r"^r37 +pbs +active ", host.succeed("pvesm", "status"), re.MULTILINE)
    assert host.read(f"{SECRETS}/r37.pw") == f"{PASSWORD}\n"
    assert re.search(r"^r37 +pbs +active ", host.succeed("pvesm", "status", PBSTORE_NODE="pve2"), re.MULTILINE)


def test_r38_scan_port_and_namespace(host: SeedHost) -> None:
    where = ("pvesm", "scan", "pbs", SERVER, USER, "--password", PASSWORD, "--fingerprint", host.fingerprint)
    lines = host.succeed(*where, "--noborder").splitlines()
    assert [line.split() for line in lines] == [["store", "comment"], ["main"]]
    host.client("namespace", "create", "r38")
    host.add("r38", "--port", "8007", "--namespace", "r38", "--prune-backups", "keep-all=1")
    assert {"port 8007", "namespace r38", "prune-backups keep-all=1"} <= set(section(host, "r38"))
    assert re.search(r"^r38 +pbs +active ", host.succeed("pvesm", "status"), re.MULTILINE)
