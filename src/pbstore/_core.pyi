"""The compiled module: one section a subject, each beside `crates/pbstore-py/src/<subject>.rs`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Self, final

__all__ = [
    "ArchiveComparison",
    "ArchiveDifference",
    "BackupChunks",
    "Catalog",
    "CatalogEntry",
    "CatalogUpload",
    "ChunkStore",
    "Chunker",
    "Connection",
    "CryptKey",
    "DynamicIndex",
    "FileBody",
    "FixedIndex",
    "Front",
    "IndexCheck",
    "IndexRecovery",
    "IndexStats",
    "IndexVerdict",
    "Progress",
    "PxarEntry",
    "PxarListing",
    "PxarStats",
    "ReaderChunks",
    "RemoteArchive",
    "Request",
    "RestoreStats",
    "Session",
    "SessionGrant",
    "SplitUploadStats",
    "StoredArchive",
    "StoredTree",
    "TrafficLimit",
    "TreeOptions",
    "UnpackOptions",
    "UploadStats",
    "Verification",
    "VerifyStats",
    "blob_kind",
    "check_blob_crc",
    "chunk_digest",
    "chunk_ends",
    "compare_archives",
    "create_pxar",
    "distinct_chunks",
    "extract_pxar",
    "list_pxar",
    "lists_chunk",
    "open_blob",
    "payload_chunk_ends",
    "quoted_path",
    "seal_blob",
    "self_test",
]

# --- format ---

def self_test() -> None:
    """Open, seal and cut known vectors; IntegrityError if this build gets one wrong. To be called before any write."""

def seal_blob(data: bytes, *, key: CryptKey | None = None, compress: bool = True) -> bytes:
    """Make a data blob (blobs-and-chunks.md 1); FormatError above 128 MiB."""

def open_blob(blob: bytes, *, key: CryptKey | None = None, max_bytes: int = ...) -> bytes:
    """Check and decode a data blob; `max_bytes` is 16 MiB unless given.

    FormatError for what is no blob or holds more than `max_bytes`, IntegrityError for a wrong CRC or tag,
    EncryptionKeyError for an encrypted blob without a key.
    """

def blob_kind(blob: bytes) -> str:
    """One of `plain`, `compressed`, `encrypted`, `encrypted-compressed`; FormatError for what is no blob."""

def check_blob_crc(blob: bytes) -> None:
    """IntegrityError if the CRC in the header is not that of the payload, FormatError for what is no blob."""

def chunk_digest(data: bytes, key: CryptKey | None = None) -> bytes:
    """The 32 bytes that address a chunk of this plain data (blobs-and-chunks.md 2)."""

def chunk_ends(data: bytes, average: int = ...) -> list[int]:
    """Where the chunks of a stream end (chunker.md), cut at 4 MiB on average unless told; FormatError for an average it does not take."""

def payload_chunk_ends(
    data: bytes, suggestions: Sequence[int], *, average: int = ..., injections: Sequence[tuple[int, int]] = ...
) -> list[int]:
    """Where the chunks of a payload stream end (chunker.md 6), given the offsets at which files begin.

    `injections`: where chunks that exist already come into the stream, and their bytes, which `data` does not have but
    offsets and ends count. FormatError for an injection that the stream does not reach, and as `chunk_ends`.
    """

@final
class CryptKey:
    """An encryption key of 32 bytes; EncryptionKeyError for another length. Its repr shows nothing."""

    def __new__(cls, key: bytes) -> CryptKey: ...
    @property
    def fingerprint(self) -> bytes:
        """32 bytes that name the key in public."""
    def auth_tag(self, data: bytes) -> bytes:
        """HMAC-SHA256 under the key's id key: the signature of a manifest (manifest.md 2)."""

@final
class Chunker:
    """Cuts a stream that comes in pieces of any size; `average` is a power of two from 64 to 4194304, else FormatError."""

    def __new__(cls, average: int) -> Chunker: ...
    def scan(self, data: bytes) -> int | None:
        """Bytes of `data` up to the end of the chunk, the rest is to be given again; None if all belongs to the chunk."""
    def reset(self) -> None:
        """Start a new chunk with the next byte."""

@final
class FixedIndex:
    """A `.fidx` file (indexes.md 1). `digest` and `chunk_end` raise IndexError past the last chunk."""

    @staticmethod
    def parse(data: bytes) -> FixedIndex:
        """Read a whole file; FormatError if it is none."""
    @staticmethod
    def encode(digests: list[bytes], size: int, *, uuid: bytes, ctime: int, chunk_size: int = ...) -> bytes:
        """Make a whole file, with chunks of 4 MiB unless told; FormatError if the number of digests does not fit the size."""
    @property
    def chunk_size(self) -> int:
        """Bytes of each chunk but the last."""
    @property
    def size(self) -> int:
        """Bytes of the image."""
    @property
    def csum(self) -> bytes:
        """Checksum computed from the digests: what the manifest says."""
    @property
    def uuid(self) -> bytes:
        """16 random bytes."""
    @property
    def ctime(self) -> int:
        """Seconds since 1970, as stored."""
    def __len__(self) -> int: ...
    def digest(self, index: int) -> bytes:
        """Digest of a chunk."""
    def chunk_end(self, index: int) -> int:
        """Exclusive end of a chunk in the image."""
    def find(self, offset: int) -> int | None:
        """The chunk that holds a byte."""

