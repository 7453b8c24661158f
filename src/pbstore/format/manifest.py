"""The manifest of a snapshot, `index.json`: which files belong to it, and the signature over them (manifest.md)."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pbstore import _core
from pbstore.errors import FormatError, IntegrityError, NotFoundError
from pbstore.format.canonical_json import canonical_json, parse_json, pretty_json
from pbstore.model.archive_name import SERVER_SUFFIXES
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.crypt_mode import CryptMode
from pbstore.model.fingerprint import Fingerprint
from pbstore.model.names import check_safe_id

MANIFEST_FILE_NAME = "index.json.blob"
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_SIZE = (1 << 64) - 1
HEX_32 = re.compile(r"[0-9a-fA-F]{64}")
UNSIGNED_KEYS = frozenset(("signature", "unprotected"))
KNOWN_KEYS = UNSIGNED_KEYS | {"backup-type", "backup-id", "backup-time", "files"}


@dataclass(frozen=True)
class ManifestFile:
    """One file; what `size` and `csum` (32 bytes) cover depends on its kind (manifest.md 1.1)."""

    filename: str
    crypt_mode: CryptMode
    size: int
    csum: bytes
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_safe_id(self.filename, "file name in manifest")
        if not self.filename.endswith(SERVER_SUFFIXES):
            raise FormatError(f"manifest lists {self.filename!r}: no .fidx, .didx or .blob")
        if not 0 <= self.size <= MAX_SIZE or len(self.csum) != 32:
            raise FormatError(f"manifest has an impossible size or checksum of '{self.filename}'")

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read one item of `files`.

        Raises:
            FormatError: a key is missing or has a value that does not fit.
        """
        raw = _object(value, "file")
        return cls(
            filename=_text(raw, "filename"),
            crypt_mode=CryptMode.parse(_text(raw, "crypt-mode")) if "crypt-mode" in raw else CryptMode.NONE,
            size=_number(raw, "size"),
            csum=bytes.fromhex(_hex_32(raw, "csum")),
            unknown={key: raw[key] for key in raw.keys() - {"filename", "crypt-mode", "size", "csum"}},
        )

    def to_json(self, *, with_unknown: bool = True) -> dict[str, Any]:
        """Return the item of `files`."""
        known = {
            "filename": self.filename,
            "crypt-mode": self.crypt_mode.value,
            "size": self.size,
            "csum": self.csum.hex(),
        }
        return {**self.unknown, **known} if with_unknown else known


