"""Parameters that the calls of both session protocols share (backup-protocol.md 2, reader-protocol.md 1)."""

from pbstore.api.schema import Integer, ListOf, Parameter, String
from pbstore.model.names import SAFE_ID

MAX_BLOB_BYTES = (16 << 20) + 44
MAX_CHUNK_BYTES = 16 << 20

_DIGEST = String(description="SHA-256 as 64 lower-case hex digits", pattern="[0-9a-f]{64}")
_NAME = String(description="name with the server's suffix", pattern=SAFE_ID.pattern, maximum_length=255)
_OFFSET = Integer(description="where the chunk starts in the archive")

ARCHIVE_NAME = Parameter(name="archive-name", schema=_NAME)
FILE_NAME = Parameter(name="file-name", schema=_NAME)
DIGEST = Parameter(name="digest", schema=_DIGEST)
WID = Parameter(name="wid", schema=Integer(description="writer id", minimum=1, maximum=256))
DIGEST_LIST = Parameter(name="digest-list", schema=ListOf(description="digests of chunks", item=_DIGEST))
OFFSET_LIST = Parameter(name="offset-list", schema=ListOf(description="their offsets", item=_OFFSET))
CSUM = Parameter(name="csum", schema=_DIGEST)
REUSE_CSUM = Parameter(
    name="reuse-csum",
    schema=String(description="checksum of the last backup's index, to start from it", maximum_length=64),
    optional=True,
)
CHUNK_SIZE = Parameter(
    name="size", schema=Integer(description="plain bytes of the chunk", minimum=1, maximum=MAX_CHUNK_BYTES)
)


def encoded_size(minimum: int) -> Parameter:
    """Length of a body that is a blob."""
    return Parameter(
        name="encoded-size",
        schema=Integer(description="bytes of the body", minimum=minimum, maximum=MAX_BLOB_BYTES),
    )


def archive_size(minimum: int, *, optional: bool = False) -> Parameter:
    """Plain length of a whole archive."""
    return Parameter(
        name="size", schema=Integer(description="bytes of the archive", minimum=minimum), optional=optional
    )


def chunk_count(minimum: int) -> Parameter:
    """Number of entries of an index."""
    return Parameter(name="chunk-count", schema=Integer(description="entries of the index", minimum=minimum))