@final
class DynamicIndex:
    """A `.didx` file (indexes.md 2). `digest` and `chunk_end` raise IndexError past the last chunk."""

    @staticmethod
    def parse(data: bytes) -> DynamicIndex:
        """Read a whole file; FormatError if it is none."""
    @staticmethod
    def encode(entries: list[tuple[int, bytes]], *, uuid: bytes, ctime: int) -> bytes:
        """Make a whole file of (end, digest) entries; FormatError for ends that do not increase."""
    @property
    def size(self) -> int:
        """Bytes of the archive stream."""
    @property
    def csum(self) -> bytes:
        """Checksum computed from the entries: what the manifest says."""
    @property
    def uuid(self) -> bytes:
        """16 random bytes."""
    @property
    def ctime(self) -> int:
        """Seconds since 1970, as stored."""
    def __len__(self) -> int: ...
    def digest(self, index: int) -> bytes:
        """Digest of a chunk."""
    def chunk_end(self, index: int) -> int:
        """Exclusive end of a chunk in the stream."""
    def find(self, offset: int) -> int | None:
        """The chunk that holds a byte."""

# --- index_chunks ---

def distinct_chunks(index: FixedIndex | DynamicIndex) -> list[bytes]:
    """The digests that an index lists, each once, sorted."""

def lists_chunk(index: FixedIndex | DynamicIndex, digest: bytes) -> bool:
    """Whether an index lists the chunk."""

# --- client ---

@final
class Progress:
    """Counters of a running upload or restore, to be read from any thread (the work itself releases the GIL)."""

    def __new__(cls) -> Self: ...
    @property
    def processed_bytes(self) -> int:
        """Plain bytes that went through: read on the way up, written on the way down."""
    @property
    def uploaded_bytes(self) -> int:
        """Plain bytes whose chunks the server acknowledged."""
    @property
    def reused_bytes(self) -> int:
        """Plain bytes that the server had already."""
    @property
    def total_bytes(self) -> int | None:
        """Plain bytes in all; None while nobody knows (trees, pipes)."""
    @property
    def entry_count(self) -> int:
        """Files, directories and other entries of trees that were met."""
    def take_lines(self) -> list[tuple[str, str]]:
        """The log lines that came since the last call, each `info` or `warn` and a text; at most 100000 wait."""
    def cancel(self) -> None:
        """Stop what uses this object: it raises AbortedError soon. Cannot be taken back."""

@final
class UploadStats:
    """What an upload did; the warnings are among the lines of its Progress."""

    chunk_count: int
    size: int
    csum: bytes
    uploaded_bytes: int
    compressed_bytes: int
    uploaded_chunk_count: int
    reused_bytes: int
    duration_seconds: float
    warning_count: int

@final
class SplitUploadStats:
    """What the upload of a split archive did: both streams, and the regular files of the tree (version-4.md 2.3).

    `encoded_*` is what was read, `reused_*` what was taken over unread; their payload bytes count a header for each file.
    For the latter `injected_*` chunks of the previous payload stream were used, of which `partial_chunk_count` hold
    `padding_bytes` that no file of the tree has.
    """

    metadata: UploadStats
    payload: UploadStats
    hardlink_count: int
    reused_file_count: int
    reused_payload_bytes: int
    encoded_file_count: int
    encoded_payload_bytes: int
    injected_chunk_count: int
    injected_bytes: int
    partial_chunk_count: int
    padding_bytes: int
    warning_count: int

@final
class TreeOptions:
    """How a directory is walked and cut.

    `exclude` are patterns (pxar.md 4.1; FormatError for a bad one), `include_devices` the `st_dev` of mounted file systems to
    descend into, `chunk_size` the average in bytes.
    """

    def __new__(
        cls,
        *,
        exclude: Sequence[str] = ...,
        include_devices: Sequence[int] = ...,
        all_file_systems: bool = False,
        skip_lost_and_found: bool = False,
        skip_e2big_xattr: bool = False,
        entries_max: int = ...,
        chunk_size: int = ...,
    ) -> Self: ...
    def excludes_file(self, path: str) -> bool:
        """Whether the patterns leave out the file at `path` (from the root, no leading slash) or a directory around it."""

