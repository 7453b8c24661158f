"""`proxmox-backup-debug` as a user meets it: what it prints, what it refuses, what it leaves behind."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from command_runner import Runner
from pbstore import _core
from pbstore.format.kdf import KdfName, new_kdf
from pbstore.format.key_file import KeyFile

CHUNK = 64 * 1024


class Store:
    """A datastore directory with one image of two chunks, and the key for them if there is one."""

    def __init__(self, root: Path, key: bytes | None = None):
        self.root = root
        self.chunks = root / ".chunks"
        self.data = [os.urandom(CHUNK // 2) * 2, b"the end"]
        self.key = None if key is None else _core.CryptKey(key)
        self.digests = [_core.chunk_digest(data, self.key) for data in self.data]
        for data, digest in zip(self.data, self.digests, strict=True):
            path = self.chunk(digest)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_core.seal_blob(data, key=self.key))
        self.index = root / "host" / "a" / "2026-06-01T08:00:00Z" / "disk.img.fidx"
        self.index.parent.mkdir(parents=True)
        size = sum(len(data) for data in self.data)
        self.index.write_bytes(
            _core.FixedIndex.encode(self.digests, size, uuid=bytes(16), ctime=0, chunk_size=CHUNK),
        )

    def chunk(self, digest: bytes) -> Path:
        return self.chunks / digest.hex()[:4] / digest.hex()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def locked(tmp_path: Path) -> tuple[Store, Path]:
    """A store whose chunks are encrypted, and the key file, protected by the password `password`."""
    key = os.urandom(32)
    path = tmp_path / "key.json"
    KeyFile.create(key, kdf=new_kdf(KdfName.PBKDF2), password="password").store(path)
    return Store(tmp_path / "locked", key), path


def fails(outcome: object, reason: str) -> None:
    """Exit code 255 and one line on stderr that starts with the reason."""
    assert getattr(outcome, "exit_code", None) == 255
    stderr: str = getattr(outcome, "stderr", "")
    assert stderr.startswith(f"Error: {reason}"), stderr
    assert stderr.count("\n") == 1


def test_decoded_and_recovered_data_is_for_the_user_alone(debug: Runner, store: Store, tmp_path: Path) -> None:
    output = tmp_path / "disk.img"
    assert debug("recover", "index", store.index, store.chunks, "--output-path", output).exit_code == 0
    assert output.read_bytes() == b"".join(store.data)
    assert output.stat().st_mode & 0o777 == 0o600
    target = tmp_path / "chunk"
    outcome = debug("inspect", "chunk", store.chunk(store.digests[1]), "--decode", target)
    assert outcome.stdout.splitlines()[1:] == ['encryption: "none"', "is-compressed: false", "size: 19"]
    assert target.read_bytes() == b"the end"
    assert target.stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(debug: Runner, store: Store, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("kept")
    fails(
        debug("recover", "index", store.index, store.chunks, "--output-path", kept),
        f"unable to create target file '{kept}' - File exists",
    )
    fails(debug("inspect", "chunk", store.chunk(store.digests[0]), "--decode", kept), "unable to create target file")
    assert kept.read_text() == "kept"


def test_a_recovery_that_fails_leaves_no_file(debug: Runner, store: Store, tmp_path: Path) -> None:
    path = store.chunk(store.digests[1])
    path.unlink()
    output = tmp_path / "output"
    outcome = debug("recover", "index", store.index, store.chunks, "--output-path", output)
    fails(outcome, f'could not open chunk file - No such file or directory (os error 2): "{path}", bytes 65536..65543')
    assert "--ignore-missing-chunks" in outcome.stderr
    assert not output.exists()
    fails(
        debug("recover", "index", store.index, store.chunks, "--output-path", tmp_path / "no" / "such"),
        f"unable to create target file '{tmp_path}/no/such' - No such file or directory",
    )


@pytest.mark.parametrize(
    ("index", "chunks", "reason"),
    [
        ("nowhere", ".chunks", "open index nowhere failed: No such file or directory"),
        ("file", ".chunks", "file: no index: unknown magic number"),
        (".chunks", ".chunks", "read index .chunks failed: Is a directory"),
        ("index", "nowhere", "chunk directory nowhere does not exist"),
        ("index", ".", ". is a datastore: its chunks are in .chunks"),
        ("index", "file", "chunk directory file does not exist"),
    ],
)
def test_wrong_paths_are_named(
    debug: Runner, store: Store, monkeypatch: pytest.MonkeyPatch, index: str, chunks: str, reason: str
) -> None:
    monkeypatch.chdir(store.root)
    (store.root / "file").write_bytes(bytes(5000))
    (store.root / "index").symlink_to(store.index)
    outcome = debug("recover", "index", index, chunks, "--output-path", "output")
    fails(outcome, reason)
    assert not (store.root / "output").exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere", "nowhere: No such file or directory"),
        ("empty", "empty: no data blob: only 0 bytes, and no index"),
        ("other", "other: no data blob: unknown magic number, and no index"),
        (".", ". is not a regular file"),
        ("fifo", "fifo is not a regular file"),
        ("cut.didx", "cut.didx: no dynamic index: only 100 bytes, the header has 4096"),
    ],
)
def test_what_is_neither_blob_nor_index_is_refused(
    debug: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    (tmp_path / "other").write_text("something else, longer than the header of a blob is")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "cut.didx").write_bytes(_core.DynamicIndex.encode([], uuid=bytes(16), ctime=0)[:100])
    fails(debug("inspect", "file", name), reason)


def test_what_may_not_be_read_is_named(debug: Runner, store: Store) -> None:
    # Root may read everything, unless it has given up that capability.
    powerless = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []

    def run(*words: str | Path) -> str:
        command = [*powerless, *debug.command(*words)]
        done = subprocess.run(command, env=debug.variables(), capture_output=True, check=False)
        assert done.returncode == 255
        return done.stderr.decode()

    chunk = store.chunk(store.digests[0])
    chunk.chmod(0)
    assert run("inspect", "chunk", chunk) == f"Error: {chunk}: Permission denied\n"
    # A chunk that may be good is not replaced by zeros.
    words = ("--output-path", "/dev/null", "--ignore-missing-chunks", "--ignore-corrupt-chunks")
    stderr = run("recover", "index", store.index, store.chunks, *words)
    assert stderr == f'Error: could not open chunk file - Permission denied (os error 13): "{chunk}"\n'


def test_an_index_has_nothing_to_decode(debug: Runner, store: Store) -> None:
    fails(debug("inspect", "file", store.index, "--decode", "-"), "only a blob can be decoded: 'recover index' puts")


def test_damage_shows(debug: Runner, store: Store) -> None:
    path = store.chunk(store.digests[1])
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 1
    path.write_bytes(blob)
    outcome = debug("inspect", "chunk", path)
    assert outcome.exit_code == 0
    assert outcome.stdout.splitlines()[0] == f'CRC: "{int.from_bytes(blob[8:12], "little")}(NOT OK)"'
    assert outcome.stderr.startswith("WARN: blob has wrong CRC-32: ")
    outcome = debug("inspect", "file", path, "--decode", "-")
    assert (outcome.exit_code, outcome.stdout) == (255, "")


def test_a_chunk_under_a_wrong_name_is_not_decoded(debug: Runner, store: Store, tmp_path: Path) -> None:
    first, second = (store.chunk(digest) for digest in store.digests)
    second.write_bytes(first.read_bytes())
    target = tmp_path / "target"
    fails(
        debug("inspect", "chunk", second, "--decode", target), f"wrong digest: expected {second.name}, got {first.name}"
    )
    assert not target.exists()
    for option in (("--digest", first.name), ("--use-filename-as-digest", "false")):
        outcome = debug("inspect", "chunk", second, "--decode", "-", *option)
        assert outcome.exit_code == 0
        assert outcome.raw_stdout.startswith(store.data[0])


def test_references_need_a_digest(debug: Runner, store: Store, tmp_path: Path) -> None:
    chunk = tmp_path / "chunk"
    chunk.write_bytes(store.chunk(store.digests[0]).read_bytes())
    words = ("inspect", "chunk", chunk, "--reference-filter", store.root)
    fails(debug(*words), "--reference-filter needs the digest of the chunk, and its name is none: give it by --digest")
    outcome = debug(*words, "--digest", store.digests[0].hex(), "--output-format", "json")
    assert json.loads(outcome.stdout)["referenced-by"] == [str(store.index)]
    outcome = debug(*words, "--digest", "0" * 64)
    assert outcome.stdout.splitlines()[-1] == "referenced by:"
    fails(debug(*words[:-1], tmp_path / "nowhere", "--digest", "0" * 64), f"{tmp_path}/nowhere is no directory")
    outcome = debug(*words, "--digest", "0" * 63)
    assert outcome.stderr.startswith(
        "Error: parameter verification failed - 'digest': value does not match the regex pattern"
    )


def test_a_damaged_index_does_not_end_the_search(debug: Runner, store: Store) -> None:
    damaged = store.root / "vm" / "damaged.fidx"
    damaged.parent.mkdir()
    damaged.write_bytes(b"nothing")
    outcome = debug("inspect", "chunk", store.chunk(store.digests[0]), "--reference-filter", store.root)
    assert outcome.exit_code == 0
    assert outcome.stdout.splitlines()[-1] == f'  "{store.index}"'
    assert outcome.stderr == f"WARN: {damaged}: no dynamic index: only 7 bytes, the header has 4096\n"


def test_keys(debug: Runner, locked: tuple[Store, Path], tmp_path: Path) -> None:
    store, key_path = locked
    password = {"PBS_ENCRYPTION_PASSWORD": "password"}
    words = ("recover", "index", store.index, store.chunks, "--output-path", "-")
    outcome = debug(*words, "--keyfile", key_path, environment=password)
    assert (outcome.exit_code, outcome.raw_stdout) == (0, b"".join(store.data))
    fails(debug(*words), "Failed to decode chunk")
    fails(debug(*words, "--keyfile", key_path), "no password input mechanism available")
    wrong = {"PBS_ENCRYPTION_PASSWORD": "another"}
    fails(debug(*words, "--keyfile", key_path, environment=wrong), "unable to decrypt key - wrong password?")
    fails(
        debug(*words, "--keyfile", tmp_path / "no"), f"cannot read key file '{tmp_path}/no': No such file or directory"
    )
    fails(debug(*words, "--keyfile", store.index), f"{store.index}: ")
    other = tmp_path / "other.json"
    KeyFile.create(os.urandom(32)).store(other)
    outcome = debug(*words, "--keyfile", other)
    assert "cannot decrypt blob: it is damaged or was encrypted with another key" in outcome.stderr
    assert (outcome.exit_code, outcome.raw_stdout) == (255, b"")
    chunk = store.chunk(store.digests[1])
    fails(debug("inspect", "chunk", chunk, "--decode", "-"), "unable to decrypt blob - missing CryptConfig")
    outcome = debug("inspect", "chunk", chunk, "--decode", "-", "--keyfile", key_path, environment=password)
    assert outcome.stdout.startswith("the end")


def test_help_names_every_command(debug: Runner) -> None:
    assert debug("help").stdout.splitlines()[2:-2] == [
        "proxmox-backup-debug diff archive <prev-snapshot> <snapshot> <archive-name> [OPTIONS]",
        "proxmox-backup-debug help [{<command>}] [OPTIONS]",
        "proxmox-backup-debug inspect chunk <chunk> [OPTIONS]",
        "proxmox-backup-debug inspect device <device> [OPTIONS]",
        "proxmox-backup-debug inspect file <file> [OPTIONS]",
        "proxmox-backup-debug recover index <file> <chunks> [OPTIONS]",
    ]
    outcome = debug("inspect", "nothing")
    assert outcome.stderr.startswith("Error: no such command 'nothing'\n")


def test_completion(debug: Runner) -> None:
    line = "proxmox-backup-debug inspect ch"
    outcome = debug("bashcomplete", environment={"COMP_LINE": line, "COMP_POINT": str(len(line))})
    assert outcome.stdout == "chunk\n"
    line = "proxmox-backup-debug recover index a b --ig"
    outcome = debug("bashcomplete", environment={"COMP_LINE": line, "COMP_POINT": str(len(line))})
    assert outcome.stdout.splitlines() == ["--ignore-corrupt-chunks", "--ignore-missing-chunks"]
