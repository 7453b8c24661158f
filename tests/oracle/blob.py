"""The data blob (blobs-and-chunks.md 1)."""

import hashlib
import zlib

import zstandard
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

LABELS = {
    "plain": "Proxmox Backup uncompressed blob v1.0",
    "compressed": "Proxmox Backup zstd compressed blob v1.0",
    "encrypted": "Proxmox Backup encrypted blob v1.0",
    "encrypted-compressed": "Proxmox Backup zstd compressed encrypted blob v1.0",
}
MAGICS = {kind: hashlib.sha256(label.encode()).digest()[:8] for kind, label in LABELS.items()}


def kind_of(blob: bytes) -> str:
    """Which of the four kinds."""
    for kind, magic in MAGICS.items():
        if blob[:8] == magic:
            if len(blob) < header_length(kind):
                raise ValueError(f"{len(blob)} bytes are too short")
            return kind
    raise ValueError(f"unknown magic {blob[:8].hex()}")


def header_length(kind: str) -> int:
    """Bytes before the payload."""
    return 44 if kind.startswith("encrypted") else 12


def payload_of(blob: bytes, key: bytes = b"") -> bytes:
    """What is behind the header, decrypted but still compressed."""
    kind = kind_of(blob)
    payload = blob[header_length(kind) :]
    if int.from_bytes(blob[8:12], "little") != zlib.crc32(payload):
        raise ValueError("wrong CRC")
    if kind.startswith("encrypted"):
        decryptor = Cipher(AES(key), GCM(blob[12:28], blob[28:44])).decryptor()
        payload = decryptor.update(payload) + decryptor.finalize()
    return payload


def seal(kind: str, data: bytes, *, key: bytes = b"", iv: bytes = b"", frame: bytes | None = None) -> bytes:
    """Make a blob of exactly this kind; `frame` stands for the data if it was compressed by somebody else."""
    payload = data
    if kind.endswith("compressed"):
        payload = zstandard.ZstdCompressor(level=1).compress(data) if frame is None else frame
    middle = b""
    if kind.startswith("encrypted"):
        assert len(key) == 32
        assert len(iv) == 16
        encryptor = Cipher(AES(key), GCM(iv)).encryptor()
        payload = encryptor.update(payload) + encryptor.finalize()
        middle = iv + encryptor.tag
    return MAGICS[kind] + zlib.crc32(payload).to_bytes(4, "little") + middle + payload


def open_blob(blob: bytes, key: bytes = b"") -> bytes:
    """Check everything that can be checked, and give the data."""
    payload = payload_of(blob, key)
    return decompress(payload) if kind_of(blob).endswith("compressed") else payload


def decompress(payload: bytes) -> bytes:
    """All zstd frames of a payload, one after the other."""
    data = b""
    while True:
        frame = zstandard.ZstdDecompressor().decompressobj()
        data += frame.decompress(payload)
        if not frame.eof:
            raise ValueError("the zstd frame has no end")
        if not frame.unused_data:
            return data
        payload = frame.unused_data
