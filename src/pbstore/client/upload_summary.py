"""The log lines that say what an upload did (cli-client.md 3)."""

from collections.abc import Iterator

from pbstore import _core
from pbstore.model.human_size import human_size, human_speed

# Less is not worth a line of its own.
INCREMENTAL_MIN_BYTES = 1024 * 1024


def upload_lines(name: str, stats: _core.UploadStats, *, injected_bytes: int = 0) -> Iterator[str]:
    """The lines of one archive; `injected_bytes` is what the change detection has taken over, and told, already."""
    uploaded = stats.size - stats.reused_bytes
    seconds = stats.duration_seconds
    yield (
        f"{name}: had to backup {human_size(uploaded)} of {human_size(stats.size)} "
        f"(compressed {human_size(stats.compressed_bytes)}) in {seconds:.2f} s "
        f"(average {human_speed(uploaded, seconds)})"
    )
    if stats.reused_bytes - injected_bytes >= INCREMENTAL_MIN_BYTES:
        percent = stats.reused_bytes * 100 / stats.size
        yield f"{name}: backup was done incrementally, reused {human_size(stats.reused_bytes)} ({percent:.1f}%)"


def change_lines(stats: _core.SplitUploadStats) -> Iterator[str]:
    """What became of the files of a tree that was compared with its previous backup."""
    reused, encoded, links = stats.reused_file_count, stats.encoded_file_count, stats.hardlink_count
    yield "Change detection summary:"
    yield f" - {reused + encoded + links} total files ({links} hardlinks)"
    yield f" - {reused} unchanged, reusable files with {human_size(stats.reused_payload_bytes)} data"
    yield f" - {encoded} changed or non-reusable files with {human_size(stats.encoded_payload_bytes)} data"
    yield f" - {human_size(stats.padding_bytes)} padding in {stats.partial_chunk_count} partially reused chunks"


def split_upload_lines(metadata_name: str, payload_name: str, stats: _core.SplitUploadStats) -> Iterator[str]:
    """The lines of the two archives of a split one."""
    yield from upload_lines(metadata_name, stats.metadata)
    if stats.injected_chunk_count > 0:
        yield (
            f"{payload_name}: reused {human_size(stats.injected_bytes)} from previous snapshot for unchanged files "
            f"({stats.injected_chunk_count} chunks)"
        )
    yield from upload_lines(payload_name, stats.payload, injected_bytes=stats.injected_bytes)
