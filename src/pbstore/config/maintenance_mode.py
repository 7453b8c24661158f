"""Maintenance mode of a datastore: which operations are refused (datastore-layout.md 3.3)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import quote, unquote

from pbstore.config.property_string import format_property_string, parse_property_string
from pbstore.errors import FormatError

TYPES = ("read-only", "offline", "delete", "unmount", "s3-refresh")
MAX_MESSAGE_LENGTH = 64


class Operation(StrEnum):
    """What somebody wants to do with a store. `LOOKUP` touches no data."""

    READ = "read"
    WRITE = "write"
    LOOKUP = "lookup"


@dataclass(frozen=True)
class MaintenanceMode:
    """The type and a message for people."""

    mode: str
    message: str = ""

    def __post_init__(self) -> None:
        if self.mode not in TYPES:
            raise FormatError(f"invalid maintenance mode {self.mode!r}: one of {', '.join(TYPES)}")
        if len(self.message) > MAX_MESSAGE_LENGTH or re.search(r"[\x00-\x1f\x7f]", self.message):
            raise FormatError(f"invalid maintenance message: at most {MAX_MESSAGE_LENGTH} characters in one line")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `type=offline,message="text"` or `offline`.

        Raises:
            FormatError: not of that form, or an unknown type.
        """
        values = parse_property_string(text, default_key="type")
        unknown = values.keys() - {"type", "message"}
        if unknown or "type" not in values:
            raise FormatError(f"invalid maintenance mode {text!r}: expected type=<{'|'.join(TYPES)}>[,message=<text>]")
        return cls(values["type"], unquote(values.get("message", "")))

    def refuses(self, operation: Operation) -> bool:
        """Whether a new operation of this kind must not start."""
        if operation is Operation.LOOKUP:
            return self.mode == "delete"
        return operation is Operation.WRITE or self.mode != "read-only"

    def __str__(self) -> str:
        values = {"type": self.mode}
        if self.message:
            values["message"] = quote(self.message, safe=" !$&'()*+-./:;=?@[]^_|~")
        return format_property_string(values, default_key="type")
