"""Passwords, token secrets and keys on disk (auth.md 2, 3)."""

import base64
import ctypes
import ctypes.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.csrf_key import load_or_create_csrf_key
from pbstore.config.password_hash import hash_secret, is_outdated, verify_secret
from pbstore.config.roots import Roots
from pbstore.config.shadow import ShadowFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.errors import ConfigError
from pbstore.model.auth_id import AuthId


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    roots = Roots.below(tmp_path)
    roots.prepare()
    return roots


def sha256_crypt(password: bytes) -> str:
    crypt = ctypes.CDLL(ctypes.util.find_library("crypt")).crypt
    crypt.restype = ctypes.c_char_p
    return bytes(crypt(password, b"$5$saltsalt$")).decode()


def test_new_hashes_are_yescrypt_with_32_bytes_of_salt() -> None:
    hashed = hash_secret("secret word")
    _, scheme, parameters, salt, _ = hashed.split("$")
    assert (scheme, parameters, len(salt)) == ("y", "j9T", 43)
    assert hashed != hash_secret("secret word")
    assert not is_outdated(hashed)


def test_verify() -> None:
    hashed = hash_secret("pässword")
    assert verify_secret("pässword", hashed)
    assert not verify_secret("passwort", hashed)
    assert not verify_secret("", hashed)
    assert not verify_secret("p\0", hashed)
    assert not verify_secret("\ud800", hashed)
    assert not verify_secret("x" * 5000, hashed)


@pytest.mark.parametrize("stored", [None, "", "x", "*", "*0", "$y$", "$9$x", "!$y$j9T$abc$def"])
def test_what_is_no_hash_never_matches(stored: str | None) -> None:
    assert not verify_secret("", stored)
    assert not verify_secret("*0", stored)


def test_shadow_file(roots: Roots) -> None:
    shadow = ShadowFile(roots)
    assert not shadow.verify("john", "password 1")
    shadow.set_password("john", "password 1")
    shadow.set_password("jane", "password 2")
    assert shadow.verify("john", "password 1")
    assert not shadow.verify("john", "password 2")
    path = roots.config_dir / "shadow.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith('{\n  "john": "$y$')
    shadow.remove("john")
    assert list(json.loads(path.read_text())) == ["jane"]


def test_old_hashes_are_renewed_by_a_good_login_only(roots: Roots) -> None:
    path = roots.config_dir / "shadow.json"
    path.write_text(json.dumps({"john": sha256_crypt(b"password 1")}))
    shadow = ShadowFile(roots)
    assert not shadow.verify("john", "wrong")
    assert json.loads(path.read_text())["john"].startswith("$5$")
    assert shadow.verify("john", "password 1")
    assert json.loads(path.read_text())["john"].startswith("$y$")
    assert shadow.verify("john", "password 1")


@pytest.mark.parametrize("content", ["[]", "{", '{"a": 1}', "[" * 100000])
def test_a_damaged_shadow_file_lets_nobody_in_and_shows_nothing(roots: Roots, content: str) -> None:
    (roots.config_dir / "shadow.json").write_text(content)
    with pytest.raises(ConfigError) as caught:
        ShadowFile(roots).verify("john", "x")
    assert str(caught.value).endswith("shadow.json: expected a JSON object of hashes by name")


def test_token_shadow(roots: Roots) -> None:
    tokens = TokenShadowFile(roots)
    auth_id = AuthId.parse("a@pbs!t")
    before = tokens.stamp()
    secret = tokens.generate(auth_id)
    assert len(secret) == 36
    assert tokens.stamp() != before
    assert tokens.verify(auth_id, secret)
    assert not tokens.verify(auth_id, secret[:-1])
    assert not tokens.verify(AuthId.parse("a@pbs!u"), secret)
    text = (roots.config_dir / "token.shadow").read_text()
    assert text.startswith('{"a@pbs!t":"$y$')
    assert secret not in text
    tokens.remove(auth_id)
    assert not tokens.verify(auth_id, secret)


USE_KEYS = """
import pathlib, sys
from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.csrf_key import load_or_create_csrf_key
from pbstore.config.roots import Roots
roots = Roots.below(pathlib.Path(sys.argv[1]))
sys.stdin.read()
print(load_or_create_auth_key(roots).sign(b"x").hex(), load_or_create_csrf_key(roots).hex())
"""


def test_processes_that_start_together_have_the_same_keys(roots: Roots) -> None:
    command = [sys.executable, "-c", USE_KEYS, str(roots.base)]
    # All wait for the same pipe to be closed, so that they begin at the same moment.
    gate, start = os.pipe()
    processes = [subprocess.Popen(command, stdin=gate, stdout=subprocess.PIPE) for _ in range(4)]
    os.close(gate)
    os.close(start)
    assert len({process.communicate()[0] for process in processes}) == 1
    assert all(process.returncode == 0 for process in processes)


def test_key_files(roots: Roots) -> None:
    key = load_or_create_auth_key(roots)
    csrf_key = load_or_create_csrf_key(roots)
    assert len(csrf_key) == 64
    assert base64.b64decode((roots.config_dir / "csrf.key").read_text() + "==") == csrf_key
    private, public = roots.config_dir / "authkey.key", roots.config_dir / "authkey.pub"
    assert private.stat().st_mode & 0o777 == 0o600
    assert private.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    loaded = serialization.load_pem_public_key(public.read_bytes())
    signature = key.sign(b"data")
    loaded.verify(signature, b"data")  # type: ignore[union-attr,call-arg]
    assert key.is_signature(signature, b"data")
    assert not key.is_signature(signature, b"date")
    assert not key.is_signature(b"", b"data")


def test_the_rsa_key_of_an_older_installation(roots: Roots) -> None:
    private = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (roots.config_dir / "authkey.key").write_bytes(private)
    key = load_or_create_auth_key(roots)
    assert key.is_signature(key.sign(b"data"), b"data")
    assert not key.is_signature(key.sign(b"data"), b"date")
    assert (roots.config_dir / "authkey.key").read_bytes() == private


def test_a_damaged_key_is_not_replaced(roots: Roots) -> None:
    (roots.config_dir / "authkey.key").write_bytes(b"garbage")
    with pytest.raises(ConfigError, match=r"authkey\.key: no PEM"):
        load_or_create_auth_key(roots)
    (roots.config_dir / "csrf.key").write_bytes(b"")
    with pytest.raises(ConfigError, match="is empty"):
        load_or_create_csrf_key(roots)


def test_a_csrf_key_that_is_not_base64_is_the_key_itself(roots: Roots) -> None:
    (roots.config_dir / "csrf.key").write_bytes(b"\x00raw key!")
    assert load_or_create_csrf_key(roots) == b"\x00raw key!"
