"""Files and directories out of archives, downloaded from a real server and judged by the programs that people have."""

import base64
import http.client
import io
import os
import shutil
import ssl
import stat
import struct
import subprocess
import time
import zipfile
from collections.abc import Callable
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from urllib.parse import urlencode

import pytest

from backup_site import PASSWORD, BackupSite
from e2e.split_backups import Backup, Snapshots
from oracle.pxar_encoder import encode_split
from oracle.pxar_node import Metadata, Node
from pbstore import _core
from pbstore.format.manifest import Manifest
from pbstore.model.backup import Snapshot
from pbstore.model.crypt_mode import CryptMode

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("unzip") is None or shutil.which("zstd") is None,
        reason="other programs unpack: install unzip and zstd",
    ),
]

MODES = {"legacy": "root.pxar.didx", "data": "root.mpxar.didx"}
STORE = "/api2/json/admin/datastore/main"
ALL_MODES = pytest.mark.parametrize("mode", MODES)


class Downloads:
    """Requests for one snapshot as archiver@pbs."""

    def __init__(self, site: BackupSite, directory: Path):
        self.server = site.server
        self.headers = {"host": "localhost", **site.server.login("archiver@pbs", PASSWORD)}
        snapshot = Snapshot.parse("/".join(directory.parts[-3:]))
        self.place = {
            "backup-type": snapshot.group.backup_type.value,
            "backup-id": snapshot.group.backup_id,
            "backup-time": snapshot.backup_time,
        }

    def target(self, archive: str, path: bytes, **options: int) -> str:
        """Of a download."""
        words = {"filepath": base64.b64encode(path).decode(), "archive-name": archive, **options}
        return f"{STORE}/pxar-file-download?{urlencode(self.place | words)}"

    def get(self, archive: str, path: bytes, **options: int) -> bytes:
        """Download something."""
        answer = self.server.request("GET", self.target(archive, path, **options), headers=self.headers)
        assert answer.status == 200, answer
        return answer.body

    def open(self, target: str) -> tuple[http.client.HTTPSConnection, http.client.HTTPResponse]:
        """Begin to download."""
        context = ssl.create_default_context(cafile=str(self.server.roots.certificate))
        context.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, context=context, timeout=20)
        connection.request("GET", target, headers=self.headers)
        return connection, connection.getresponse()

    def wait_until_idle(self) -> None:
        """Return when no download runs any more."""
        until = time.monotonic() + 20
        while True:
            answer = self.server.request("GET", f"{STORE}/active-operations", headers=self.headers)
            if answer.data == {"read": 0, "write": 0}:
                return
            assert time.monotonic() < until, answer
            time.sleep(0.05)


