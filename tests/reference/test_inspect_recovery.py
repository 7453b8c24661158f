"""`proxmox-backup-debug recover index` on the datastores and captured runs of the original programs."""

import hashlib
import lzma
import re
from pathlib import Path

import pytest

from captured_runs import captured_runs, check_run
from command_runner import Runner
from datastore_files import crypt_key, files_of
from pbstore import _core
from pbstore.cli.proxmox_backup_debug.main import PROGRAM
from pbstore.format.manifest import Manifest, ManifestFile
from unpack import unpack

KEYS = {"323": "none.json", "423": "enc.json"}
# Chunks of `host/corrupt` and `host/missing` that a verification had put aside before the captured runs.
PUT_ASIDE = ("116c", "f17b", "0685", "2d75")


@pytest.fixture
def debug(pytestconfig: pytest.Config) -> Runner:
    """Name the program under test."""
    return Runner(PROGRAM, installed=pytestconfig.getoption("--installed"))


def test_recoveries_print_what_the_original_printed(
    debug: Runner, fixtures_423: Path, datastore_423: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {"/srv/fx42/ds": datastore_423, "/srv/fx42/out": fixtures_423}
    for run in captured_runs(fixtures_423 / "cli" / "recover-index.txt"):
        check_run(debug, run.moved(places))
    # The name of the index without extension, in the current directory; nothing is left of the one that failed.
    assert {path.name for path in tmp_path.iterdir()} == {"etc.mpxar", "enc.mpxar"}
    for name, source in (("etc", "split-g2-etc"), ("enc", "encsplit-g2-enc")):
        expected = lzma.decompress((fixtures_423 / "items" / f"{source}.mpxar.xz").read_bytes())
        assert (tmp_path / f"{name}.mpxar").read_bytes() == expected


def test_recoveries_from_a_damaged_store_print_what_the_original_printed(
    debug: Runner, fixtures_423: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = unpack(fixtures_423 / "datastore-bad-before-verify.tar.xz", tmp_path / "store")
    for prefix in PUT_ASIDE:
        (chunk,) = (store / ".chunks" / prefix).iterdir()
        chunk.rename(chunk.with_name(f"{chunk.name}.0.bad"))
    monkeypatch.chdir(tmp_path)
    runs = captured_runs(fixtures_423 / "cli" / "bad-recover.txt")
    for run in runs:
        check_run(debug, run.moved({"/srv/fx42/ds2": store}))
    made = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert made == {run.words[run.words.index("--output-path") + 1] for run in runs if run.exit_code == 0}
    assert (tmp_path / "r2-corrupt").read_bytes()[: 12 << 20] == bytes(12 << 20)


def test_damage_that_no_verification_put_aside_yet(debug: Runner, fixtures_423: Path, tmp_path: Path) -> None:
    store = unpack(fixtures_423 / "datastore-bad-before-verify.tar.xz", tmp_path / "store")
    index = store / "host" / "corrupt" / "2026-06-01T08:00:00Z" / "d.img.fidx"
    output = tmp_path / "output"
    outcome = debug("recover", "index", index, store / ".chunks", "--output-path", output)
    assert outcome.exit_code == 255
    assert "blob has wrong CRC-32" in outcome.stderr
    assert "--ignore-corrupt-chunks" in outcome.stderr
    assert not output.exists()
    outcome = debug("recover", "index", index, store / ".chunks", "--output-path", output, "--ignore-corrupt-chunks")
    assert outcome.exit_code == 0
    reasons = re.findall(r"is corrupt: (wrong digest|blob has wrong CRC-32)", outcome.stderr)
    assert reasons == ["blob has wrong CRC-32", "wrong digest", "blob has wrong CRC-32"]
    assert "WARN: replacing output file 8388608..12582912 with '\\0'" in outcome.stderr.splitlines()
    assert output.read_bytes()[: 12 << 20] == bytes(12 << 20)


@pytest.mark.slow
@pytest.mark.parametrize("release", ["323", "423"])
def test_every_index_is_recovered(debug: Runner, release: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    datastore: Path = request.getfixturevalue(f"datastore_{release}")
    key_path = request.getfixturevalue(f"fixtures_{release}") / "keys" / KEYS[release]
    key = crypt_key(key_path)
    recovered = 0
    for path in files_of(datastore):
        if path.suffix == ".blob":
            continue
        target = tmp_path / "archive"
        words = ("recover", "index", path, datastore / ".chunks", "--keyfile", key_path, "--output-path", target)
        outcome = debug(*words)
        assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "", "")
        check_content(target.read_bytes(), path, manifest_entry(path), key)
        assert (
            hashlib.sha256(debug(*words[:-1], "-").raw_stdout).digest() == hashlib.sha256(target.read_bytes()).digest()
        )
        target.unlink()
        recovered += 1
    assert recovered >= 20


def check_content(data: bytes, index_path: Path, entry: ManifestFile, key: _core.CryptKey) -> None:
    """The data has the size and, cut where the index cuts it, the checksum that the manifest says."""
    raw = index_path.read_bytes()
    is_fixed = index_path.suffix == ".fidx"
    index = _core.FixedIndex.parse(raw) if is_fixed else _core.DynamicIndex.parse(raw)
    digest_key = key if entry.crypt_mode.value == "encrypt" else None
    checksum, start = hashlib.sha256(), 0
    for number in range(len(index)):
        end = index.chunk_end(number)
        checksum.update(b"" if is_fixed else end.to_bytes(8, "little"))
        checksum.update(_core.chunk_digest(data[start:end], digest_key))
        start = end
    assert (len(data), checksum.digest()) == (entry.size, entry.csum)


def manifest_entry(path: Path) -> ManifestFile:
    manifest = Manifest.parse(_core.open_blob((path.parent / "index.json.blob").read_bytes()))
    entry = manifest.find(path.name)
    assert entry is not None
    return entry


def test_recovered_images_are_those_that_were_backed_up(
    debug: Runner, fixtures_423: Path, datastore_423: Path, tmp_path: Path
) -> None:
    sums = sums_of(fixtures_423 / "trees" / "images.sha256")
    sums |= sums_of(fixtures_423 / "items" / "SHA256SUMS-and-sizes")
    pipe = datastore_423 / "host" / "pipe"
    cases = {
        pipe / "2026-06-01T08:00:00Z" / "drive.img.fidx": "src/pipe1.raw",
        pipe / "2026-06-02T08:00:00Z" / "drive.img.fidx": "src/pipe2.raw",
        pipe / "2026-06-04T08:00:00Z" / "drive.img.fidx": "src/pipe1.raw",
        datastore_423 / "host" / "split" / "2026-06-01T08:00:00Z" / "disk.img.fidx": "src/disk.img",
    }
    for group, name in (("split", "tree"), ("split", "etc"), ("encsplit", "enc")):
        for number in (1, 2, 3):
            for part in ("mpxar", "ppxar"):
                index = datastore_423 / "host" / group / f"2026-06-0{number}T08:00:00Z" / f"{name}.{part}.didx"
                cases[index] = f"{group}-g{number}-{name}.{part}"
    for index, name in cases.items():
        words = (datastore_423 / ".chunks", "--keyfile", fixtures_423 / "keys" / "enc.json", "--output-path", "-")
        outcome = debug("recover", "index", index, *words)
        assert hashlib.sha256(outcome.raw_stdout).hexdigest() == sums[name], name


def test_recovered_images_of_3_2_4_are_those_that_were_backed_up(
    debug: Runner, fixtures_323: Path, datastore_323: Path
) -> None:
    sums = sums_of(fixtures_323 / "store-src" / "MD5SUMS")
    compared = set()
    for index in sorted(datastore_323.rglob("*.img.fidx")):
        words = ("--keyfile", fixtures_323 / "keys" / "none.json", "--output-path", "-")
        outcome = debug("recover", "index", index, datastore_323 / ".chunks", *words)
        compared.add(hashlib.md5(outcome.raw_stdout, usedforsecurity=False).hexdigest())
    assert compared
    assert compared <= set(sums.values())


def sums_of(path: Path) -> dict[str, str]:
    """Checksum by name, of the lines that `sha256sum` and `md5sum` write."""
    return {name: digest for digest, name in re.findall(r"^([0-9a-f]{32,})  (\S+)$", path.read_text(), re.MULTILINE)}
