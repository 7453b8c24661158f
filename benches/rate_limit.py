"""How well `--rate` holds: a backup and a restore of noise at several rates, as a user would run them."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from measured import measure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from bench_server import PASSWORD, USER, start_bench_server

CLIENT = Path(sys.executable).with_name("proxmox-backup-client")
MB = 1_000_000
BURST_BYTES = MB


def main() -> None:
    """Print rate, measured rate and difference. What a burst and the start of the program cost is left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="how long each transfer should take")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        server = start_bench_server(Path(folder) / "site")
        environment = os.environ | {
            "PBS_REPOSITORY": f"{USER}@127.0.0.1:{server.port}:bench",
            "PBS_PASSWORD": PASSWORD,
            "PBS_FINGERPRINT": server.fingerprint,
            "XDG_CACHE_HOME": folder,
            "XDG_CONFIG_HOME": folder,
        }
        try:
            for rate in (MB, 10 * MB, 40 * MB):
                _measure(Path(folder), environment, rate, seconds)
        finally:
            server.stop()


def _measure(folder: Path, environment: dict[str, str], rate: int, seconds: int) -> None:
    image, target = folder / "noise.img", folder / "restored.img"
    size = rate * seconds
    image.write_bytes(os.urandom(size))
    (folder / "small.img").write_bytes(b"small")
    limits = ("--rate", str(rate), "--burst", str(BURST_BYTES))
    group = f"host/rate-{rate}"
    up: list[str | Path] = [CLIENT, "backup", f"noise.img:{image}", "--backup-id", f"rate-{rate}", *limits]
    down: list[str | Path] = [CLIENT, "restore", group, "noise.img", target, *limits]
    idle = measure([CLIENT, "backup", f"small.img:{folder / 'small.img'}", "--backup-id", "idle"], environment)
    for name, command in (("backup", up), ("restore", down)):
        taken = measure(command, environment).wall_seconds - idle.wall_seconds
        found = (size - BURST_BYTES) / taken
        print(f"{name:8} {rate / MB:6.1f} MB/s: {found / MB:6.2f} MB/s, {100 * (found / rate - 1):+.1f} %", flush=True)
    target.unlink()
    image.unlink()


if __name__ == "__main__":
    main()
