"""The client's pipelines alone, without reading manifests or starting programs: MB/s, CPU of both sides, and the floor.

The floor is what the bytes cost at least: digest and sealing (or opening and digest) of the same chunks on one thread,
measured in the same run. The ratio is the client's CPU to that; what is above 1.0 is plumbing, TLS and the kernel.
Everything lies in memory (/dev/shm) unless --folder says otherwise.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from sources import MIB, write_image, write_tree

from pbstore import _core

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from bench_server import PASSWORD, USER, start_bench_server

BACKUP = "proxmox-backup-protocol-v1"
READER = "proxmox-backup-reader-protocol-v1"
BLOCK = 4 * MIB
KEY = _core.CryptKey(bytes(range(32)))


class Site:
    """A server with one store, and sessions with it."""

    def __init__(self, folder: Path):
        self.server = start_bench_server(folder)
        self._connection = _core.Connection("127.0.0.1", self.server.port, fingerprint=self.server.fingerprint)
        self._cookie = self._login()
        self._time = 1_700_000_000
        self._group = ""

    def backup(self, *, same_group: bool = False) -> _core.Session:
        """Begin a snapshot in a group of its own, or in that of the last one."""
        self._time += 1
        if not same_group:
            self._group = f"b{self._time}"
        return self._open("backup", BACKUP)

    def finish(self, session: _core.Session, archives: dict[str, _core.UploadStats], mode: str) -> _core.Session:
        """Make the snapshot of some archives final, and read it."""
        entries = ",".join(
            f'{{"filename":"{name}","crypt-mode":"{mode}","size":{stats.size},"csum":"{stats.csum.hex()}"}}'
            for name, stats in archives.items()
        )
        manifest = (
            f'{{"backup-type":"host","backup-id":"{self._group}","backup-time":{self._time},'
            f'"files":[{entries}],"unprotected":{{}}}}'
        )
        blob = _core.seal_blob(manifest.encode())
        query = f"file-name=index.json.blob&encoded-size={len(blob)}"
        session.request("POST", "blob", query, blob, "application/octet-stream")
        session.request("POST", "finish")
        return self._open("reader", READER)

    def _open(self, kind: str, protocol: str) -> _core.Session:
        place = {"store": "bench", "backup-type": "host", "backup-id": self._group, "backup-time": self._time}
        return self._connection.open_session(f"/api2/json/{kind}?{urlencode(place)}", protocol, self._cookie)

    def _login(self) -> list[tuple[str, str]]:
        body = urlencode({"username": USER, "password": PASSWORD}).encode()
        _, _, answer = self._connection.request("POST", "/api2/json/access/ticket", [], body)
        ticket = answer.decode().partition('"ticket":"')[2].partition('"')[0]
        return [("Cookie", f"PBSAuthCookie={ticket.replace('%', '%25')}")]


@dataclass
class Floor:
    """CPU seconds that chunks cost whoever moves them."""

    seal_seconds: float
    open_seconds: float


def floor(data: bytes, key: _core.CryptKey | None) -> Floor:
    """Seal and open all different blocks once, digest each block once, on this thread."""
    blocks = [data[start : start + BLOCK] for start in range(0, len(data), BLOCK)]
    before = time.process_time()
    blobs = {_core.chunk_digest(block, key): _core.seal_blob(block, key=key) for block in blocks}
    middle = time.process_time()
    for blob in blobs.values():
        _core.chunk_digest(_core.open_blob(blob, key=key), key)
    return Floor(middle - before, time.process_time() - middle)


def timed(site: Site, name: str, size_bytes: int, floor_seconds: float, work: Callable[[], object]) -> None:
    """Do the work once and print what it cost."""
    own, server, start = time.process_time(), site.server.cpu_seconds(), time.perf_counter()
    work()
    wall = time.perf_counter() - start
    own, server = time.process_time() - own, site.server.cpu_seconds() - server
    ratio = f"{own / floor_seconds:5.2f} x floor" if floor_seconds else ""
    speed = size_bytes / 1e6 / wall
    print(f"{name:28} {speed:6.0f} MB/s  client {own:5.2f} s  server {server:5.2f} s CPU  {ratio}", flush=True)


def bench_image(site: Site, folder: Path, image: Path, key: _core.CryptKey | None, mode: str) -> None:
    """Upload an image, again with everything known, and restore it."""
    data = image.read_bytes()
    least = floor(data, key)
    session, size, name = site.backup(), len(data), "disk.img.fidx"
    results: list[_core.UploadStats] = []
    timed(
        site,
        f"image up, {mode}",
        size,
        least.seal_seconds,
        lambda: results.append(session.upload_image(image, name, key=key)),
    )
    timed(site, f"image up again, {mode}", size, 0, lambda: session.upload_image(image, "2.img.fidx", key=key))
    reader = site.finish(session, {name: results[0]}, mode)
    index = reader.request("GET", "download", f"file-name={name}")
    with (folder / "restored").open("wb+") as target:
        timed(
            site,
            f"image down, {mode}",
            size,
            least.open_seconds,
            lambda: reader.restore_image(index, target.fileno(), key=key, crypt_mode=mode),
        )
    assert (folder / "restored").read_bytes() == data


def bench_tree(site: Site, folder: Path, tree: Path) -> None:
    """Upload a tree, restore it, and read it as a stream."""
    session, name = site.backup(), "root.pxar.didx"
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
    results: list[_core.UploadStats] = []
    catalog = session.start_catalog(key=None)
    timed(site, "tree up", size, 0, lambda: results.append(session.upload_tree(tree, name, key=None, catalog=catalog)))
    catalog.finish()
    reader = site.finish(session, {name: results[0]}, "none")
    index = reader.request("GET", "download", f"file-name={name}")
    target = folder / "tree-restored"
    timed(site, "tree down", size, 0, lambda: reader.restore_tree(index, target, key=None, crypt_mode="none"))
    with Path(os.devnull).open("wb") as sink:
        timed(
            site,
            "tree archive to nowhere",
            size,
            0,
            lambda: reader.restore_stream(index, sink.fileno(), key=None, crypt_mode="none"),
        )


def bench_split_tree(site: Site, folder: Path, tree: Path) -> None:
    """Upload a tree as a split archive, again without reading what has not changed, and restore it."""
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
    names = ("root.mpxar.didx", "root.ppxar.didx")
    session = site.backup()
    results: list[_core.SplitUploadStats] = []
    timed(site, "split tree up", size, 0, lambda: results.append(session.upload_split_tree(tree, *names, key=None)))
    reader = site.finish(session, dict(zip(names, (results[0].metadata, results[0].payload), strict=True)), "none")
    metadata, payload = (reader.request("GET", "download", f"file-name={name}") for name in names)
    again = site.backup(same_group=True)
    previous = [_core.DynamicIndex.parse(again.request("GET", "previous", f"archive-name={name}")) for name in names]
    timed(
        site,
        "split tree up, unchanged",
        size,
        0,
        lambda: again.upload_split_tree(
            tree,
            *names,
            key=None,
            previous_metadata=previous[0],
            previous_payload=previous[1],
            reference=reader.open_archive(metadata, key=None, crypt_mode="none"),
        ),
    )
    target = folder / "split-tree-restored"
    timed(
        site,
        "split tree down",
        size,
        0,
        lambda: reader.restore_tree(metadata, target, payload_index=payload, key=None, crypt_mode="none"),
    )


def main() -> int:
    """Run the bench and print a line for each transfer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, metavar="MIB", help="of each source")
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="where to work")  # noqa: S108
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folder = Path(made)
        write_image(folder / "image", options.size * MIB)
        write_tree(folder / "tree", options.size * MIB)
        site = Site(folder)
        try:
            for key, mode in ((None, "none"), (KEY, "encrypt")):
                bench_image(site, folder, folder / "image", key, mode)
            bench_tree(site, folder, folder / "tree")
            bench_split_tree(site, folder, folder / "tree")
        finally:
            site.server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
