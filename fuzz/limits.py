"""The fuzz targets, and what each may take. The bound on the heap of the code under test stands in each target."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What libFuzzer holds a target to."""

    max_length: int
    """Bytes of the longest input that is made."""
    rss_mib: int = 64
    """Memory of the whole process in MiB: libFuzzer itself, its corpus, C libraries and the code under test."""
    timeout_seconds: int = 10
    """Longest time for one input; far more than any needs, as other targets run beside it."""


TARGETS = {
    "blob": Limits(64 << 10),
    "blob_round_trip": Limits(64 << 10),
    "fixed_index": Limits(16 << 10),
    "dynamic_index": Limits(16 << 10),
    "chunker": Limits(4 << 10),
    "payload_chunker": Limits(4 << 10),
    "pxar_decoder": Limits(64 << 10),
    "pxar_accessor": Limits(64 << 10),
    "pxar_round_trip": Limits(64 << 10),
    "pxar_extract": Limits(16 << 10),
    "pattern": Limits(2 << 10),
    "catalog": Limits(64 << 10, rss_mib=128),
    "posix_acl": Limits(4 << 10),
    "session_parameters": Limits(16 << 10),
    "request_path": Limits(4 << 10),
}
