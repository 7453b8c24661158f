"""The life of keys on the command line: typed passwords, files, errors (keys.md 5)."""

import json
import re
import stat
from pathlib import Path

import pytest

from command_runner import Runner
from pbstore.cli.proxmox_backup_client.main import PROGRAM
from pbstore.format.key_file import KeyFile
from pbstore.format.master_key import encrypt_key_file, load_public_key
from terminal import type_at

CLIENT = Runner(PROGRAM)


def typed(home: dict[str, str], directory: Path, answers: list[str], *words: str | Path) -> tuple[int, str]:
    """Exit code, and what the terminal showed."""
    keystrokes = [answer.encode() + b"\r" for answer in answers]
    return type_at(CLIENT.command(*words), keystrokes, CLIENT.variables(home), directory=directory)


def default_key(home: dict[str, str]) -> Path:
    return Path(home["XDG_CONFIG_HOME"]) / "proxmox-backup" / "encryption-key.json"


@pytest.mark.slow
def test_a_protected_key_from_creation_to_another_password(home: dict[str, str], tmp_path: Path) -> None:
    code, shown = typed(home, tmp_path, ["first pass"] * 2, "key", "create", "--kdf", "pbkdf2", "--hint", "the first")
    path = default_key(home)
    assert (code, shown) == (
        0,
        f'creating default key at: "{path}"\nEncryption Key Password: **********\nVerify Password: **********\n',
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    old = KeyFile.load(path)
    raw_key = old.open(lambda: "first pass")
    answers = ["first pass", "second pass", "second pass"]
    code, shown = typed(home, tmp_path, answers, "key", "change-passphrase", "--kdf", "scrypt", "--hint", "the second")
    assert code == 0
    assert shown.splitlines()[0] == f'updating default key at: "{path}"'
    assert [line.partition(":")[0] for line in shown.splitlines()[1:]] == [
        "Encryption Key Password",
        "New Password",
        "Verify Password",
    ]
    new = KeyFile.load(path)
    assert new.open(lambda: "second pass") == raw_key
    assert (new.created, new.hint) == (old.created, "the second")
    shown_key = json.loads(CLIENT("key", "show", "--output-format", "json", environment=home).stdout)
    assert (shown_key["kdf"], shown_key["hint"], shown_key["path"]) == ("scrypt", "the second", f'"{path}"')
    code, shown = typed(home, tmp_path, ["wrong pass"], "key", "change-passphrase")
    assert code == 255
    assert "the second" in shown.splitlines()[-1]


@pytest.mark.slow
def test_a_master_key_brings_a_key_back(home: dict[str, str], tmp_path: Path) -> None:
    code, shown = typed(home, tmp_path, ["master pass"] * 2, "key", "create-master-key")
    assert code == 0
    pattern = (
        r"Generating 4096-bit RSA key\.\.\nModulus: [0-9A-F]{1024}\nExponent: 65537\n\n"
        r"Master Key Password: \*{11}\nVerify Password: \*{11}\n"
        r"Writing public master key to master-public\.pem\nWriting private master key to master-private\.pem\n"
    )
    assert re.fullmatch(pattern, shown)
    public, private = tmp_path / "master-public.pem", tmp_path / "master-private.pem"
    assert public.read_text().startswith("-----BEGIN PUBLIC KEY-----\n")
    assert private.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    imported = CLIENT("key", "import-master-pubkey", public, environment=home)
    assert imported.stdout.splitlines()[-1].startswith('Imported public master key to "')
    shown_key = json.loads(CLIENT("key", "show-master-pubkey", "--output-format", "json", environment=home).stdout)
    assert (shown_key["exponent"], shown_key["length"]) == ("65537", 4096)

    key_file = KeyFile.create(bytes(range(32)))
    sealed = tmp_path / "rsa-encrypted.key"
    sealed.write_bytes(encrypt_key_file(key_file, load_public_key(public.read_bytes())))
    words = ("--master-keyfile", private, "--encrypted-keyfile", sealed, "--kdf", "none")
    code, shown = typed(home, tmp_path, ["master pass"], "key", "import-with-master-key", *words)
    assert code == 0, shown
    recovered = KeyFile.load(default_key(home))
    assert recovered.open(lambda: "") == bytes(range(32))
    assert recovered.created == key_file.created
    code, shown = typed(home, tmp_path, [], "key", "import-with-master-key", *words)
    assert (code, shown.count("\n")) == (255, 1)
    code, shown = typed(home, tmp_path, ["wrong"], "key", "import-with-master-key", tmp_path / "k.json", *words)
    assert code == 255
    assert "wrong password" in shown
    assert not (tmp_path / "k.json").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("key", "create", "k.json"), "unable to read passphrase - no tty"),
        (("key", "create", "k.json", "--kdf", "none", "--hint", "x"), "password hint not allowed for Kdf::None"),
        (("key", "change-passphrase"), "no encryption key file provided, and no default file found"),
        (("key", "show"), "no encryption key file provided, and no default file found"),
        (("key", "show-master-pubkey"), "no master public key file provided, and no default file found"),
        (("key", "create-master-key"), "unable to create master key - no tty"),
    ],
)
def test_errors_without_a_terminal(home: dict[str, str], words: tuple[str, ...], message: str) -> None:
    outcome = CLIENT(*words, environment=home)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (255, "", f"Error: {message}\n")


def test_a_key_file_is_never_overwritten(home: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    assert CLIENT("key", "create", path, "--kdf", "none", environment=home).exit_code == 0
    before = path.read_bytes()
    outcome = CLIENT("key", "create", path, "--kdf", "none", environment=home)
    assert outcome.exit_code == 255
    assert outcome.stderr == f"Error: Unable to store key file '{path}' - File exists\n"
    assert path.read_bytes() == before
    CLIENT("key", "create", "--kdf", "none", environment=home)
    assert CLIENT("key", "create", "--kdf", "none", environment=home).exit_code == 255


def test_paper_keys_default_to_html(home: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    CLIENT("key", "create", path, "--kdf", "none", environment=home)
    assert CLIENT("key", "paperkey", path, environment=home).stdout.startswith("<!DOCTYPE html>")
    text = CLIENT("key", "paperkey", path, "--output-format=text", "--subject", "web", environment=home).stdout
    assert text.startswith("Subject: web\n\n-----BEGIN PROXMOX BACKUP KEY-----\n{\n")
