"""First backup of an image and of a tree, beside restic in the same run: wall and CPU ratio (below 1.0 is ahead).

Ours goes encrypted over TLS to a running server; restic, encrypted too, writes its repository itself. Both have all
cores. Each is run alternately, the median counts. Needs restic (Debian: apt-get install restic).
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measured import Measured, measure
from sources import MIB, write_image, write_tree

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from bench_server import PASSWORD, USER, start_bench_server
from local_server import BIN


class Ours:
    """A server with one datastore, and a client with a key; the superuser's place is taken by one Admin."""

    def __init__(self, folder: Path):
        self.server = start_bench_server(folder)
        self.environment = self.server.environment | {
            "PBS_REPOSITORY": f"{USER}@127.0.0.1:{self.server.port}:bench",
            "PBS_FINGERPRINT": self.server.fingerprint,
            "PBS_PASSWORD": PASSWORD,
            "XDG_CONFIG_HOME": str(folder / "client"),
            "XDG_CACHE_HOME": str(folder / "client"),
        }
        self._key = folder / "key.json"
        self._client("key", "create", self._key, "--kdf", "none")

    def back_up(self, source: Path, round_number: int) -> Measured:
        """Back up into a new group, so that there is no previous snapshot; chunks are never there already."""
        self._empty_store()
        kind = "tree.pxar" if source.is_dir() else "disk.img"
        before = self.server.cpu_seconds()
        group = f"{source.name}-{round_number}"
        run = self._client("backup", f"{kind}:{source}", "--backup-id", group, "--keyfile", self._key)
        return Measured(run.wall_seconds, run.cpu_seconds, self.server.cpu_seconds() - before)

    def _empty_store(self) -> None:
        store = self._key.parent / "datastore"
        for chunk in store.glob(".chunks/*/*"):
            chunk.unlink()

    def _client(self, *words: str | Path) -> Measured:
        return measure([BIN / "proxmox-backup-client", *words], self.environment)


class Restic:
    """A fresh local repository for every run."""

    def __init__(self, folder: Path):
        self._repository = folder / "restic"
        self._environment = os.environ | {
            "RESTIC_REPOSITORY": str(self._repository),
            "RESTIC_PASSWORD": "benchmark-password",
            "RESTIC_CACHE_DIR": str(folder / "restic-cache"),
        }

    def back_up(self, source: Path) -> Measured:
        """Back up into a repository made for this run."""
        shutil.rmtree(self._repository, ignore_errors=True)
        measure(["restic", "init", "--repository-version", "2"], self._environment)
        return measure(["restic", "backup", source], self._environment)


@dataclass(frozen=True)
class Median:
    """The middle of several runs over the same bytes."""

    wall_seconds: float
    cpu_seconds: float
    server_cpu_seconds: float

    @classmethod
    def of(cls, runs: list[Measured]) -> "Median":
        """Take the median of each figure."""
        return cls(
            statistics.median(run.wall_seconds for run in runs),
            statistics.median(run.total_cpu_seconds for run in runs),
            statistics.median(run.server_cpu_seconds for run in runs),
        )

    def text(self, size_bytes: int) -> str:
        """Speed, wall and CPU time."""
        speed = size_bytes / 1e6 / self.wall_seconds
        return f"{speed:5.0f} MB/s {self.wall_seconds:6.2f} s wall {self.cpu_seconds:6.2f} s CPU"


def report(name: str, size_bytes: int, our_runs: list[Measured], peer_runs: list[Measured]) -> None:
    """Print medians and ratios."""
    ours, peer = Median.of(our_runs), Median.of(peer_runs)
    print(f"{name}, {size_bytes // MIB} MiB")
    print(f"  pbstore  {ours.text(size_bytes)} ({ours.server_cpu_seconds:.2f} of it in the server)")
    print(f"  restic   {peer.text(size_bytes)}")
    wall, cpu = ours.wall_seconds / peer.wall_seconds, ours.cpu_seconds / peer.cpu_seconds
    print(f"  ratio    {wall:.2f} wall, {cpu:.2f} CPU", flush=True)


def main() -> int:
    """Run the bench and print a line for each source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=1024, metavar="MIB", help="of each source")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    options = parser.parse_args()
    if shutil.which("restic") is None:
        print("Error: restic is not installed (apt-get install restic)", file=sys.stderr)
        return 255
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        image, tree = folder / "image", folder / "tree"
        write_image(image, options.size * MIB)
        write_tree(tree, options.size * MIB)
        ours, restic = Ours(folder), Restic(folder)
        try:
            for source in (image, tree):
                runs: tuple[list[Measured], list[Measured]] = ([], [])
                for round_number in range(options.rounds):
                    runs[0].append(ours.back_up(source, round_number))
                    runs[1].append(restic.back_up(source))
                report(f"first {source.name}", options.size * MIB, *runs)
        finally:
            ours.server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
