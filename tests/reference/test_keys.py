"""Keys that the original client made."""

import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from format_qr_reader import (
    codes_of_text,
    decode,
    modules_of_path_svg,
    modules_of_qrencode_svg,
    modules_of_text,
    svgs_of_html,
)
from pbstore import _core
from pbstore.format.key_file import KeyFile
from pbstore.format.master_key import decrypt_key_file, load_public_key
from pbstore.format.paper_key import PaperKey
from reference.original_store import OriginalStore
from unpack import unpack

PASSWORDS = {"none": "", "scrypt": "scrypt-pass-1", "pbkdf2": "pbkdf2-pass-1"}


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize("name", PASSWORDS)
def test_key_files_open_and_are_written_alike(name: str, fixtures_323: Path) -> None:
    path = fixtures_323 / "keys" / f"{name}.json"
    key_file = KeyFile.load(path)
    assert len(key_file.open(lambda: PASSWORDS[name])) == 32
    assert key_file.encode() == path.read_bytes().rstrip(b"\n")
    shown = json.loads((fixtures_323 / "keys" / f"{name}.show.json").read_text())
    assert (key_file.created, key_file.modified) == (shown["created"], shown["modified"])
    assert (str(key_file.fingerprint), key_file.hint) == (shown["fingerprint"], shown.get("hint"))
    assert (key_file.kdf.name if key_file.kdf else "none") == shown["kdf"]


def test_key_of_423(fixtures_423: Path) -> None:
    key_file = KeyFile.load(fixtures_423 / "keys" / "scrypt.json")
    assert len(key_file.open(lambda: "scrypt-42")) == 32
    assert key_file.hint == "scrypt hint"


def test_every_key_of_423_is_written_as_it_was(fixtures_423: Path, tmp_path: Path) -> None:
    unpack(fixtures_423 / "etc-proxmox-backup.tar.xz", tmp_path)
    server_key = tmp_path / "proxmox-backup" / "encryption-keys" / "pushkey.enc"
    for path in (fixtures_423 / "keys" / "enc.json", fixtures_423 / "keys" / "scrypt.json", server_key):
        key_file = KeyFile.load(path)
        assert len(key_file.open(lambda: "scrypt-42")) == 32
        assert key_file.encode() == path.read_bytes().rstrip(b"\n")


def test_master_key_of_423_recovers_the_key(fixtures_423: Path, store_423: OriginalStore) -> None:
    blobs = store_423.files("rsa-encrypted.key.blob")
    assert len(blobs) == 3
    for blob in blobs:
        sealed = _core.open_blob(blob.read_bytes())
        private_pem = (fixtures_423 / "keys" / "master-private.pem").read_bytes()
        key_file = decrypt_key_file(sealed, private_pem, "master-42")
        original = KeyFile.load(fixtures_423 / "keys" / "enc.json")
        assert (key_file.data, key_file.created, key_file.kdf) == (original.data, original.created, None)


def test_master_key_recovers_the_key(fixtures_323: Path) -> None:
    keys = fixtures_323 / "keys"
    assert load_public_key((keys / "master-public.pem").read_bytes()).key_size == 4096
    sealed = (keys / "rsa-encrypted.key").read_bytes()
    key_file = decrypt_key_file(sealed, (keys / "master-private.pem").read_bytes(), "masterpw-1")
    original, recovered = KeyFile.load(keys / "none.json"), KeyFile.load(keys / "recovered.json")
    assert key_file.open(lambda: "") == original.open(lambda: "") == recovered.open(lambda: "")
    assert (key_file.created, key_file.kdf) == (original.created, None)


def without_images(page: str) -> str:
    return re.sub(r"base64,[A-Za-z0-9+/]*", "base64,", re.sub(r"[ ▀▄█]{20,}", "", page))


@pytest.mark.parametrize("name", PASSWORDS)
@pytest.mark.parametrize(("suffix", "subject"), [("paperkey", None), ("paperkey-subject", "subject {}")])
def test_text_pages_are_the_same_but_for_the_pattern(
    name: str, suffix: str, subject: str | None, fixtures_323: Path
) -> None:
    """The original's encoder mixes modes inside a code, ours does not: other modules, same size, same content."""
    expected = (fixtures_323 / "keys" / f"{name}.{suffix}.txt").read_text()
    data = (fixtures_323 / "keys" / f"{name}.json").read_bytes()
    page = PaperKey.parse(data).text(subject.format(name) if subject else None)
    assert without_images(page) == without_images(expected)
    ((ours,), (theirs,)) = codes_of_text(page), codes_of_text(expected)
    assert [len(line) for line in ours.splitlines()] == [len(line) for line in theirs.splitlines()]
    assert decode(modules_of_text(ours)) == decode(modules_of_text(theirs))


@pytest.mark.parametrize("name", PASSWORDS)
def test_html_pages_are_the_same_but_for_the_pattern(name: str, fixtures_323: Path) -> None:
    expected = (fixtures_323 / "keys" / f"{name}.paperkey.html").read_text()
    paper_key = PaperKey.parse((fixtures_323 / "keys" / f"{name}.json").read_bytes())
    page = paper_key.html()
    assert without_images(page) == without_images(expected)
    ((ours,), (theirs,)) = svgs_of_html(page), svgs_of_html(expected)
    assert decode(modules_of_path_svg(ours)) == decode(modules_of_qrencode_svg(theirs)) == "\n".join(paper_key.lines)
    assert KeyFile.parse(decode(modules_of_path_svg(ours)).encode()) == KeyFile.parse(
        (fixtures_323 / "keys" / f"{name}.json").read_bytes()
    )


MASTER_KEYS = [("fixtures_323", "masterpw-1"), ("fixtures_423", "master-42")]


@pytest.mark.parametrize(("fixtures", "password"), MASTER_KEYS)
def test_a_master_key_on_paper_is_scanned_back(fixtures: str, password: str, request: pytest.FixtureRequest) -> None:
    """From either form of the page, all codes in order are the PEM file, which still opens."""
    directory: Path = request.getfixturevalue(fixtures)
    pem = (directory / "keys" / "master-private.pem").read_text()
    paper_key = PaperKey.parse(pem.encode())
    from_text = [decode(modules_of_text(code)) for code in codes_of_text(paper_key.text())]
    from_html = [decode(modules_of_path_svg(svg)) for svg in svgs_of_html(paper_key.html())]
    assert "\n".join(from_text) + "\n" == "\n".join(from_html) + "\n" == pem
    assert (len(from_text), len(from_html)) == (11, 3)
    load_pem_private_key("\n".join(from_html).encode(), password.encode())
