"""Which key is used: every row of keys.md 3."""

import os
from itertools import product
from pathlib import Path

import pytest

from pbstore.client.key_choice import KeyOptions, KeySource, choose_keys
from pbstore.client.places import ENCRYPTION_KEY, MASTER_PUBLIC_KEY, ClientPlaces
from pbstore.errors import EncryptionKeyError, PbstoreError
from pbstore.model.crypt_mode import CryptMode

ENCRYPT, SIGN_ONLY, NONE = CryptMode.ENCRYPT, CryptMode.SIGN_ONLY, CryptMode.NONE
NO_KEY = "--master-pubkey-file/--master-pubkey-fd specified, but no key available"
NO_DEFAULT = "--crypt-mode without --keyfile and no default key file available"
NONE_KEY = "--keyfile/--keyfd and --crypt-mode=none are mutually exclusive"
NONE_MASTER = "--master-pubkey-file/--master-pubkey-fd and --crypt-mode=none are mutually exclusive"


def expected(mode: CryptMode | None, key: bool, master: bool, has_key: bool, has_master: bool) -> object:
    """The table of keys.md 3 as a function: (mode, key, master key) or the text of the error."""
    used_master = "given" if master else "default" if has_master else None
    match mode, key, master:
        case None, False, False:
            return (ENCRYPT, "default", used_master) if has_key else (NONE, None, None)
        case None, False, True:
            return (ENCRYPT, "default", "given") if has_key else NO_KEY
        case None, True, _:
            return ENCRYPT, "given", used_master
        case CryptMode.NONE, False, False:
            return NONE, None, None
        case CryptMode.NONE, True, _:
            return NONE_KEY
        case CryptMode.NONE, False, True:
            return NONE_MASTER
        case _, False, _:
            return (mode, "default", used_master) if has_key else NO_DEFAULT
        case _:
            return mode, "given", used_master


def label(source: KeySource | None) -> str | None:
    return None if source is None else "default" if source.is_default else "given"


ROWS = list(product((None, NONE, ENCRYPT, SIGN_ONLY), (False, True), (False, True), (False, True), (False, True)))


@pytest.mark.parametrize(("mode", "key", "master", "has_key", "has_master"), ROWS)
def test_every_row(
    tmp_path: Path, mode: CryptMode | None, key: bool, master: bool, has_key: bool, has_master: bool
) -> None:
    places = ClientPlaces(config_home=tmp_path, cache_home=tmp_path)
    if has_key:
        places.place_config(ENCRYPTION_KEY).write_bytes(b"default key")
    if has_master:
        places.place_config(MASTER_PUBLIC_KEY).write_bytes(b"default master")
    given = tmp_path / "given"
    given.write_bytes(b"given")
    options = KeyOptions(crypt_mode=mode, keyfile=given if key else None, master_pubkey_file=given if master else None)
    outcome = expected(mode, key, master, has_key, has_master)
    if isinstance(outcome, str):
        with pytest.raises(PbstoreError) as caught:
            choose_keys(options, places)
        assert str(caught.value) == outcome
    else:
        choice = choose_keys(options, places)
        assert (choice.crypt_mode, label(choice.key), label(choice.master_key)) == outcome


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (KeyOptions(keyfile=Path("a"), keyfd=3), "--keyfile and --keyfd are mutually exclusive"),
        (
            KeyOptions(master_pubkey_file=Path("a"), master_pubkey_fd=3),
            "--master-pubkey-file and --master-pubkey-fd are mutually exclusive",
        ),
    ],
)
def test_file_and_descriptor_exclude_each_other(tmp_path: Path, options: KeyOptions, message: str) -> None:
    with pytest.raises(PbstoreError) as caught:
        choose_keys(options, ClientPlaces(config_home=tmp_path, cache_home=tmp_path))
    assert str(caught.value) == message


def test_messages_say_where_a_key_came_from(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    path.write_bytes(b"key")
    reader, writer = os.pipe()
    os.write(writer, b"master")
    os.close(writer)
    places = ClientPlaces(config_home=tmp_path, cache_home=tmp_path)
    choice = choose_keys(KeyOptions(keyfile=path, master_pubkey_fd=reader), places)
    assert choice.key is not None
    assert choice.master_key is not None
    assert choice.key.message == f"Using encryption key from '{path}'.."
    assert choice.master_key.message == "Using master key from file descriptor.."
    assert choice.master_key.data == b"master"


def test_a_default_key_is_announced(tmp_path: Path) -> None:
    places = ClientPlaces(config_home=tmp_path, cache_home=tmp_path)
    places.place_config(ENCRYPTION_KEY).write_bytes(b"default key")
    silent, announced = (choose_keys(KeyOptions(crypt_mode=mode), places) for mode in (None, SIGN_ONLY))
    assert silent.key is not None
    assert silent.key.message == "Using default encryption key.."
    assert (silent.announcement, announced.announcement) == (None, "Encrypting with default encryption key!")


@pytest.mark.parametrize("content", [None, bytes(1 << 20 | 1)])
def test_files_that_cannot_be_keys(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "k.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EncryptionKeyError, match=r"unable to read encryption key file '.*k\.json' - "):
        choose_keys(KeyOptions(keyfile=path), ClientPlaces(config_home=tmp_path, cache_home=tmp_path))
