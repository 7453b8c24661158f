"""Key files: the vectors of keys.md 8, and what must be refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from pbstore.errors import EncryptionKeyError
from pbstore.format.kdf import Kdf, KdfName, Pbkdf2, Scrypt, new_kdf
from pbstore.format.key_file import KeyFile

KEY = bytes(range(32))
PASSWORD = "secret pass"
SALT = "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU="
FINGERPRINT = "0e:ab:d4:46:0b:6e:b9:ca:34:50:23:de:e2:b7:78:c7:90:e5:4a:16:83:b9:65:9c:0a:57:ae:19:90:90:15:9b"
SCRYPT_DATA = "QEFCQ0RFRkdISUpLTE1OT3GFAUJ63Mh06mVXQVgNbqVIMYqlJNFML4oyM1ECdyPAPeklKvLFYr0uIUpxPA+C8A=="
PBKDF2_DATA = "QEFCQ0RFRkdISUpLTE1OTyIe5wvp21efPgW8bj3Y7EWSfHRCLexALqtvAWN9jIV6MsHoQCTpvlU6+uBzPKTvVA=="
SCRYPT = {"Scrypt": {"n": 65536, "r": 8, "p": 1, "salt": SALT}}
PBKDF2 = {"PBKDF2": {"iter": 65535, "salt": SALT}}
PLAIN = (
    b'{"kdf":null,"created":"2024-01-02T03:04:05+00:00","modified":"2024-01-02T03:04:05+00:00",'
    b'"data":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","fingerprint":"' + FINGERPRINT.encode() + b'"}'
)


def changed(**values: Any) -> bytes:
    return json.dumps({**json.loads(PLAIN), **values}).encode()


def never() -> str:
    raise AssertionError("no password is needed")


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def test_plain_vector_in_both_directions() -> None:
    key_file = KeyFile.parse(PLAIN)
    assert (key_file.open(never), key_file.created, key_file.encode()) == (KEY, 1704164645, PLAIN)
    assert json.loads(key_file.encode_pretty()) == json.loads(PLAIN)


@pytest.mark.parametrize(
    ("kdf", "data", "derived"),
    [
        (SCRYPT, SCRYPT_DATA, "ec1a3169737165e4b8c4e75fb58becefe0cf9f26e4a7821a67c5322be9204eb5"),
        (PBKDF2, PBKDF2_DATA, "a28f0a43338c95b5e11054acb1585d29cbf7992d70a3101d7ad4764195ac585c"),
    ],
)
def test_protected_vectors(kdf: dict[str, Any], data: str, derived: str) -> None:
    key_file = KeyFile.parse(changed(kdf=kdf, data=data))
    assert key_file.kdf is not None
    assert key_file.kdf.derive(PASSWORD).hex() == derived
    assert key_file.kdf.to_json() == kdf
    assert key_file.open(lambda: PASSWORD) == KEY


def test_wrong_password_shows_the_hint() -> None:
    with pytest.raises(EncryptionKeyError, match="wrong password"):
        KeyFile.parse(changed(kdf=PBKDF2, data=PBKDF2_DATA)).open(lambda: "wrong pass")
    with pytest.raises(EncryptionKeyError, match="my cat"):
        KeyFile.parse(changed(kdf=PBKDF2, data=PBKDF2_DATA, hint="my cat")).open(lambda: "wrong pass")


def test_short_password_is_refused() -> None:
    with pytest.raises(EncryptionKeyError, match="at least 5"):
        KeyFile.parse(changed(kdf=PBKDF2, data=PBKDF2_DATA)).open(lambda: "1234")
    with pytest.raises(EncryptionKeyError, match="at least 5"):
        KeyFile.create(KEY, kdf=Pbkdf2(), password="1234")


def test_fingerprint_must_be_that_of_the_key() -> None:
    other = FINGERPRINT.replace("0e:", "0f:")
    with pytest.raises(EncryptionKeyError, match=r"0f:ab:d4:46:0b:6e:b9:ca .*0e:ab:d4:46:0b:6e:b9:ca"):
        KeyFile.parse(changed(fingerprint=other)).open(never)


def test_old_files_lack_kdf_and_fingerprint() -> None:
    raw = json.loads(PLAIN)
    del raw["kdf"], raw["fingerprint"]
    assert KeyFile.parse(json.dumps(raw).encode()).open(never) == KEY


@pytest.mark.parametrize("kdf", [Scrypt(n=1024), Pbkdf2(rounds=10)])
def test_create_and_open(kdf: Kdf) -> None:
    key_file = KeyFile.create(KEY, kdf=kdf, password=PASSWORD, hint="the usual")
    again = KeyFile.parse(key_file.encode())
    assert again == key_file
    assert again.open(lambda: PASSWORD) == KEY
    assert len(again.data) == 64
    assert again.data != KeyFile.create(KEY, kdf=kdf, password=PASSWORD).data


def test_new_functions_have_the_original_parameters_and_fresh_salt() -> None:
    assert new_kdf(KdfName.NONE) is None
    scrypt, pbkdf2 = new_kdf(KdfName.SCRYPT), new_kdf(KdfName.PBKDF2)
    assert isinstance(scrypt, Scrypt)
    assert isinstance(pbkdf2, Pbkdf2)
    assert (scrypt.n, scrypt.r, scrypt.p, pbkdf2.rounds, len(scrypt.salt)) == (65536, 8, 1, 65535, 32)
    assert scrypt.salt != pbkdf2.salt


@pytest.mark.parametrize(("kdf", "hint"), [(None, "x"), (Pbkdf2(), ""), (Pbkdf2(), "x" * 65), (Pbkdf2(), "a\nb")])
def test_hints_that_are_refused(kdf: Kdf | None, hint: str) -> None:
    with pytest.raises(EncryptionKeyError, match="hint"):
        KeyFile.create(KEY, kdf=kdf, password=PASSWORD, hint=hint)


def test_no_key_material_is_shown() -> None:
    key_file = KeyFile.parse(PLAIN)
    assert "data" not in repr(key_file)
    assert repr(KEY)[2:-1] not in repr(key_file)


def test_unprotected_copy_keeps_the_date_of_creation() -> None:
    key_file = KeyFile.create(KEY, kdf=Pbkdf2(rounds=10), password=PASSWORD, created=1000)
    copy = key_file.unprotected(KEY)
    assert (copy.kdf, copy.data, copy.created, copy.hint) == (None, KEY, 1000, None)
    assert copy.modified > 1000


def test_times_are_local_with_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    try:
        key_file = KeyFile.parse(changed(created="2024-01-02T03:04:05Z"))
        assert key_file.created == 1704164645
        assert key_file.to_json()["created"] == "2024-01-02T04:04:05+01:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_store_is_private_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    KeyFile.parse(PLAIN).store(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (PLAIN, 0o600)
    with pytest.raises(EncryptionKeyError, match="File exists"):
        KeyFile.parse(PLAIN).store(path)
    changed_file = KeyFile.create(bytes(32))
    changed_file.store(path, replace_existing=True)
    assert KeyFile.load(path) == changed_file
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["key.json"]


def test_load_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(EncryptionKeyError, match=r"missing\.json"):
        KeyFile.load(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_bytes(b"{")
    with pytest.raises(EncryptionKeyError, match=r"bad\.json"):
        KeyFile.load(tmp_path / "bad.json")


@pytest.mark.parametrize(
    "values",
    [
        {"data": "!!!"},
        {"data": None},
        {"created": "yesterday"},
        {"created": "2024-13-02T03:04:05Z"},
        {"created": "2024-01-02"},
        {"modified": 5},
        {"fingerprint": "00"},
        {"hint": 5},
        {"kdf": "Scrypt"},
        {"kdf": {"Argon2": {}}},
        {"kdf": {"Scrypt": {"n": 65536, "r": 8, "p": 1}}},
        {"kdf": {"Scrypt": {"n": 65537, "r": 8, "p": 1, "salt": SALT}}},
        {"kdf": {"Scrypt": {"n": 1 << 40, "r": 8, "p": 1, "salt": SALT}}},
        {"kdf": {"Scrypt": {"n": 2, "r": 1 << 40, "p": 1, "salt": SALT}}},
        {"kdf": {"Scrypt": {"n": 65536, "r": 8, "p": 1 << 20, "salt": SALT}}},
        {"kdf": {"Scrypt": {"n": 0, "r": 8, "p": 1, "salt": SALT}}},
        {"kdf": {"Scrypt": {"n": True, "r": 8, "p": 1, "salt": SALT}}},
        {"kdf": {"PBKDF2": {"iter": 0, "salt": SALT}}},
        {"kdf": {"PBKDF2": {"iter": 1 << 40, "salt": SALT}}},
        {"kdf": {"PBKDF2": {"iter": 5, "salt": "A" * 4000}}},
    ],
)
def test_unfit_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(EncryptionKeyError):
        KeyFile.parse(changed(**values))


@pytest.mark.parametrize("data", ["AAAA", "", "A" * 88])
def test_data_of_the_wrong_length_is_refused(data: str) -> None:
    with pytest.raises(EncryptionKeyError):
        KeyFile.parse(changed(data=data)).open(never)
    with pytest.raises(EncryptionKeyError):
        KeyFile.parse(changed(data=data, kdf={"PBKDF2": {"iter": 5, "salt": SALT}})).open(lambda: PASSWORD)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b" " * (1024 * 1024 + 1)])
def test_what_is_no_key_file(data: bytes) -> None:
    with pytest.raises(EncryptionKeyError):
        KeyFile.parse(data)