class Manifest:
    """A manifest being made or changed. `unprotected` is a dictionary to be changed in place; nothing signs it.

    Keys that we do not know are kept, so that a signature over them stays valid (manifest.md 1.2).
    """

    def __init__(self, snapshot: Snapshot):
        self.snapshot = snapshot
        self.signature: str | None = None
        self.unprotected: dict[str, Any] = {}
        self._files: dict[str, ManifestFile] = {}
        self._unknown: dict[str, Any] = {}
        self._received: bytes | None = None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the JSON text of a manifest; the signature is not checked.

        Raises:
            FormatError: too large, no JSON, or keys missing or of the wrong type.
        """
        if len(data) > MAX_MANIFEST_BYTES:
            raise FormatError(f"manifest is larger than {MAX_MANIFEST_BYTES} bytes")
        raw = _object(parse_json(data, "manifest"), "manifest")
        manifest = cls(_snapshot(raw))
        if not isinstance(raw.get("files"), list):
            raise FormatError("manifest has no list 'files'")
        for item in raw["files"]:
            manifest._append(ManifestFile.from_json(item))
        manifest.signature = _hex_32(raw, "signature") if raw.get("signature") is not None else None
        if raw.get("unprotected") is not None:
            manifest.unprotected = _object(raw["unprotected"], "unprotected part")
        if manifest.unprotected.get("key-fingerprint") is not None:
            Fingerprint.parse(_text(manifest.unprotected, "key-fingerprint"))
        manifest._unknown = {key: raw[key] for key in raw.keys() - KNOWN_KEYS}
        manifest._received = data
        return manifest

    @property
    def files(self) -> tuple[ManifestFile, ...]:
        """The files in upload order."""
        return tuple(self._files.values())

    @property
    def key_fingerprint(self) -> Fingerprint | None:
        """The key that the backup was made with, as far as the unprotected part can be believed."""
        text = self.unprotected.get("key-fingerprint")
        return None if text is None else Fingerprint.parse(text)

    def add(self, filename: str, crypt_mode: CryptMode, size: int, csum: bytes) -> None:
        """List one more file; the signature is gone then.

        Raises:
            FormatError: a name that no file of a snapshot has, or one that is listed already.
        """
        self._append(ManifestFile(filename, crypt_mode, size, csum))
        self.signature = self._received = None

    def find(self, filename: str) -> ManifestFile | None:
        """Return the entry of a file."""
        return self._files.get(filename)

    def verify_file(self, filename: str, size: int, csum: bytes) -> ManifestFile:
        """Return the entry of a file that has this size and checksum.

        Raises:
            NotFoundError: no such file in the manifest.
            IntegrityError: it is not the file that the manifest means.
        """
        entry = self.find(filename)
        if entry is None:
            raise NotFoundError(f"manifest does not contain file '{filename}'")
        if entry.size != size:
            raise IntegrityError(f"wrong size for file '{filename}': manifest says {entry.size}, got {size}")
        if not hmac.compare_digest(entry.csum, csum):
            raise IntegrityError(
                f"wrong checksum for file '{filename}': manifest says {entry.csum.hex()}, got {csum.hex()}"
            )
        return entry

    def check_signature(self, key: _core.CryptKey) -> None:
        """Return if the manifest is signed with this key.

        Raises:
            IntegrityError: it is not signed at all, or not by this key, or was changed afterwards.
        """
        signed_texts = [self._signed_text(self._to_json()), self._signed_text(self._to_json(with_unknown=False))]
        if self._received is not None:
            signed_texts.append(self._signed_text(parse_json(self._received, "manifest")))
        signature = bytes.fromhex(self.signature or "")
        if not any(hmac.compare_digest(key.auth_tag(text), signature) for text in signed_texts):
            raise IntegrityError(f"wrong signature in the manifest of {self.snapshot}")

    def sign(self, key: _core.CryptKey) -> None:
        """Sign what is listed now and note the key's fingerprint."""
        self.signature = key.auth_tag(self._signed_text(self._to_json())).hex()
        self.unprotected["key-fingerprint"] = str(Fingerprint(key.fingerprint))

    def encode(self, key: _core.CryptKey | None = None) -> bytes:
        """Return the JSON text to be stored; with a key, signed anew."""
        if key is not None:
            self.sign(key)
        return pretty_json({**self._to_json(), "signature": self.signature, "unprotected": self.unprotected})

    def encode_as_received(self) -> bytes:
        """Return the text that was parsed, byte for byte."""
        return self.encode() if self._received is None else self._received

    def _append(self, entry: ManifestFile) -> None:
        if entry.filename in self._files:
            raise FormatError(f"manifest lists '{entry.filename}' twice")
        self._files[entry.filename] = entry

    def _to_json(self, *, with_unknown: bool = True) -> dict[str, Any]:
        return {
            **(self._unknown if with_unknown else {}),
            "backup-type": self.snapshot.group.backup_type.value,
            "backup-id": self.snapshot.group.backup_id,
            "backup-time": self.snapshot.backup_time,
            "files": [entry.to_json(with_unknown=with_unknown) for entry in self.files],
        }

    @staticmethod
    def _signed_text(raw: Mapping[str, Any]) -> bytes:
        return canonical_json({key: value for key, value in raw.items() if key not in UNSIGNED_KEYS})


def _snapshot(raw: Mapping[str, Any]) -> Snapshot:
    group = BackupGroup(BackupType.parse(_text(raw, "backup-type")), _text(raw, "backup-id"))
    return Snapshot(group, _number(raw, "backup-time"))


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(f"{what} is no JSON object")
    return value


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str):
        raise FormatError(f"manifest has no text '{key}' where there has to be one")
    return value


def _number(raw: Mapping[str, Any], key: str) -> int:
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise FormatError(f"manifest has no whole number '{key}' where there has to be one")
    return value


def _hex_32(raw: Mapping[str, Any], key: str) -> str:
    value = _text(raw, key)
    if not HEX_32.fullmatch(value):
        raise FormatError(f"manifest has a '{key}' that is not 64 hex characters")
    return value
