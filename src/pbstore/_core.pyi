"""The compiled module: one section a subject, each beside `crates/pbstore-py/src/<subject>.rs`."""

from os import PathLike

# --- client ---

class Progress:
    """Counters of a running upload or restore, to be read from any thread (the work itself releases the GIL)."""

    def __init__(self) -> None: ...
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
    def cancel(self) -> None:
        """Stop what uses this object: it raises AbortedError soon. Cannot be taken back."""

class UploadStats:
    """What an upload did."""

    chunk_count: int
    size: int
    csum: bytes
    uploaded_bytes: int
    compressed_bytes: int
    uploaded_chunk_count: int
    reused_bytes: int
    duration_seconds: float
    warnings: list[str]

class RestoreStats:
    """What the restore of a tree did."""

    size: int
    duration_seconds: float
    warnings: list[str]

class Connection:
    """TLS to one server: REST requests on one kept-alive connection, and sessions, each on a connection of its own.

    Nothing is connected before the first call. A certificate counts when the system's authorities (or those of
    `ca_file`) vouch for it and the name fits, or when its SHA-256 is `fingerprint` (protocol-transport.md 2).

    Every call raises CertificateError (with the fingerprint that the server showed) for any other certificate,
    ConnectionFailedError for a server that cannot be reached, does not answer in 120 s or goes away.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        fingerprint: str | None = None,
        ca_file: str | PathLike[str] | None = None,
        proxy: str | None = None,
    ) -> None:
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

class Session:
    """A backup or reader session (backup-protocol.md, reader-protocol.md). Dropping it ends the connection.

    Uploads and restores release the GIL, hand Ctrl-C through, and raise: ServerError (the server said no),
    ConnectionFailedError, IntegrityError and EncryptionKeyError (one line naming archive, chunk and digest),
    FormatError, AbortedError (Progress.cancel), OSError-like trouble with source or target as PbstoreError.
    After a failed upload the session takes no further uploads.
    """

    def request(
        self, method: str, path: str, query: str = "", body: bytes | None = None, content_type: str | None = None, *, max_bytes: int = ...
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
        exclude: list[str] = ...,
        include_devices: list[str | PathLike[str]] = ...,
        all_file_systems: bool = False,
        skip_lost_and_found: bool = False,
        entries_max: int = ...,
        chunk_size: int = ...,
        progress: Progress | None = None,
    ) -> UploadStats:
        """Upload a directory as pxar archive `archive_name` (`….pxar.didx`); `chunk_size` is the average in bytes."""
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
        key: CryptKey | None,
        crypt_mode: str,
        archive_name: str = "tree",
        progress: Progress | None = None,
        overwrite: bool = False,
    ) -> RestoreStats:
        """Unpack the pxar archive of a `.didx` below `target`."""
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
    def close(self) -> None:
        """End the connection at once, which is how the original client ends a session. May be called again."""

class CatalogUpload:
    """The catalog of a running backup session."""

    def finish(self) -> UploadStats:
        """Write the root, close the index. Raises like `Session.upload_tree`."""
