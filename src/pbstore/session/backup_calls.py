"""The calls of the backup protocol: names, parameters and bounds (backup-protocol.md 2).

Chunk uploads and the speed test are described here too, so that they are listed and documented; the front serves them.
"""

from typing import TYPE_CHECKING

from pbstore.api.method import Call, RawReply, method
from pbstore.api.route_table import RouteTable
from pbstore.errors import ProtocolError
from pbstore.session import call_parameters as take
from pbstore.session.session_router import DECIDED_AT_UPGRADE as ALLOWED

if TYPE_CHECKING:
    from pbstore.session.backup_session import BackupSession

CHUNK_UPLOAD = (take.WID, take.DIGEST, take.CHUNK_SIZE, take.encoded_size(13))


@method("GET", "/previous_backup_time", permission=ALLOWED)
def previous_backup_time(call: "Call[BackupSession]") -> int | None:
    """Time of the last backup that may be built upon."""
    return call.state.previous_backup_time()


@method("GET", "/previous", permission=ALLOWED, parameters=(take.ARCHIVE_NAME,))
def previous(call: "Call[BackupSession]", *, archive_name: str) -> RawReply:
    """A file of the last backup; the chunks of an index become known."""
    return RawReply(call.state.previous_file(archive_name))


@method("POST", "/dynamic_index", permission=ALLOWED, parameters=(take.ARCHIVE_NAME,))
def create_dynamic_index(call: "Call[BackupSession]", *, archive_name: str) -> int:
    """Start a dynamic index."""
    return call.state.create_dynamic(archive_name)


@method(
    "POST",
    "/fixed_index",
    permission=ALLOWED,
    parameters=(take.ARCHIVE_NAME, take.archive_size(1, optional=True), take.REUSE_CSUM),
)
def create_fixed_index(
    call: "Call[BackupSession]", *, archive_name: str, size: int | None, reuse_csum: str | None
) -> int:
    """Start a fixed index; without size it grows, with reuse-csum it starts as the last backup's."""
    return call.state.create_fixed(archive_name, size, reuse_csum)


@method("PUT", "/dynamic_index", permission=ALLOWED, parameters=(take.WID, take.DIGEST_LIST, take.OFFSET_LIST))
def append_dynamic(call: "Call[BackupSession]", *, wid: int, digest_list: list[str], offset_list: list[int]) -> None:
    """Append chunks to a dynamic index."""
    call.state.append("dynamic", wid, digest_list, offset_list)


@method("PUT", "/fixed_index", permission=ALLOWED, parameters=(take.WID, take.DIGEST_LIST, take.OFFSET_LIST))
def append_fixed(call: "Call[BackupSession]", *, wid: int, digest_list: list[str], offset_list: list[int]) -> None:
    """Put chunks into a fixed index."""
    call.state.append("fixed", wid, digest_list, offset_list)


@method(
    "POST",
    "/dynamic_close",
    permission=ALLOWED,
    parameters=(take.WID, take.chunk_count(1), take.archive_size(1), take.CSUM),
)
def close_dynamic(call: "Call[BackupSession]", *, wid: int, chunk_count: int, size: int, csum: str) -> None:
    """Check and close a dynamic index."""
    call.state.close_index("dynamic", wid, chunk_count, size, bytes.fromhex(csum))


@method(
    "POST",
    "/fixed_close",
    permission=ALLOWED,
    parameters=(take.WID, take.chunk_count(0), take.archive_size(0), take.CSUM),
)
def close_fixed(call: "Call[BackupSession]", *, wid: int, chunk_count: int, size: int, csum: str) -> None:
    """Check and close a fixed index."""
    call.state.close_index("fixed", wid, chunk_count, size, bytes.fromhex(csum))


@method(
    "POST",
    "/blob",
    permission=ALLOWED,
    parameters=(take.FILE_NAME, take.encoded_size(12)),
    raw_body=take.MAX_BLOB_BYTES,
)
def add_blob(call: "Call[BackupSession]", *, file_name: str, encoded_size: int) -> None:
    """Store a blob."""
    call.state.add_blob(file_name, encoded_size, call.body)


@method("POST", "/finish", permission=ALLOWED)
def finish(call: "Call[BackupSession]") -> None:
    """Make the snapshot visible."""
    call.state.finish()


@method("POST", "/dynamic_chunk", permission=ALLOWED, parameters=CHUNK_UPLOAD, raw_body=take.MAX_BLOB_BYTES)
def upload_dynamic_chunk(call: "Call[BackupSession]", **_: object) -> None:
    """Store a chunk of a dynamic index."""
    raise ProtocolError("chunks are served by the front")


@method("POST", "/fixed_chunk", permission=ALLOWED, parameters=CHUNK_UPLOAD, raw_body=take.MAX_BLOB_BYTES)
def upload_fixed_chunk(call: "Call[BackupSession]", **_: object) -> None:
    """Store a chunk of a fixed index."""
    raise ProtocolError("chunks are served by the front")


@method("POST", "/speedtest", permission=ALLOWED, raw_body=take.MAX_BLOB_BYTES)
def speed_test(call: "Call[BackupSession]") -> None:
    """Take bytes and forget them."""
    raise ProtocolError("the speed test is served by the front")


ROUTES = RouteTable(
    (
        previous_backup_time,
        previous,
        create_dynamic_index,
        create_fixed_index,
        append_dynamic,
        append_fixed,
        close_dynamic,
        close_fixed,
        add_blob,
        finish,
        upload_dynamic_chunk,
        upload_fixed_chunk,
        speed_test,
    )
)
