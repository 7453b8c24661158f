"""The client as a virtualization host calls it: same words, variables and descriptors (pve-storage.md 7)."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backup_site import PASSWORD, BackupSite

# Many runs of the real program.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TIME = 1767225600
SNAPSHOT = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Result:
    """What a call did."""

    exit_code: int
    stdout: str
    stderr: str


class Host:
    """Calls the client with `<cmd> [crypt options] <params…> --repository <repo> [--ns <namespace>]`."""

    def __init__(self, site: BackupSite, work: Path):
        self.site = site
        self.work = work
        self.repository = site.environment["PBS_REPOSITORY"]
        self.key = work / "storage.enc"
        self.master_key = work / "storage.master.pem"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every call."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.work),
            "PBS_PASSWORD": PASSWORD,
            "PBS_FINGERPRINT": self.site.server.fingerprint,
            "PROXMOX_OUTPUT_NO_BORDER": "1",
            "PROXMOX_OUTPUT_NO_HEADER": "1",
        }

    def call(
        self,
        command: str,
        *params: str | Path,
        ns: str | None = None,
        is_json: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> Result:
        """Call it; the crypt options are those of a storage with or without key files."""
        descriptors: list[int] = []
        crypt: list[str] = []
        if command in ("backup", "restore", "upload-log"):
            crypt = self.crypt_options(command, descriptors)
        words = [command, *crypt, *params, *(["--output-format=json"] if is_json else [])]
        words += ["--repository", self.repository, *(["--ns", ns] if ns is not None else [])]
        try:
            return run(self.site.client.command(*words), variables or self.variables, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def crypt_options(self, command: str, descriptors: list[int]) -> list[str]:
        if not self.key.exists():
            return ["--crypt-mode=none"]
        descriptors.append(os.open(self.key, os.O_RDONLY))
        options = ["--crypt-mode=encrypt", f"--keyfd={descriptors[0]}"]
        if command == "backup" and self.master_key.exists():
            descriptors.append(os.open(self.master_key, os.O_RDONLY))
            options.append(f"--master-pubkey-fd={descriptors[1]}")
        return options

    def succeed(self, command: str, *params: str | Path, ns: str | None = None, is_json: bool = False) -> str:
        """Call it; what it printed."""
        result = self.call(command, *params, ns=ns, is_json=is_json)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def container_backup(self, backup_id: str, root: Path, *more: str, ns: str | None = None) -> Result:
        """The call of vzdump for a container (vm-ct-backup.md 3)."""
        pct_conf = self.work / "pct.conf"
        pct_conf.write_text("arch: amd64\n")
        firewall = self.work / "pct.fw"
        firewall.write_text("[OPTIONS]\n")
        return self.call(
            "backup",
            f"pct.conf:{pct_conf}",
            f"fw.conf:{firewall}",
            f"root.pxar:{root}",
            "--include-dev",
            f"{root}/./",
            "--skip-lost-and-found",
            "--exclude=/tmp/?*",
            "--exclude=/var/tmp/?*",
            "--exclude=/var/run/?*.pid",
            "--backup-type",
            "ct",
            "--backup-id",
            backup_id,
            "--backup-time",
            str(TIME),
            *more,
            ns=ns,
        )


def run(command: Sequence[str], variables: Mapping[str, str], descriptors: Sequence[int]) -> Result:
    variables = {**variables, "PYTHONPATH": os.pathsep.join(["tests", "src"])}
    done = subprocess.run(
        command,
        env=variables,
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def host(site: BackupSite, tmp_path: Path) -> Host:
    return Host(site, tmp_path)


@pytest.fixture
def container(tmp_path: Path) -> Path:
    root = tmp_path / "vzsnap0"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "hostname").write_text("ct\n")
    for name in ("tmp", "var/tmp", "var/run", "lost+found"):
        (root / name).mkdir(parents=True)
        (root / name / "daemon.pid").write_text("1")
    (root / "var" / "run" / "kept").write_text("kept")
    return root


def test_a_container_in_a_namespace_without_key(host: Host, container: Path, tmp_path: Path) -> None:
    host.site.succeed("namespace", "create", "hosts")
    result = host.container_backup("9001", container, "--change-detection-mode", "data", ns="hosts")
    assert result.exit_code == 0, result.stderr
    snapshot = f"ct/9001/{SNAPSHOT}"
    files = json.loads(host.succeed("files", snapshot, is_json=True, ns="hosts"))
    assert {item["filename"] for item in files} == {
        "fw.conf.blob",
        "index.json.blob",
        "pct.conf.blob",
        "root.mpxar.didx",
        "root.ppxar.didx",
    }
    assert all({"filename", "size", "crypt-mode"} == set(item) for item in files)
    log = tmp_path / "task.log"
    log.write_text("INFO: done\n")
    host.succeed("upload-log", snapshot, log, ns="hosts")
    target = tmp_path / "restored"
    host.succeed("restore", snapshot, "root.pxar", target, "--allow-existing-dirs", "0", ns="hosts")
    assert (target / "etc" / "hostname").read_text() == "ct\n"
    found = {str(path.relative_to(target)) for path in target.rglob("*")}
    assert found == {"etc", "etc/hostname", "tmp", "var", "var/tmp", "var/run", "var/run/kept"}
    again = host.call("restore", snapshot, "root.pxar", target, "--allow-existing-dirs", "0", ns="hosts")
    assert again.exit_code == 255
    assert "File exists" in again.stderr
    assert host.succeed("restore", snapshot, "pct.conf", "-", ns="hosts") == "arch: amd64\n"
    assert json.loads(host.succeed("snapshots", "ct/9001", is_json=True, ns="hosts"))[0]["backup-id"] == "9001"
    host.succeed("snapshot", "notes", "update", snapshot, "made by vzdump", ns="hosts")
    assert host.succeed("snapshot", "notes", "show", snapshot, ns="hosts") == "made by vzdump\n"
    (verdict,) = json.loads(host.succeed("prune", "ct/9001", "--keep-last", "3", "--dry-run", is_json=True, ns="hosts"))
    assert verdict["keep"] is True
    assert set(verdict) >= {"backup-type", "backup-id", "backup-time", "keep", "protected"}
    assert host.succeed("forget", snapshot, ns="hosts") == ""


def test_a_container_with_keys_by_descriptor(host: Host, container: Path) -> None:
    made = run(host.site.client.command("key", "create", "--kdf", "none", host.key), host.variables, ())
    assert made.exit_code == 0, made.stderr
    host.master_key.write_bytes(_master_public_key())
    result = host.container_backup("9002", container)
    assert result.exit_code == 0, result.stderr
    assert "Using encryption key from file descriptor.." in result.stderr
    assert "Using master key from file descriptor.." in result.stderr
    snapshot = f"ct/9002/{SNAPSHOT}"
    files = {item["filename"]: item for item in json.loads(host.succeed("files", snapshot, is_json=True))}
    assert files["root.pxar.didx"]["crypt-mode"] == "encrypt"
    assert "rsa-encrypted.key.blob" in files
    assert host.succeed("restore", snapshot, "fw.conf", "-") == "[OPTIONS]\n"
    host.succeed("upload-log", snapshot, host.work / "pct.conf")


def _master_public_key() -> bytes:
    public = generate_private_key(65537, 3072).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_status_and_identity(host: Host) -> None:
    status = json.loads(host.succeed("status", "--output-format=json"))
    assert {"total", "used", "avail"} <= set(status)
    identity = json.loads(host.succeed("server-identity", "--output-format=json"))
    assert len(bytes.fromhex(identity["pbs-instance-id"])) == 16
    # Without borders and header, as the variables say.
    assert host.succeed("status").splitlines()[0].split()[0] == "total"


def test_a_host_directory(host: Host, container: Path, tmp_path: Path) -> None:
    host.succeed("backup", f"tree.pxar:{container}", "--backup-type", "host", "--backup-id", "helper")
    (snapshot,) = json.loads(host.succeed("snapshots", "host/helper", is_json=True))
    assert snapshot["backup-type"] == "host"
    host.succeed("restore", "host/helper", "tree.pxar", tmp_path / "back", "--allow-existing-dirs", "0")
    assert (tmp_path / "back" / "etc" / "hostname").read_text() == "ct\n"


def test_failures_end_with_the_reason(host: Host) -> None:
    result = host.call("status", "--output-format=json", variables={**host.variables, "PBS_PASSWORD": "wrong"})
    assert (result.exit_code, result.stdout) == (255, "")
    assert result.stderr == "Error: login as 'archiver@pbs' failed - permission check failed.\n"
    # An empty fingerprint is none: nobody vouches for the certificate then.
    result = host.call("status", "--output-format=json", variables={**host.variables, "PBS_FINGERPRINT": ""})
    assert (result.exit_code, result.stdout) == (255, "")
    assert result.stderr.startswith("Error: Certificate fingerprint was not confirmed.")


def test_a_secret_from_a_descriptor(host: Host) -> None:
    reading, writing = os.pipe()
    os.write(writing, PASSWORD.encode() + b"\nsecond line\n")
    os.close(writing)
    variables = {name: value for name, value in host.variables.items() if name != "PBS_PASSWORD"}
    words = ["status", "--output-format=json", "--repository", host.repository]
    result = run(host.site.client.command(*words), {**variables, "PBS_PASSWORD_FD": str(reading)}, [reading])
    os.close(reading)
    assert result.exit_code == 0, result.stderr
