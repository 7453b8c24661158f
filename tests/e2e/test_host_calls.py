"""The calls of a virtualization host, with its variables and descriptors (pve-storage.md 7, vm-ct-backup.md 3)."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from backup_site import PASSWORD, BackupSite
from pbstore.format.master_key import create_master_key
from tree_snapshot import tree_snapshot

pytestmark = pytest.mark.slow

TIME = 1_780_300_800
SNAPSHOT = "ct/101/2026-06-01T08:00:00Z"


class Host:
    """Calls the client as the storage layer does."""

    def __init__(self, site: BackupSite, key: Path, master: Path, namespace: str):
        self.site = site
        self.key = key
        self.master = master
        self.namespace = namespace

    def call(
        self, command: str, words: Sequence[str | Path], *, encrypts: bool
    ) -> "subprocess.CompletedProcess[bytes]":
        """Options of the key first, then the words, then repository and namespace."""
        site, opened = self.site, []
        crypt = ["--crypt-mode=none"]
        if encrypts:
            opened.append(os.open(self.key, os.O_RDONLY))
            crypt = ["--crypt-mode=encrypt", f"--keyfd={opened[0]}"]
            if command == "backup":
                opened.append(os.open(self.master, os.O_RDONLY))
                crypt.append(f"--master-pubkey-fd={opened[1]}")
        place = ["--repository", site.environment["PBS_REPOSITORY"], "--ns", self.namespace]
        variables = {
            "PBS_PASSWORD": PASSWORD,
            "PBS_FINGERPRINT": site.server.fingerprint,
            "PROXMOX_OUTPUT_NO_BORDER": "1",
            "PROXMOX_OUTPUT_NO_HEADER": "1",
            "XDG_CONFIG_HOME": str(site.work / "no config"),
            "XDG_CACHE_HOME": str(site.work / "cache"),
        }
        try:
            return subprocess.run(
                site.client.command(command, *crypt, *words, *place),
                env=site.client.variables(variables),
                pass_fds=opened,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        finally:
            for descriptor in opened:
                os.close(descriptor)

    def succeed(self, command: str, *words: str | Path, encrypts: bool) -> bytes:
        """What a call that works prints."""
        done = self.call(command, words, encrypts=encrypts)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@pytest.mark.parametrize("encrypts", [False, True])
def test_a_container_is_backed_up_and_comes_back(
    site: BackupSite, tree: Path, key: Path, tmp_path: Path, encrypts: bool
) -> None:
    namespace = f"host-{encrypts}"
    (site.store / "ns" / namespace).mkdir(parents=True)
    master = tmp_path / "master.pem"
    master.write_bytes(create_master_key("master-password")[0])
    host = Host(site, key, master, namespace)
    config = tmp_path / "pct.conf"
    config.write_text("arch: amd64\n")
    kept = tree_snapshot(tree)
    for place in ("tmp", "var/tmp", "var/run", "lost+found"):
        (tree / place).mkdir(parents=True)
        (tree / place / "daemon.pid").write_text("1")
    (tree / "var" / "run" / "kept").write_text("kept")
    host.succeed(
        "backup",
        f"pct.conf:{config}",
        f"root.pxar:{tree}",
        *("--include-dev", f"{tree}/./"),
        "--skip-lost-and-found",
        *("--exclude=/tmp/?*", "--exclude=/var/tmp/?*", "--exclude=/var/run/?*.pid"),
        *("--backup-type", "ct", "--backup-id", "101", "--backup-time", str(TIME)),
        *("--change-detection-mode", "metadata", "--entries-max", "1048576"),
        encrypts=encrypts,
    )
    files = {path.name for path in (site.store / "ns" / namespace / SNAPSHOT).iterdir()}
    expected = {"index.json.blob", "pct.conf.blob", "root.mpxar.didx", "root.ppxar.didx"}
    assert files == expected | ({"rsa-encrypted.key.blob"} if encrypts else set())
    assert host.succeed("restore", SNAPSHOT, "pct.conf", "-", encrypts=encrypts) == b"arch: amd64\n"
    target = tmp_path / "target"
    host.succeed("restore", SNAPSHOT, "root.pxar", target, "--allow-existing-dirs", "0", encrypts=encrypts)
    found = {os.fsdecode(path).lstrip("/") for path in tree_snapshot(target)}
    everything = {os.fsdecode(path).lstrip("/") for path in kept}
    assert found == everything | {"tmp", "var", "var/tmp", "var/run", "var/run/kept"}
    again = host.call("restore", (SNAPSHOT, "root.pxar", target, "--allow-existing-dirs", "0"), encrypts=encrypts)
    assert again.returncode == 255
    assert b"File exists" in again.stderr


def test_a_fingerprint_that_is_empty_counts_as_none(site: BackupSite, tree: Path) -> None:
    line = site.error("backup", f"root.pxar:{tree}", "--backup-id", "empty-fingerprint", PBS_FINGERPRINT="")
    assert "Certificate fingerprint was not confirmed" in line
