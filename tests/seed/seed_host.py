"""A machine of its own in namespaces of the kernel: the chapter's literal paths, its host name and the default port.

Backup server and storage host are one machine. Nothing of it is seen outside, and all of it goes with its processes.
"""

import ipaddress
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from terminal import type_at

SERVER = "enya.proxmox.com"
USER = "archiver@pbs"
PASSWORD = "Archiver12345"
_SETUP = f"""
set -e
ip link set lo up
mount -t tmpfs none "$1/etc"
cp -a /etc/. "$1/etc"
echo '127.0.0.1 {SERVER}' >> "$1/etc/hosts"
mkdir "$1/etc/pve"
mount --bind "$1/etc" /etc
mount -t tmpfs none /var
mount -t tmpfs none /run
mkdir -p /var/lib /var/log /var/cache /var/tmp /var/store
echo ready
exec sleep infinity
"""


class SeedHost:
    """The machine; `work` is a directory that is there inside and outside, for what tests compare."""

    def __init__(self, work: Path):
        self.work = work
        (work / "etc").mkdir()
        self._init = subprocess.Popen(
            ["unshare", "--mount", "--net", "--propagation", "private", "bash", "-c", _SETUP, "bash", str(work)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._init.stdout is not None
        assert self._init.stdout.readline() == "ready\n"
        self._server: subprocess.Popen[str] | None = None
        self.authority = work / "authority.pem"
        self.fingerprint = ""

    def command(self, *words: str | Path) -> list[str]:
        """A command line that runs in the machine; the programs are those that are installed."""
        enter = ["nsenter", "--target", str(self._init.pid), "--mount", "--net", "--"]
        programs = Path(sys.executable).parent
        first = programs / words[0] if (programs / words[0]).exists() else words[0]
        return [*enter, str(first), *(str(word) for word in words[1:])]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What every program is given: nothing that moves a path of the product."""
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}:/usr/sbin:/sbin",
            "HOME": str(self.work),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PBSTORE_NODE": "pve1",
            **(more or {}),
        }

    def run(self, *words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command."""
        return subprocess.run(
            self.command(*words),
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def succeed(self, *words: str | Path, **environment: str) -> str:
        """Run a command that must succeed; what it prints."""
        done = self.run(*words, **environment)
        assert done.returncode == 0, done
        return done.stdout

    def error(self, *words: str | Path, **environment: str) -> str:
        """Run a command that must fail with 255; what it says."""
        done = self.run(*words, **environment)
        assert done.returncode == 255, done
        return done.stderr

    def type(self, answers: Sequence[bytes], *words: str | Path) -> tuple[int, str]:
        """Run a command on a terminal and answer its questions."""
        return type_at(self.command(*words), answers, self.environment())

    def client(self, *words: str | Path, **environment: str) -> str:
        """Run the backup client as a user of the server would."""
        known = {"PBS_PASSWORD": PASSWORD, "PBS_FINGERPRINT": self.fingerprint}
        known["PBS_REPOSITORY"] = f"{USER}@{SERVER}:main"
        return self.succeed("proxmox-backup-client", *words, **{**known, **environment})

    def add(self, storage_id: str, *words: str | Path) -> str:
        """Add a storage for the server with all that it needs."""
        login = ("--username", USER, "--password", PASSWORD, "--fingerprint", self.fingerprint)
        where = ("--server", SERVER, "--datastore", "main")
        return self.succeed("pvesm", "add", "pbs", storage_id, *where, *login, *words)

    def make_master_key(self, directory: Path) -> Path:
        """Make a pair of master keys in a directory; the public one."""
        script = 'cd "$1" && exec proxmox-backup-client key create-master-key'
        code, shown = self.type([b"masterpw-1\n", b"masterpw-1\n"], "sh", "-c", script, "sh", directory)
        assert code == 0, shown
        return directory / "master-public.pem"

    def python(self, code: str) -> str:
        """Run Python in the machine, with `storages` as what commands and API call."""
        start = (
            "from pathlib import Path; from pbstore.config.roots import Roots; from pbstore.pve.host import Host; "
            "from pbstore.pve.storage.storages import Storages; "
            "storages = Storages(Host(Roots.system(), 'pve1'), warn=print, log=print)\n"
        )
        return self.succeed(sys.executable, "-c", start + code)

    def read(self, path: str) -> str:
        """The content of a file in the machine."""
        return self.succeed("cat", path)

    def exists(self, path: str) -> bool:
        """Whether a file is in the machine."""
        return self.run("test", "-e", path).returncode == 0

    def facts(self, path: str) -> str:
        """Owner, group and mode of a file."""
        return self.succeed("stat", "-c", "%U %a", path).strip()

    def write(self, path: str, content: str) -> None:
        """Write a file in the machine."""
        (self.work / "staged").write_text(content)
        self.succeed("cp", self.work / "staged", path)

    def start_server(self) -> None:
        """Set up the backup server by the manager's commands, and start it on the default port."""
        self.succeed("proxmox-backup-manager", "datastore", "create", "main", "/var/store/main")
        for name, text in zip(("proxy.pem", "proxy.key"), _certificate(self.authority), strict=True):
            self.write(f"/etc/proxmox-backup/{name}", text)
            self.succeed("chown", "root:backup", f"/etc/proxmox-backup/{name}")
            self.succeed("chmod", "640", f"/etc/proxmox-backup/{name}")
        self.succeed("proxmox-backup-manager", "user", "create", USER, "--password", PASSWORD)
        rights = ("acl", "update", "/datastore/main", "DatastoreAdmin", "--auth-id", USER)
        self.succeed("proxmox-backup-manager", *rights)
        self._server = subprocess.Popen(
            self.command(
                sys.executable, "-m", "pbstore.cli.pbstore", "serve", "--stay-root", "--listen", "127.0.0.1:8007"
            ),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        match = re.search(r"[0-9a-f]{2}(?::[0-9a-f]{2}){31}", self._server.stdout.readline())
        assert match is not None
        self.fingerprint = match[0]

    def stop(self) -> None:
        """End it."""
        for process in (self._server, self._init):
            if process is not None:
                process.kill()
                process.communicate(timeout=30)


def _certificate(authority: Path) -> tuple[str, str]:
    """Chain and key of the server, signed by an authority of its own whose certificate is written to the path."""
    now = datetime.now(UTC)
    authority_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])

    def build(name: x509.Name, public_key: rsa.RSAPublicKey, *, is_authority: bool) -> x509.Certificate:
        names = [x509.DNSName(SERVER), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(authority_key, hashes.SHA256())
        )

    root = build(issuer, authority_key.public_key(), is_authority=True)
    leaf = build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVER)]), key.public_key(), is_authority=False)
    authority.write_bytes(root.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return leaf.public_bytes(Encoding.PEM).decode(), private.decode()
