"""Tuning of a datastore (datastore-layout.md 8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pbstore.config.property_string import parse_property_string
from pbstore.errors import FormatError

CHUNK_ORDERS = ("none", "inode")
SYNC_LEVELS = ("none", "file", "filesystem")
_RANGES = {
    "gc-atime-cutoff": (1, 2880),
    "gc-cache-capacity": (0, 8388608),
    "default-verification-readers": (1, 32),
    "default-verification-workers": (1, 32),
}


@dataclass(frozen=True)
class Tuning:
    """How a store reads, syncs and collects garbage; the cut-off is in minutes, the capacity in digests."""

    chunk_order: str = "inode"
    sync_level: str = "filesystem"
    gc_atime_safety_check: bool = True
    gc_atime_cutoff_minutes: int = 1445
    gc_cache_capacity: int = 1048576
    verification_readers: int = 1
    verification_workers: int = 4

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the property string.

        Raises:
            FormatError: an unknown key, or a value out of its range.
        """
        values = parse_property_string(text)
        known = {"chunk-order", "sync-level", "gc-atime-safety-check", *_RANGES}
        for key in values.keys() - known:
            raise FormatError(f"invalid tuning: unknown key '{key}'")
        return cls(
            _choice(values, "chunk-order", CHUNK_ORDERS, cls.chunk_order),
            _choice(values, "sync-level", SYNC_LEVELS, cls.sync_level),
            _choice(values, "gc-atime-safety-check", ("1", "true", "yes", "on", "0", "false", "no", "off"), "1")
            in ("1", "true", "yes", "on"),
            _number(values, "gc-atime-cutoff", cls.gc_atime_cutoff_minutes),
            _number(values, "gc-cache-capacity", cls.gc_cache_capacity),
            _number(values, "default-verification-readers", cls.verification_readers),
            _number(values, "default-verification-workers", cls.verification_workers),
        )


def _choice(values: Mapping[str, str], key: str, choices: tuple[str, ...], default: str) -> str:
    value = values.get(key, default)
    if value not in choices:
        raise FormatError(f"invalid tuning: '{key}' is one of {', '.join(choices)}, not {value!r}")
    return value


def _number(values: Mapping[str, str], key: str, default: int) -> int:
    text = values.get(key, str(default))
    low, high = _RANGES[key]
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise FormatError(f"invalid tuning: '{key}' is a number from {low} to {high}, not {text!r}")
    return int(text)
