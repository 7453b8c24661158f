"""Keys that the original client made."""

import json
import re
from pathlib import Path

import pytest

from format_qr_reader import (
    codes_of_text,
    decode,
    modules_of_qrencode_svg,
    modules_of_text,
    svgs_of_html,
)
from pbstore.format.key_file import KeyFile
from pbstore.format.master_key import decrypt_key_file, load_public_key
from pbstore.format.paper_key import PaperKey

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
    (theirs,) = svgs_of_html(expected)
    assert decode(modules_of_qrencode_svg(theirs)) == "\n".join(paper_key.lines)
    assert len(svgs_of_html(page)) == 1
