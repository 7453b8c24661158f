"""Archives put together again from an index and a directory of chunks, without a server (cli-manager.md 4)."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pbstore import _core
from pbstore.errors import DatastoreError
from pbstore.format.crypt_key import CryptKey

STEP_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class RecoveryOptions:
    """What becomes of damage: chunks that are missing or corrupt may be replaced by zeros.

    `skip_checksums` takes chunks as they are: neither CRC nor digest is compared.
    """

    skip_checksums: bool = False
    ignore_missing: bool = False
    ignore_corrupt: bool = False


class IndexRecovery:
    """One archive; `size` and `position` are in bytes."""

    def __init__(self, index: Path, chunk_directory: Path, key: CryptKey | None, options: RecoveryOptions):
        """Read the index.

        Raises:
            FormatError: it is no index.
            DatastoreError: the second path is no directory of chunks.
            PbstoreError: the index cannot be read.
        """
        if not chunk_directory.is_dir():
            raise DatastoreError(f"chunk directory {chunk_directory} does not exist")
        if (chunk_directory / ".chunks").is_dir():
            raise DatastoreError(f"{chunk_directory} is a datastore: its chunks are in {chunk_directory / '.chunks'}")
        self._recovery = _core.IndexRecovery(
            index,
            chunk_directory,
            key=key,
            skip_checksums=options.skip_checksums,
            ignore_missing=options.ignore_missing,
            ignore_corrupt=options.ignore_corrupt,
        )

    @property
    def size(self) -> int:
        """Bytes of the archive."""
        return self._recovery.size

    def write(
        self, descriptor: int, *, is_new: bool, warn: Callable[[str], None], moved: Callable[[int], None]
    ) -> None:
        """Write the archive.

        Args:
            descriptor: what to write to.
            is_new: whether it is an empty regular file, where chunks of zeros become holes.
            warn: takes what was replaced by zeros.
            moved: told the bytes written so far, every 64 MiB.

        Raises:
            DatastoreError: a chunk is missing.
            EncryptionKeyError: a chunk is encrypted, and there is no key.
            IntegrityError: a chunk does not hold what the index says.
            PbstoreError: the output takes no more.
        """
        sparse = is_new and stat.S_ISREG(os.fstat(descriptor).st_mode)
        while self._recovery.position < self._recovery.size:
            for line in self._recovery.advance(descriptor, sparse=sparse, step_bytes=STEP_BYTES):
                warn(line)
            moved(self._recovery.position)
