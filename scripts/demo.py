"""The main job on real data: back up a tree and an image, encrypted, twice; restore, compare, recover by master key.

Everything lies below one folder (`.pbstore`); the server keeps running afterwards unless --once is given.
"""

import argparse
import hashlib
import os
import random
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

from at_prompt import answer_prompts
from local_server import BIN, LocalServer
from tree_difference import tree_differences

CHECKOUT = Path(__file__).resolve().parent.parent
IMAGE_BYTES = 256 << 20
BOLD, GREEN, RED, PLAIN = ("\033[1m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("", "", "", "")


def say(text: str) -> None:
    """Print a headline."""
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


class Failed(Exception):
    """A step did not do what it should; the text is one line."""


class Demo:
    """The folder, the server, and the steps in their order."""

    def __init__(self, folder: Path, port: int):
        self.folder = folder
        self.secrets = folder / "secrets"
        self.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.server = LocalServer(folder / "server", port)
        self.environment = self.server.environment | {
            "PBS_REPOSITORY": f"archiver@pbs!demo@127.0.0.1:{self.server.port}:main",
            "PBS_FINGERPRINT": self.server.fingerprint,
            "PBS_PASSWORD_FILE": str(self.secrets / "token"),
            "XDG_CONFIG_HOME": str(folder / "client"),
            "XDG_CACHE_HOME": str(folder / "client"),
            "COLUMNS": "160",
        }

    # Running commands

    def run(self, *command: str | Path, shown: bool = True) -> str:
        """Run one of our commands and return what it printed, logs included."""
        print(f"$ {' '.join(map(str, command))}", flush=True)
        done = subprocess.run(
            [BIN / command[0], *command[1:]],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if shown or done.returncode:
            print("".join(f"  {line}\n" for line in done.stdout.splitlines()), end="", flush=True)
        if done.returncode:
            raise Failed(f"{command[0]} {command[1]} ended with exit code {done.returncode}")
        return done.stdout

    def run_at_prompt(self, answer: str, *command: str | Path, directory: Path) -> None:
        """Run a command that asks for a password on a terminal, and answer each of its prompts."""
        print(f"$ {' '.join(map(str, command))}   (asks for a password)", flush=True)
        exit_code, shown = answer_prompts(answer, command, self.environment, directory)
        if exit_code:
            raise Failed(f"{command[0]} {command[1]}: {shown.strip()}")

    def secret(self, name: str) -> str:
        """The secret of that name: made once, kept in a file that only this user can read."""
        path = self.secrets / name
        if not path.exists():
            self.keep_secret(name, secrets.token_urlsafe(18))
        return path.read_text().strip()

    def keep_secret(self, name: str, value: str) -> None:
        """Write a secret's file."""
        descriptor = os.open(self.secrets / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(value + "\n")

    # The steps

    def set_up_server(self) -> None:
        """Datastore, users, token and rights; only what is missing."""
        say("A datastore, two users and an API token")
        if "main" not in self.run(
            "proxmox-backup-manager", "datastore", "list", "--output-format", "json", shown=False
        ):
            self.run("proxmox-backup-manager", "datastore", "create", "main", self.folder / "datastore")
        users = self.run("proxmox-backup-manager", "user", "list", "--output-format", "json", shown=False)
        for user, path, role in (("admin@pbs", "/", "Admin"), ("archiver@pbs", "/datastore/main", "DatastoreBackup")):
            if user not in users:
                command = ("proxmox-backup-manager", "user", "create", user, "--password")
                self.run_at_prompt(self.secret(user), *command, directory=self.folder)
            self.run("proxmox-backup-manager", "acl", "update", path, role, "--auth-id", user)
        if not (self.secrets / "token").exists():
            answer = self.run("proxmox-backup-manager", "user", "generate-token", "archiver@pbs", "demo", shown=False)
            match = re.search(r'"value": "([^"]+)"', answer)
            if match is None:
                raise Failed("generate-token printed no secret")
            self.keep_secret("token", match[1])
        token_rights = ("acl", "update", "/datastore/main", "DatastoreBackup", "--auth-id", "archiver@pbs!demo")
        self.run("proxmox-backup-manager", *token_rights)
        self.run("proxmox-backup-manager", "acl", "list")

    def make_keys(self) -> None:
        """An encryption key without password and an RSA master key pair with one."""
        say("An encryption key, and a master key that can recover it")
        if not self.key.exists():
            self.run("proxmox-backup-client", "key", "create", self.key, "--kdf", "none")
        if not (self.secrets / "master-public.pem").exists():
            command = ("proxmox-backup-client", "key", "create-master-key")
            self.run_at_prompt(self.secret("master-password"), *command, directory=self.secrets)
        self.run("proxmox-backup-client", "key", "show", self.key)

    @property
    def key(self) -> Path:
        """The encryption key's file."""
        return self.secrets / "encryption-key.json"

    def make_sources(self) -> None:
        """The checkout as a tree of its own, and an image: a third text, a third random, a third never written."""
        say("The data: this checkout, the system's documentation, and a generated image of 256 MiB")
        sources = self.folder / "sources"
        sources.mkdir(exist_ok=True)
        self.image = sources / "disk.img"
        if not self.image.exists() or self.image.stat().st_size != IMAGE_BYTES:
            write_image(self.image)
        checkout = sources / "checkout"
        shutil.rmtree(checkout, ignore_errors=True)
        built = shutil.ignore_patterns(".venv", "target", ".pbstore", "*_cache", "__pycache__", "*.so")
        shutil.copytree(CHECKOUT, checkout, symlinks=True, ignore=built)
        self.trees = {"checkout": checkout}
        if Path("/usr/share/doc").is_dir():
            self.trees["doc"] = Path("/usr/share/doc")
        for name, source in {**self.trees, "disk": self.image}.items():
            print(f"  {name:9} {source}")

    def back_up(self) -> str:
        """Make one snapshot and return the client's log."""
        archives = [f"{name}.pxar:{path}" for name, path in self.trees.items()]
        master = ("--master-pubkey-file", self.secrets / "master-public.pem")
        command: tuple[str | Path, ...] = (
            "backup",
            *archives,
            f"disk.img:{self.image}",
            "--backup-id",
            "demo",
            "--keyfile",
            self.key,
            *master,
        )
        return self.run("proxmox-backup-client", *command)

    def back_up_twice(self) -> None:
        """The second backup has nothing new to send."""
        say("First backup: everything is encrypted here and sent")
        self.back_up()
        say("Second backup: the server has it all, next to nothing is sent")
        time.sleep(1.1)  # two snapshots of a group need different seconds
        sent = re.findall(r"(\S+): had to backup (.+?) of (.+?) \(", self.back_up())
        print(f"  {GREEN}sent again: " + ", ".join(f"{name} {new} of {whole}" for name, new, whole in sent) + PLAIN)

    def newest_snapshot(self) -> str:
        """List what is there and return the newest snapshot."""
        say("What is on the server")
        listing = self.run("proxmox-backup-client", "snapshot", "list", "host/demo")
        snapshot: str = max(re.findall(r"host/demo/\S+Z", listing))
        self.run("proxmox-backup-client", "snapshot", "files", snapshot)
        return snapshot

    def restore_and_compare(self, snapshot: str, key: Path, target: Path) -> None:
        """Restore all archives below `target` and compare them with their sources."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        keys = ("--keyfile", key)
        self.run("proxmox-backup-client", "restore", snapshot, "disk.img", target / "disk.img", *keys)
        differences = [] if digest(self.image) == digest(target / "disk.img") else ["disk.img differs"]
        for name, source in self.trees.items():
            self.run("proxmox-backup-client", "restore", snapshot, f"{name}.pxar", target / name, *keys)
            differences += tree_differences(source, target / name, owners=os.geteuid() == 0)
        if differences:
            raise Failed(f"the restore differs from its source: {'; '.join(differences[:5])}")
        print(f"  {GREEN}restored data is equal to its source{PLAIN}")
        shutil.rmtree(target)

    def recover_by_master_key(self, snapshot: str) -> None:
        """As if the host and its key were lost: only the server and the private master key are left."""
        say("Recovery with the master key alone")
        place = self.folder / "recovery"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        self.run("proxmox-backup-client", "restore", snapshot, "rsa-encrypted.key", place / "rsa-encrypted.key")
        recovered = place / "recovered.json"
        master = ("--master-keyfile", self.secrets / "master-private.pem")
        encrypted = ("--encrypted-keyfile", place / "rsa-encrypted.key")
        command = ("key", "import-with-master-key", recovered, *master, *encrypted, "--kdf", "none")
        self.run_at_prompt(self.secret("master-password"), "proxmox-backup-client", *command, directory=place)
        self.restore_and_compare(snapshot, recovered, self.folder / "restored")
        shutil.rmtree(place)

    def show_what_next(self) -> None:
        """URL, login, fingerprint and commands to go on with."""
        say("The server keeps running")
        print(f"  URL          https://127.0.0.1:{self.server.port}/api2/json/version")
        print(f"  login        admin@pbs, password in {self.secrets / 'admin@pbs'}")
        print(f"  fingerprint  {self.server.fingerprint}")
        print("\n  In another terminal:\n")
        print(f"  export PATH={BIN}:$PATH PBSTORE_ROOT={self.folder / 'server'}")
        for name in ("PBS_REPOSITORY", "PBS_FINGERPRINT", "PBS_PASSWORD_FILE"):
            print(f"  export {name}='{self.environment[name]}'")
        print("  proxmox-backup-client snapshot list")
        print(f"  proxmox-backup-client restore host/demo disk.img /tmp/disk.img --keyfile {self.key}")
        print("  proxmox-backup-manager user list")
        print("\n  Ctrl-C stops it; ./run starts it again with all its data.", flush=True)


def write_image(path: Path) -> None:
    """Generate the image, the same bytes each time."""
    generator = random.Random(1)
    words = [generator.randbytes(6).hex() for _ in range(4096)]
    text_bytes = random_bytes = IMAGE_BYTES // 3 >> 20 << 20
    with path.open("wb") as image:
        while image.tell() < text_bytes:
            image.write(" ".join(generator.choices(words, k=80_000)).encode()[: 1 << 20])
        image.seek(text_bytes + (32 << 20))
        for _ in range(random_bytes >> 20):
            image.write(generator.randbytes(1 << 20))
        image.truncate(IMAGE_BYTES)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    """Run all steps; 0 only if the restored data was equal."""
    parser = argparse.ArgumentParser(prog="./run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit after the comparison, 0 only if it held")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".pbstore", help="where everything is kept")
    parser.add_argument("--port", type=int, default=8007, help="preferred port; if taken, any free one")
    options = parser.parse_args()
    demo = None
    try:
        demo = Demo(options.folder.resolve(), options.port)
        demo.set_up_server()
        demo.make_keys()
        demo.make_sources()
        demo.back_up_twice()
        snapshot = demo.newest_snapshot()
        say("Restore and compare")
        demo.restore_and_compare(snapshot, demo.key, demo.folder / "restored")
        demo.recover_by_master_key(snapshot)
        if not options.once:
            demo.show_what_next()
            return demo.server.wait()
        say("All of it held")
    except Failed as failure:
        print(f"{RED}Error: {failure}{PLAIN}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
    finally:
        if demo is not None:
            demo.server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