@final
class UnpackOptions:
    """How a tree is unpacked; `overwrite` is all of overwrite_* and allow_existing_dirs.

    `patterns` (pxar.md 4.1; FormatError for a bad one) select what is unpacked, the last match decides; none: everything.
    """

    def __new__(
        cls,
        *,
        overwrite: bool = False,
        overwrite_files: bool = False,
        overwrite_symlinks: bool = False,
        overwrite_hardlinks: bool = False,
        allow_existing_dirs: bool = False,
        ignore_acls: bool = False,
        ignore_xattrs: bool = False,
        ignore_ownership: bool = False,
        ignore_permissions: bool = False,
        ignore_device_errors: bool = False,
        patterns: Sequence[str] = ...,
    ) -> Self: ...

@final
class RemoteArchive:
    """An archive of a reader session that is read where it is needed: chunks are fetched, checked and kept for a while."""

    @property
    def size(self) -> int:
        """Bytes of the archive."""
    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset` on, fewer at the end; raises what a restore raises."""

@final
class ArchiveDifference:
    """An entry that two archives do not have alike."""

    @property
    def change(self) -> str:
        """`A` if only the new one has it, `D` if only the old one has it, else `M`."""
    @property
    def entry(self) -> PxarEntry:
        """As in the new archive, if it is there; a hard link has metadata and size of its file."""
    @property
    def changes(self) -> set[str]:
        """Of a modified one: some of `kind`, `uid`, `gid`, `mode`, `size`, `mtime` and, for all else, `other`."""

@final
class ArchiveComparison:
    """The differences between two archives, parents first, found as they are asked for."""

    def __iter__(self) -> Iterator[ArchiveDifference]: ...
    def __next__(self) -> ArchiveDifference: ...

def compare_archives(
    old: RemoteArchive,
    new: RemoteArchive,
    *,
    old_payload: RemoteArchive | None = None,
    new_payload: RemoteArchive | None = None,
    compare_content: bool = False,
    progress: Progress | None = None,
) -> ArchiveComparison:
    """Compare what is below the roots of two pxar archives, each in one piece or the metadata of a split one.

    `compare_content` needs the payloads of split archives. Both may raise what a restore raises; Ctrl-C and cancelling
    the `progress` that all the archives were opened with end them.
    """

@final
class RestoreStats:
    """What the restore of a tree did; `size` is what was fetched, `prelude` what a split archive has of its making."""

    size: int
    entry_count: int
    duration_seconds: float
    warning_count: int
    prelude: bytes | None

@final
class VerifyStats:
    """What the verification of a tree saw; `size` is that of its archive, of both streams of a split one."""

    size: int
    entry_count: int

@final
class TrafficLimit:
    """How fast all connections together that are given this object may receive and send; bytes and bytes a second.

    A token bucket for each direction with a rate; the burst is what may pass at once, without one what passes in a second.
    """

    def __new__(
        cls,
        *,
        rate_in: int | None = None,
        burst_in: int | None = None,
        rate_out: int | None = None,
        burst_out: int | None = None,
    ) -> Self: ...

@final
class Connection:
    """TLS to one server: REST requests on one kept-alive connection, and sessions, each on a connection of its own.

    Nothing is connected before the first call. A certificate counts when the system's authorities (or those of
    `ca_file`) vouch for it and the name fits, or when its SHA-256 is `fingerprint` (protocol-transport.md 2).

    Every call raises CertificateError (with the fingerprint that the server showed) for any other certificate,
    ConnectionFailedError for a server that cannot be reached, does not answer in 120 s or goes away.
    """

    def __new__(
        cls,
        host: str,
        port: int,
        *,
        fingerprint: str | None = None,
        ca_file: str | PathLike[str] | None = None,
        proxy: str | None = None,
        limit: TrafficLimit | None = None,
    ) -> Self:
        """Describe the server; `host` is a name or an address without brackets.

        `proxy` is `[http://][user:password@]host[:port]`, used with CONNECT. FormatError for a bad fingerprint or proxy.
        """
    def request(
        self,
        method: str,
        target: str,
        headers: list[tuple[str, str]],
        body: bytes | None = None,
        *,
        max_bytes: int = ...,
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send one HTTP/1.1 request; status, headers (lower-case names) and body of whatever the server answered.

        `host` and `content-length` are added. ProtocolError for a body over `max_bytes` (default 64 MiB).
        """
    def open_session(self, target: str, protocol: str, headers: list[tuple[str, str]]) -> Session:
        """Upgrade a new connection to the backup or reader protocol; ServerError with the server's text if it refuses."""

@final
class Session:
    """A backup or reader session (backup-protocol.md, reader-protocol.md). Dropping it ends the connection.

    Uploads and restores release the GIL, hand Ctrl-C through, and raise: ServerError (the server said no),
    ConnectionFailedError, IntegrityError and EncryptionKeyError (one line naming archive, chunk and digest),
    FormatError, AbortedError (Progress.cancel), PbstoreError for trouble with source or target.
    After a failed upload the session takes no further uploads.
    """

    def request(
        self,
        method: str,
        path: str,
        query: str = "",
        body: bytes | None = None,
        content_type: str | None = None,
        *,
        max_bytes: int = ...,
    ) -> bytes:
        """Call an endpoint (`path` without leading slash); the body of a 2xx answer, ServerError for any other.

        No time limit (version-4.md 0.2 D6). A `query` over 4096 characters is refused: send JSON then.
        `max_bytes` (default 1 GiB) bounds the answer.
        """
    def upload_image(
        self,
        source: str | PathLike[str] | int,
        archive_name: str,
        *,
        key: CryptKey | None,
        compress: bool = True,
        previous: FixedIndex | None = None,
        progress: Progress | None = None,
    ) -> UploadStats:
        """Upload a file, block device, fifo (all by path) or open descriptor as `archive_name` (`….fidx`).

        `previous` must have been fetched with `GET previous` in this session, which makes its chunks known.
        """
    def start_catalog(self, *, key: CryptKey | None, compress: bool = True) -> CatalogUpload:
        """Begin `catalog.pcat1.didx`; trees uploaded with it add their names, `finish` closes it."""
    def upload_tree(
        self,
        source: str | PathLike[str],
        archive_name: str,
        *,
        key: CryptKey | None,
        compress: bool = True,
        previous: DynamicIndex | None = None,
        catalog: CatalogUpload | None = None,
        options: TreeOptions | None = None,
        progress: Progress | None = None,
    ) -> UploadStats:
        """Upload a directory as pxar archive `archive_name` (`….pxar.didx`).

        Warnings (unreadable, vanished, changed files) are in the result.
        """
    def upload_split_tree(
        self,
        source: str | PathLike[str],
        metadata_name: str,
        payload_name: str,
        *,
        key: CryptKey | None,
        compress: bool = True,
        previous_metadata: DynamicIndex | None = None,
        previous_payload: DynamicIndex | None = None,
        reference: RemoteArchive | None = None,
        options: TreeOptions | None = None,
        progress: Progress | None = None,
    ) -> SplitUploadStats:
        """Upload a directory as the two streams of a split archive (`….mpxar.didx`, `….ppxar.didx`).

        Both indexes must have been fetched with `GET previous` in this session. With `reference`, the previous metadata
        stream, files that it shows to be unchanged are not read: they use chunks of `previous_payload` again.
        """
    def restore_image(
        self,
        index: bytes,
        target_fd: int,
        *,
        key: CryptKey | None,
        crypt_mode: str,
        archive_name: str = "image",
        progress: Progress | None = None,
        sparse: bool = True,
    ) -> int:
        """Write the image of a `.fidx` into a file, device or pipe; the bytes of the image.

        A regular file ends up with the image's size; with `sparse`, its zero chunks are holes.
        """
    def restore_tree(
        self,
        index: bytes,
        target: str | PathLike[str],
        *,
        payload_index: bytes | None = None,
        key: CryptKey | None,
        crypt_mode: str,
        archive_name: str = "tree",
        payload_name: str = "payload",
        options: UnpackOptions | None = None,
        progress: Progress | None = None,
    ) -> RestoreStats:
        """Unpack the pxar archive of a `.didx` below `target`; a split one from the indexes of both its streams."""
    def restore_stream(
        self,
        index: bytes,
        target_fd: int,
        *,
        key: CryptKey | None,
        crypt_mode: str,
        archive_name: str = "archive",
        progress: Progress | None = None,
    ) -> int:
        """Write the bytes of any `.didx` or `.fidx` to a descriptor in order; how many."""
    def verify_chunks(
        self,
        index: bytes,
        *,
        key: CryptKey | None,
        crypt_mode: str,
        archive_name: str = "archive",
        progress: Progress | None = None,
    ) -> int:
        """Fetch and check each different chunk of any `.didx` or `.fidx` as a restore does; the bytes of the archive."""
    def verify_tree(
        self,
        index: bytes,
        *,
        payload_index: bytes | None = None,
        key: CryptKey | None,
        crypt_mode: str,
        archive_name: str = "tree",
        payload_name: str = "payload",
        progress: Progress | None = None,
    ) -> VerifyStats:
        """As `restore_tree`, but nothing is written: all chunks are checked, and that their archive can be unpacked."""
    def open_archive(
        self,
        index: bytes,
        *,
        key: CryptKey | None,
        crypt_mode: str,
        archive_name: str = "archive",
        progress: Progress | None = None,
    ) -> RemoteArchive:
        """Read an archive where it is needed; cancelling `progress` ends reads that wait for the server."""
    def close(self) -> None:
        """End the connection at once, which is how the original client ends a session. May be called again."""

@final
class CatalogUpload:
    """The catalog of a running backup session."""

    def finish(self) -> UploadStats:
        """Write the root, close the index. Raises like `Session.upload_tree`."""

# --- store ---

@final
class ChunkStore:
    """The chunk store of one datastore, open or to be made; threads share it. OSError where the system refuses."""

    @staticmethod
    def create(path: str | PathLike[str], *, progress: Callable[[int], object] | None = None) -> None:
        """Lay out a new store in an existing directory (datastore-layout.md 1); ProtocolError if it has one.

        `progress` is called with each percent from 1 to 99; what it raises ends the work.
        """
    def __new__(cls, path: str | PathLike[str], *, sync_level: str = "filesystem") -> Self:
        """Open; `sync_level` is `none`, `file` or `filesystem`. ProtocolError for a directory without chunk store."""
    def insert(self, digest: bytes, blob: bytes) -> tuple[bool, int]:
        """Store a blob whose content was verified; its CRC is checked. Returns (was a duplicate, bytes now stored).

        The table is in blobs-and-chunks.md 5.1; ProtocolError where it says error.
        """
    def read(self, digest: bytes) -> bytes:
        """Return the blob as stored, unchecked."""
    def touch(self, digest: bytes) -> bool:
        """Set the access time to now; False if there is no such chunk."""
    def contains(self, digest: bytes) -> bool:
        """Whether the chunk is there."""
    def sync(self) -> None:
        """With sync level `filesystem`: make everything written so far durable. Call before a manifest appears."""

@final
class IndexStats:
    """A closed index and what was uploaded for it; counts of bytes and chunks."""

    @property
    def uuid(self) -> bytes: ...
    @property
    def csum(self) -> bytes: ...
    @property
    def size(self) -> int: ...
    @property
    def chunk_count(self) -> int: ...
    @property
    def upload_count(self) -> int: ...
    @property
    def upload_bytes(self) -> int: ...
    @property
    def compressed_bytes(self) -> int: ...
    @property
    def duplicate_count(self) -> int: ...

@final
class BackupChunks:
    """Known chunks and open indexes of one backup session (backup-protocol.md 1); threads share it.

    ProtocolError for every broken rule and once `shut` was called; `kind` is `fixed` or `dynamic`.
    """

    def __new__(cls, store: ChunkStore) -> Self: ...
    def create_fixed(self, path: str | PathLike[str], size: int | None) -> int:
        """Open a fixed index, growing if `size` is None; return its writer id (1 and up, never reused)."""
    def create_fixed_reusing(
        self, path: str | PathLike[str], size: int, base_path: str | PathLike[str], csum: bytes
    ) -> int:
        """Open a fixed index that starts with the digests of another, whose computed checksum must be `csum`."""
    def create_dynamic(self, path: str | PathLike[str]) -> int:
        """Open a dynamic index; return its writer id."""
    def append(self, kind: str, wid: int, digests: list[str], offsets: list[int]) -> None:
        """Append known chunks, each at its start offset; entries before a failing one stay."""
    def close_writer(self, kind: str, wid: int, chunk_count: int, size: int, csum: bytes) -> IndexStats:
        """Check and finish an index; after a failed check the writer is still open."""
    def register_index(self, path: str | PathLike[str]) -> int:
        """Make all chunks of a previous index known; return its number of entries."""
    @property
    def open_writer_count(self) -> int: ...
    def shut(self) -> None:
        """Remove the files of open indexes and refuse every later call; may be repeated."""

@final
class ReaderChunks:
    """The chunks that one reader session may fetch; the set only grows."""

    def __new__(cls, store: ChunkStore) -> Self: ...
    def allow_index(self, path: str | PathLike[str]) -> int:
        """Allow every chunk of an index file; return its number of entries."""

# --- recovery ---

@final
class IndexRecovery:
    """An archive that is put together from its index and a directory like `.chunks`; holds one chunk in memory.

    Chunks that are missing or corrupt may be replaced by zeros. `skip_checksums` compares neither CRC nor digest, only
    lengths and, of encrypted chunks, tags.
    """

    def __new__(
        cls,
        index_path: str | PathLike[str],
        chunk_directory: str | PathLike[str],
        *,
        key: CryptKey | None,
        skip_checksums: bool = False,
        ignore_missing: bool = False,
        ignore_corrupt: bool = False,
    ) -> Self:
        """Read the index, whatever its name; FormatError if it is none, PbstoreError if it cannot be read."""
    @property
    def size(self) -> int:
        """Bytes of the archive."""
    @property
    def position(self) -> int:
        """Bytes written so far."""
    def advance(self, target_fd: int, *, sparse: bool, step_bytes: int) -> list[str]:
        """Write the chunks of the next `step_bytes`; two lines for each that was replaced: why, and where.

        `sparse` makes holes of zeros; the target must be a new regular file then. DatastoreError for a missing chunk,
        IntegrityError for a corrupt one, EncryptionKeyError for an encrypted one without a key; PbstoreError if a
        chunk may not be opened or the target takes no more.
        """

# --- verification ---

@final
class Verification:
    """What one verification task remembers: each chunk is read once, however many indexes refer to it.

    `readers` chunks are read and `workers` decoded at the same time, in the order of the index (`none`) or of the disk
    (`inode`).
    """

    def __new__(cls, store: ChunkStore, *, readers: int, workers: int, chunk_order: str) -> Self: ...
    def start_check(self, path: str | PathLike[str], *, csum: bytes, size: int, encrypted: bool) -> IndexCheck:
        """Compare an index file with what the manifest says, then check its chunks, on threads of its own.

        Corrupt chunks are renamed to `.N.bad`. One check at a time.
        """
    def abort(self) -> None:
        """Stop the running check soon and all later ones at once; from any thread."""

@final
class IndexCheck:
    """A check that runs, or has run."""

    @property
    def chunk_count(self) -> int:
        """Chunks to check: different ones, and not those that an earlier check has settled."""
    @property
    def checked_count(self) -> int: ...
    def wait(self, timeout_seconds: float) -> bool:
        """Whether it has ended, at most this much later."""
    def verdict(self) -> IndexVerdict:
        """To be called once, after `wait` returned True; ValueError before.

        IntegrityError: not the index of the manifest. FormatError: none at all. OSError: it cannot be read.
        AbortedError: `abort` was called.
        """

@final
class IndexVerdict:
    """What was found; bytes of the chunks that could be read, as stored and in the archive."""

    @property
    def read_bytes(self) -> int: ...
    @property
    def plain_bytes(self) -> int: ...
    @property
    def error_count(self) -> int:
        """Chunks that did not pass, each once."""
    @property
    def messages(self) -> list[str]:
        """What is wrong, in the order of the index; at most 1000 chunks are named, the others counted in the last line."""

# --- archives of a datastore ---

@final
class StoredArchive:
    """An archive of a datastore that is read where it is needed: chunks are loaded, checked, and kept for a while.

    All of them together keep 32 MiB.
    """

    def __new__(cls, store: ChunkStore, path: str | PathLike[str], *, csum: bytes, size: int) -> Self:
        """Open the dynamic index at `path`; checksum and size are those of the manifest and are compared now.

        FormatError for what is no such index, IntegrityError for another one.
        """
    @property
    def size(self) -> int:
        """Bytes of the archive."""

@final
class StoredTree:
    """The tree in a pxar archive of a datastore: a version 1 archive, or the metadata of a split one with its payload.

    Paths are names with slashes between them, from the archive's root on; whether there is one more in front or at the
    end makes no difference. No name is `.` or `..`. Every method raises FormatError for a damaged archive, and
    PbstoreError where a chunk cannot be read.
    """

    def __new__(cls, archive: StoredArchive, payload: StoredArchive | None = None) -> Self:
        """Without the payload of a split archive there is no content."""
    def entry(self, path: bytes) -> PxarEntry | None:
        """What is at a path; a hard link with the metadata and size of its file. None if there is nothing."""
    def children(self, path: bytes) -> list[PxarEntry] | None:
        """What is in a directory: hard links as such, all without attributes and ACLs, which `entry` has.

        None if there is no directory at that path. PbstoreError if there are more than some 300000 entries.
        """
    def file(self, path: bytes) -> FileBody:
        """The content of a file or hard link; PbstoreError if there is none.

        Like the others it reads while it is sent: a bad chunk breaks the answer off.
        """
    def zip(self, path: bytes, spool: str | PathLike[str]) -> FileBody:
        """A directory as zip file: directories, files, hard links as files, symlinks. PbstoreError if it is none.

        A list of members that is longer than 256 KiB goes into an unnamed file in the directory `spool`.
        """
    def tar_zst(self, path: bytes) -> FileBody:
        """A directory as GNU tar file in a zstd frame: everything but sockets. PbstoreError if it is none."""

# --- front ---

@final
class FileBody:
    """A file, or what `StoredTree` makes, as body of a response: opened now, sent piece by piece.

    OSError if it cannot be opened as a file.
    """

    def __new__(cls, path: str | PathLike[str]) -> Self: ...
    @staticmethod
    def decoded_blob(path: str | PathLike[str], *, csum: bytes | None = None) -> FileBody:
        """The data of a blob file, which is checked now; `csum` is the SHA-256 that the manifest has for it.

        FormatError for what is no blob or holds more than 128 MiB, IntegrityError for damage, EncryptionKeyError for
        an encrypted one.
        """
    @staticmethod
    def decoded_index(store: ChunkStore, path: str | PathLike[str], *, csum: bytes, size: int) -> FileBody:
        """The content of an archive, decoded chunk by chunk as it is sent; a bad chunk breaks the answer off.

        Checksum and size are those of the manifest and are compared now: FormatError, IntegrityError.
        """
    def hold(self, guard: object) -> None:
        """Call `guard.close()` when the body was sent or given up, on any thread. ValueError once it is on its way."""
    @property
    def size(self) -> int | None:
        """Bytes of the body; None where that shows only at its end, as with what is compressed on the way."""

@final
class Request:
    """The head and parameter body of a request, as the front read it."""

    def __new__(
        cls,
        *,
        method: str,
        path: str,
        query: str = ...,
        target: str | None = None,
        headers: list[tuple[str, str]] = ...,
        body: bytes = ...,
        peer: str = ...,
    ) -> Self:
        """For tests of applications; `target` None is path and query."""
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str:
        """Starts with `/`; no empty components, none that starts with a dot; still percent-encoded."""
    @property
    def query(self) -> str:
        """What is behind the question mark, as received."""
    @property
    def target(self) -> str:
        """Path and query as received."""
    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in lower case; values with bytes above 127 as latin-1."""
    @property
    def body(self) -> bytes: ...
    @property
    def peer(self) -> str:
        """`address:port`, IPv6 addresses in brackets."""

@final
class SessionGrant:
    """The answer of `authorize` that opens a session on the connection.

    `session` has three methods, all called on blocking threads: `handle(method, path, query, content_type, body)` for
    every call that the front does not serve itself, `failed(method, path, status, message)` when a call that the front
    serves itself failed, and `closed(reason)`, exactly once, when the connection is over and nothing of the session
    runs any more; reason None means that the client closed it in order. `closed` is called too when the connection
    broke before the session could begin.
    """

    def __new__(cls, protocol: str, chunks: BackupChunks | ReaderChunks, session: object) -> Self: ...
    def abort(self, reason: str) -> None:
        """Break the connection soon, from any thread; `closed` gets the reason. May be repeated."""

@final
class Front:
    """TLS listener of the server: HTTP/1.1 for the application, HTTP/2 for its sessions; serves in its own threads.

    `application` has `handle(request)` -> (status, headers, bytes or FileBody) and `authorize(request)` -> the same or
    a SessionGrant; GET /api2/json/backup and GET /api2/json/reader go to `authorize`. Both run on blocking threads. An
    exception in them is logged and answered with 500.
    """

    def __new__(
        cls,
        application: object,
        *,
        certificate: str | PathLike[str],
        private_key: str | PathLike[str],
        memory_bytes: int = ...,
        denied_delay_seconds: float = 3.0,
        limits: Mapping[str, float] = ...,
    ) -> Self:
        """Load certificate chain and key (PEM); ConfigError if they cannot be used.

        `memory_bytes` (at least 80 MiB) bounds what is buffered for clients (docs/design/front.md);
        `denied_delay_seconds` is waited before a 401 for a chunk that a reader session may not read; `limits` are those
        of docs/design/front.md that shall not have their defaults, in numbers and seconds (ConfigError for others).
        """
    def listen(self, host: str, port: int) -> tuple[str, int]:
        """Bind, serve from now on, return the real address; `::` takes IPv4 too. May be called for several addresses."""
    def shutdown(self, grace_seconds: float) -> None:
        """Stop listening, let sessions end for a while, then break them; returns when every `closed` was called."""

# --- pxar ---

@final
class PxarStats:
    """What an archive was made of, or what was extracted."""

    @property
    def entry_count(self) -> int:
        """Entries of all kinds, the root included."""
    @property
    def file_bytes(self) -> int:
        """Content of the regular files, holes included."""
    @property
    def archive_bytes(self) -> int:
        """Length of the archive, of both streams if it is a split one; 0 if it was read from a pipe."""
    @property
    def warnings(self) -> list[str]:
        """One line each."""

@final
class PxarEntry:
    """One entry of an archive (pxar.md 1, 2)."""

    @property
    def path(self) -> bytes:
        """From the archive's root, with leading slash."""
    @property
    def kind(self) -> str:
        """Directory `d`, file `f`, symlink `l`, hard link `h`, block device `b`, other device `c`, fifo `p`, socket `s`."""
    @property
    def mode(self) -> int:
        """As `st_mode`; 0 for a hard link, like all that follows up to `mtime_nanoseconds`."""
    @property
    def flags(self) -> int:
        """Attribute bits (pxar.md 3.1)."""
    @property
    def uid(self) -> int: ...
    @property
    def gid(self) -> int: ...
    @property
    def mtime_seconds(self) -> int:
        """Since 1970, rounded down."""
    @property
    def mtime_nanoseconds(self) -> int: ...
    @property
    def size(self) -> int:
        """Content of a regular file in bytes, else 0."""
    @property
    def payload_offset(self) -> int | None:
        """Of a file of a split archive: offset of its content's header in the payload."""
    @property
    def link_target(self) -> bytes | None:
        """Of a symlink as it is, of a hard link the path from the archive's root without leading slash."""
    @property
    def device(self) -> tuple[int, int] | None:
        """Major and minor number."""
    @property
    def xattrs(self) -> list[tuple[bytes, bytes]]:
        """Names and values, without ACLs and file capabilities."""
    @property
    def has_acl(self) -> bool: ...
    @property
    def fcaps(self) -> bytes | None:
        """Value of `security.capability`."""
    @property
    def quota_project_id(self) -> int | None: ...

@final
class PxarListing:
    """The entries of an archive, parents first, read as they are asked for; FormatError where it is damaged."""

    def __iter__(self) -> Iterator[PxarEntry]: ...
    def __next__(self) -> PxarEntry: ...
    @property
    def is_split(self) -> bool:
        """Whether it is a split archive; known once the first entry was read, as is `prelude`."""
    @property
    def prelude(self) -> bytes | None:
        """What a split archive has before its root."""

@final
class CatalogEntry:
    """One name of a catalog."""

    @property
    def path(self) -> bytes:
        """As it was asked for or, in `Catalog.entries`, with leading slash; the first component is the archive."""
    @property
    def kind(self) -> str:
        """As in PxarEntry."""
    @property
    def size(self) -> int:
        """Of a regular file, in bytes, else 0."""
    @property
    def mtime_seconds(self) -> int:
        """Of a regular file, since 1970, else 0."""

@final
class Catalog:
    """A catalog in a file (catalog.md); FormatError if it is none."""

    def __new__(cls, path: str | PathLike[str]) -> Catalog: ...
    @staticmethod
    def stored(archive: StoredArchive) -> Catalog:
        """A catalog that is an archive of a datastore, with directories of up to some million names.

        Reading it raises what reading a StoredTree raises, too.
        """
    def directory(self, path: bytes) -> list[CatalogEntry] | None:
        """What is in a directory; None if there is no such directory."""
    def entries(self) -> list[CatalogEntry]:
        """Everything, parents first; FormatError if a directory is in two places."""

def create_pxar(
    source: str | PathLike[str],
    archive_path: str | PathLike[str],
    *,
    payload_path: str | PathLike[str] | None = None,
    catalog_path: str | PathLike[str] | None = None,
    exclude: Sequence[bytes] = ...,
    skip_lost_and_found: bool = False,
    all_file_systems: bool = False,
    include_devices: Sequence[int] = ...,
    skip_e2big_xattr: bool = False,
    entries_max: int = 1048576,
    without: Sequence[str] = ...,
    warn: Callable[[str], object] | None = None,
) -> PxarStats:
    """Make a version 1 archive of a directory in a new file of mode 0640, and on request its catalog.

    With `payload_path` it is a split archive of two new files, which has no catalog. No file stays after a failure.
    `without` leaves out some of acls, device-nodes, fcaps, fifos, ownership, permissions, sockets, xattrs.
    `warn` takes the warnings as they come, instead of `PxarStats.warnings`.
    PbstoreError names the file that could not be read or written, or the pattern that is none.
    """

def extract_pxar(
    archive: str | PathLike[str] | int,
    target: str | PathLike[str],
    *,
    payload_path: str | PathLike[str] | None = None,
    prelude_path: str | PathLike[str] | None = None,
    patterns: Sequence[bytes] = ...,
    allow_existing_dirs: bool = False,
    overwrite_files: bool = False,
    overwrite_symlinks: bool = False,
    overwrite_hardlinks: bool = False,
    ignore_device_errors: bool = False,
    strict: bool = True,
    without: Sequence[str] = ...,
    warn: Callable[[str], object] | None = None,
) -> PxarStats:
    """Extract an archive into a directory, which is made if it does not exist, and touch nothing outside of it.

    `archive` is a file or an open descriptor. A split one needs `payload_path`; `prelude_path` is a new file that gets
    what it has before its root. `patterns` choose what is extracted (pxar.md 4.1, the last match decides), with the
    directories on the way. FormatError if the archive is damaged; PbstoreError for the first entry that cannot be made
    or, if not `strict`, at the end, when such entries have become warnings. `without` and `warn` as in `create_pxar`.
    """

def list_pxar(archive_path: str | PathLike[str], payload_path: str | PathLike[str] | None = None) -> PxarListing:
    """Open an archive, or the metadata part of a split one; PbstoreError if a file cannot be opened.

    With `payload_path` it is checked for every file of a split one that its content is where it should be.
    """

def quoted_path(path: bytes) -> str:
    """The path in double quotes with backslash escapes, as listings show it."""
