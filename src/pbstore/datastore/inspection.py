"""What single files of a datastore are: blobs, chunks and indexes, looked at without server or locks."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pbstore import _core
from pbstore.datastore.directory_walk import walk_directories
from pbstore.errors import EncryptionKeyError, FormatError, IntegrityError, PbstoreError
from pbstore.format.crypt_key import CryptKey
from pbstore.format.damaged_file import in_file

MAX_DATA_BYTES = 128 << 20
MAX_BLOB_BYTES = MAX_DATA_BYTES + 44
MAX_INDEX_BYTES = 1 << 30
_HEAD_BYTES = 44
_FIXED_MAGIC = bytes.fromhex("2f7f41ed91fd0fcd")
_DYNAMIC_MAGIC = bytes.fromhex("1c914ea519bab3cd")
_CRC = slice(8, 12)
_CHUNK_NAME = re.compile(r"([0-9a-f]{64})(\.[0-9]\.bad)?")

_Index: TypeAlias = _core.FixedIndex | _core.DynamicIndex


@dataclass(frozen=True, kw_only=True)
class BlobFacts:
    """A blob or chunk. `size` is that of the file; `damage` says what is wrong with the CRC, None if it is right."""

    size: int
    crc: int
    damage: str | None
    is_encrypted: bool
    is_compressed: bool
    blob: bytes

    @property
    def encryption(self) -> str:
        """`none` or `encrypt`, as in manifests."""
        return "encrypt" if self.is_encrypted else "none"

    def decode(self, key: CryptKey | None, digest: bytes | None = None) -> bytes:
        """Return the data, at most 128 MiB; with a digest, only if it is that of the data.

        Raises:
            EncryptionKeyError: it is encrypted, and there is no key.
            IntegrityError: it is damaged, was encrypted with another key, or has another digest.
            FormatError: its content is not what the format says.
        """
        if self.is_encrypted and key is None:
            raise EncryptionKeyError("unable to decrypt blob - missing CryptConfig")
        data = _core.open_blob(self.blob, key=key, max_bytes=MAX_DATA_BYTES)
        if digest is not None:
            found = _core.chunk_digest(data, key if self.is_encrypted else None)
            if found != digest:
                raise IntegrityError(f"wrong digest: expected {digest.hex()}, got {found.hex()}")
        return data


@dataclass(frozen=True, kw_only=True)
class IndexFacts:
    """An index. `size` is that of the image or, if dynamic, of the index file, as the original says it.

    `digests` are the different ones, sorted; `created` is in seconds since 1970.
    """

    size: int
    created: int
    digests: list[bytes]


def inspect_file(path: Path) -> BlobFacts | IndexFacts:
    """Look at an index or blob; its first bytes say which it is.

    Raises:
        FormatError: it is neither, or damaged so that it cannot be read.
        OSError: the system does not let it be read.
    """
    if not _read(path, _HEAD_BYTES).startswith((_FIXED_MAGIC, _DYNAMIC_MAGIC)):
        try:
            return inspect_blob(path)
        except FormatError as error:
            raise FormatError(f"{error}, and no index") from None
    index = _read_index(path)
    size = index.size if isinstance(index, _core.FixedIndex) else path.stat().st_size
    return IndexFacts(size=size, created=index.ctime, digests=_core.distinct_chunks(index))


def inspect_blob(path: Path) -> BlobFacts:
    """Look at a blob file or chunk.

    Raises:
        FormatError: it is none, or larger than any blob can be.
        OSError: the system does not let it be read.
    """
    head = _read(path, _HEAD_BYTES)
    with in_file(path):
        kind = _core.blob_kind(head)
    blob = _read(path, MAX_BLOB_BYTES + 1)
    if len(blob) > MAX_BLOB_BYTES:
        raise FormatError(f"{path}: larger than any blob, over {MAX_BLOB_BYTES} bytes")
    try:
        _core.check_blob_crc(blob)
        damage = None
    except IntegrityError as error:
        damage = str(error)
    return BlobFacts(
        size=len(blob),
        crc=int.from_bytes(blob[_CRC], "little"),
        damage=damage,
        is_encrypted=kind.startswith("encrypted"),
        is_compressed=kind.endswith("compressed"),
        blob=blob,
    )


def digest_of_name(path: Path) -> bytes | None:
    """The digest that a chunk file is named after, also when it was renamed as bad; None for any other name."""
    match = _CHUNK_NAME.fullmatch(path.name)
    return None if match is None else bytes.fromhex(match[1])


def indexes_with_chunk(directory: Path, digest: bytes, warn: Callable[[str], None]) -> Iterator[Path]:
    """Yield the index files below a directory that list the chunk, in order of their paths.

    What cannot be read is warned of. Chunk directories are not descended into.

    Raises:
        PbstoreError: the directory itself cannot be read.
    """
    if not directory.is_dir():
        raise PbstoreError(f"{directory} is no directory")
    for parent, directories, others in walk_directories(directory, lambda error: warn(_os_error_text(error))):
        if ".chunks" in directories:
            directories.remove(".chunks")
        for name in others:
            if name.endswith((".fidx", ".didx")) and _lists_chunk(parent / name, digest, warn):
                yield parent / name


def _lists_chunk(path: Path, digest: bytes, warn: Callable[[str], None]) -> bool:
    try:
        return _core.lists_chunk(_read_index(path), digest)
    except FormatError as error:
        warn(str(error))
    except OSError as error:
        warn(_os_error_text(error))
    return False


def _os_error_text(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}"


def _read_index(path: Path) -> _Index:
    data = _read(path, MAX_INDEX_BYTES + 1)
    with in_file(path):
        if len(data) > MAX_INDEX_BYTES:
            raise FormatError(f"larger than any index, over {MAX_INDEX_BYTES} bytes")
        kind = _core.FixedIndex if data.startswith(_FIXED_MAGIC) else _core.DynamicIndex
        return kind.parse(data)


def _read(path: Path, limit: int) -> bytes:
    # Without waiting: a fifo in the place of a file must not hang the command.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise FormatError(f"{path} is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(min(limit, status.st_size + 1))
    finally:
        os.close(descriptor)