@pytest.fixture
def downloads(site: BackupSite, snapshots: Snapshots) -> Callable[[], Downloads]:
    """Of the newest snapshot of the test's group."""
    return lambda: Downloads(site, snapshots()[-1])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Names, links and times that zip and tar may stumble over."""
    root = tmp_path / "tree"
    inner = root / "some dir" / "sub"
    inner.mkdir(parents=True)
    (root / "some dir" / "text").write_text("line\n" * 10000)
    (root / "some dir" / "empty").touch()
    (root / "some dir" / "link").symlink_to("text")
    (inner / "hard").hardlink_to(root / "some dir" / "text")
    (inner / ("n" * 200)).write_bytes(b"long name")
    (inner / "ünïcode-日本語").write_bytes(b"unicode")
    (inner / "-rf *").write_bytes(b"pattern")
    (inner / "noise").write_bytes(os.urandom(3 << 20))
    (inner / "program").write_bytes(b"#!/bin/sh\n")
    (inner / "program").chmod(0o750)
    (root / "nothing").mkdir(mode=0o700)
    for number, path in enumerate(sorted(root.rglob("*"), reverse=True)):
        os.utime(path, (1_500_000_000 + number, 1_500_000_000 + number), follow_symlinks=False)
    return root


def described(root: Path) -> dict[str, tuple[object, ...]]:
    """Kind, permissions, times in seconds, content or target of everything below a directory.

    Of links only the target: unzip leaves their times alone.
    """
    found: dict[str, tuple[object, ...]] = {}
    for path in root.rglob("*"):
        status = path.lstat()
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = (path.readlink(),)
        else:
            content = path.read_bytes() if path.is_file() else None
            found[name] = (stat.filemode(status.st_mode), int(status.st_mtime), content)
    return found


def unzipped(data: bytes, target: Path) -> Path:
    """Test and unpack with Info-ZIP."""
    target.mkdir()
    file = target.with_suffix(".zip")
    file.write_bytes(data)
    tested = subprocess.run(["unzip", "-t", file], capture_output=True, text=True, check=True)
    assert "No errors detected" in tested.stdout
    environment = {**os.environ, "TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8"}
    subprocess.run(["unzip", "-q", file, "-d", target], env=environment, check=True)
    return target


def untarred(data: bytes, target: Path) -> Path:
    """Unpack with zstd and GNU tar."""
    target.mkdir()
    plain = subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-xpf", "-", "-C", target], input=plain, check=True)
    return target


@ALL_MODES
def test_zip(tree: Path, tmp_path: Path, backup: Backup, downloads: Callable[[], Downloads], mode: str) -> None:
    backup(mode)
    data = downloads().get(MODES[mode], b"/")
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    assert described(unzipped(data, tmp_path / "out")) == described(tree)
    part = unzipped(downloads().get(MODES[mode], b"/some dir/sub"), tmp_path / "part")
    assert [path.name for path in part.iterdir()] == ["sub"]
    assert described(part / "sub") == described(tree / "some dir" / "sub")


@ALL_MODES
def test_tar(tree: Path, tmp_path: Path, backup: Backup, downloads: Callable[[], Downloads], mode: str) -> None:
    (tree / "some dir" / os.fsdecode(b"not \xff\xfe UTF-8")).write_bytes(b"bytes")
    backup(mode)
    out = untarred(downloads().get(MODES[mode], b"/", tar=1), tmp_path / "out")
    assert described(out) == described(tree)
    assert (out / "some dir" / "text").stat().st_ino == (out / "some dir" / "sub" / "hard").stat().st_ino
    part = untarred(downloads().get(MODES[mode], b"/some dir/sub", tar=1), tmp_path / "part")
    assert described(part / "sub") == described(tree / "some dir" / "sub")


@ALL_MODES
@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="makes device nodes and owners: run as root")
def test_owners_and_devices(
    tree: Path, tmp_path: Path, backup: Backup, downloads: Callable[[], Downloads], mode: str
) -> None:
    os.mkfifo(tree / "pipe")
    os.mknod(tree / "device", 0o600 | stat.S_IFBLK, os.makedev(259, 300000))
    (tree / "owned").write_bytes(b"")
    os.chown(tree / "owned", 4_000_000_000, 12345)
    (tree / "owned").chmod(0o6755)
    backup(mode)
    out = untarred(downloads().get(MODES[mode], b"/", tar=1), tmp_path / "out")
    for name in ("pipe", "device", "owned"):
        ours, theirs = (out / name).lstat(), (tree / name).lstat()
        assert (ours.st_mode, ours.st_uid, ours.st_gid, ours.st_rdev) == (
            theirs.st_mode,
            theirs.st_uid,
            theirs.st_gid,
            theirs.st_rdev,
        )
    file = tmp_path / "owned.zip"
    file.write_bytes(downloads().get(MODES[mode], b"/"))
    (tmp_path / "zip").mkdir()
    subprocess.run(["unzip", "-qX", file, "-d", tmp_path / "zip"], check=True)
    status = (tmp_path / "zip" / "owned").stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode) & 0o777) == (4_000_000_000, 12345, 0o755)
    assert not (tmp_path / "zip" / "pipe").exists()


@ALL_MODES
def test_single_files(tree: Path, backup: Backup, downloads: Callable[[], Downloads], mode: str) -> None:
    name = os.fsdecode(b"not \xff\xfe UTF-8")
    (tree / name).write_bytes(b"bytes")
    backup(mode)
    ours = downloads()
    for path in ("some dir/text", "some dir/sub/hard", "some dir/sub/noise", "some dir/empty", name):
        assert ours.get(MODES[mode], b"/" + os.fsencode(path)) == (tree / path).read_bytes()


@pytest.fixture
def noise(tree: Path) -> Path:
    """A file of many chunks that no other test has, between two others."""
    path = tree / "middle"
    path.write_bytes(os.urandom(24 << 20))
    (tree / "after").write_bytes(b"what comes behind")
    return path


def damage_the_middle(store: Path, index: Path) -> None:
    """Change a byte of the chunk in the middle of an archive."""
    data = index.read_bytes()
    digest = _core.DynamicIndex.parse(data).digest(len(_core.DynamicIndex.parse(data)) // 2).hex()
    chunk = store / ".chunks" / digest[:4] / digest
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)


@pytest.mark.parametrize(("path", "tar"), [(b"/middle", 0), (b"/", 0), (b"/", 1)])
@ALL_MODES
@pytest.mark.usefixtures("noise")
def test_damage_breaks_the_download_off(
    site: BackupSite,
    backup: Backup,
    snapshots: Snapshots,
    downloads: Callable[[], Downloads],
    mode: str,
    path: bytes,
    tar: int,
) -> None:
    backup(mode)
    content = MODES[mode].replace("mpxar", "ppxar")
    damage_the_middle(site.store, snapshots()[-1] / content)
    ours = downloads()
    connection, response = ours.open(ours.target(MODES[mode], path, tar=tar))
    assert response.status == 200
    with pytest.raises(http.client.IncompleteRead) as caught:
        response.read()
    assert len(caught.value.partial) > 4 << 20
    connection.close()
    ours.wait_until_idle()
    assert "sending a file failed: " in site.server.log.read_text()
    assert ours.get(MODES[mode], b"/after") == b"what comes behind"


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("tar", [0, 1])
def test_a_client_that_hangs_up_ends_the_work(backup: Backup, downloads: Callable[[], Downloads], tar: int) -> None:
    backup("legacy")
    ours = downloads()
    connection, response = ours.open(ours.target(MODES["legacy"], b"/", tar=tar))
    assert len(response.read(100)) == 100
    running = ours.server.request("GET", f"{STORE}/active-operations", headers=ours.headers).data
    assert running == {"read": 1, "write": 0}
    response.close()
    connection.close()
    ours.wait_until_idle()


@ALL_MODES
@pytest.mark.usefixtures("tree")
def test_lists(backup: Backup, downloads: Callable[[], Downloads], mode: str) -> None:
    backup(mode)
    ours = downloads()

    def listed(path: bytes) -> list[dict[str, object]]:
        words = {"filepath": base64.b64encode(path).decode(), "archive-name": MODES[mode]}
        target = f"{STORE}/catalog?{urlencode(ours.place | words)}"
        data: list[dict[str, object]] = ours.server.request("GET", target, headers=ours.headers).data
        return data

    assert [item["text"] for item in listed(b"/")] == ["nothing", "some dir"]
    found = [(item["text"], item["type"]) for item in listed(b"some dir")]
    assert found == [("empty", "f"), ("link", "l"), ("sub", "d"), ("text", "h")]
    assert listed(b"/nothing/") == []


CHUNK_BYTES = 16 << 20
ZEROS = bytes(CHUNK_BYTES)
HUGE_BYTES = (4 << 30) + 3
"""Chunks of zeros, and a short end."""


def add_archive(store: Path, directory: Path, manifest: Manifest, name: str, chunks: list[bytes]) -> None:
    """Put an archive of these chunks into a snapshot."""
    different = {id(chunk): chunk for chunk in chunks}
    digests = {key: sha256(chunk).digest() for key, chunk in different.items()}
    for key, chunk in different.items():
        _core.ChunkStore(store).insert(digests[key], _core.seal_blob(chunk, compress=True))
    ends = accumulate(len(chunk) for chunk in chunks)
    entries = [(end, digests[id(chunk)]) for end, chunk in zip(ends, chunks, strict=True)]
    file = _core.DynamicIndex.encode(entries, uuid=b"u" * 16, ctime=0)
    (directory / name).write_bytes(file)
    manifest.add(name, CryptMode.NONE, entries[-1][0], _core.DynamicIndex.parse(file).csum)


@pytest.fixture
def huge(site: BackupSite) -> Downloads:
    """A split archive with a file that is longer than 32 bits can say, as no client has to make it."""
    small = Node(Metadata(mode=0o100644), content=b"sizes")
    root = Node(
        Metadata(mode=0o040755), children={b"huge": small, b"later": Node(Metadata(mode=0o100644), content=b"x")}
    )
    metadata, payload = encode_split(root)
    for old, new in (((16, 5), (16, HUGE_BYTES)), ((37, 1), (32 + HUGE_BYTES, 1))):
        assert metadata.count(struct.pack("<QQ", *old)) == 1
        metadata = metadata.replace(struct.pack("<QQ", *old), struct.pack("<QQ", *new))
    head = payload[:24] + struct.pack("<Q", 16 + HUGE_BYTES)
    snapshot = Snapshot.parse("host/huge/2026-06-01T08:00:00Z")
    directory = site.store / str(snapshot)
    directory.mkdir(parents=True)
    (directory.parent / "owner").write_text("archiver@pbs\n")
    manifest = Manifest(snapshot)
    add_archive(site.store, directory, manifest, "root.mpxar.didx", [metadata])
    count = HUGE_BYTES // CHUNK_BYTES
    add_archive(site.store, directory, manifest, "root.ppxar.didx", [head, *[ZEROS] * count, b"end" + payload[37:]])
    (directory / "index.json.blob").write_bytes(_core.seal_blob(manifest.encode()))
    return Downloads(site, directory)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_more_than_32_bits_can_say(huge: Downloads, tmp_path: Path) -> None:
    file = tmp_path / "huge.zip"
    file.write_bytes(huge.get("root.mpxar.didx", b"/"))
    assert file.stat().st_size < 64 << 20
    tested = subprocess.run(["unzip", "-t", file], capture_output=True, text=True, check=True)
    assert "No errors detected" in tested.stdout
    with zipfile.ZipFile(file) as archive:
        infos = {info.filename: info.file_size for info in archive.infolist()}
    assert infos == {"huge": HUGE_BYTES, "later": 1}
    file.write_bytes(huge.get("root.mpxar.didx", b"/", tar=1))
    listed = subprocess.run(f"zstd -dc {file} | tar -tv", shell=True, capture_output=True, text=True, check=True)  # noqa: S602
    assert [line.split()[2] for line in listed.stdout.splitlines()] == [str(HUGE_BYTES), "1"]
    status = Path(f"/proc/{huge.server.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 400 << 10, f"{peak} KiB"
