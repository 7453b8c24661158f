"""`pvesm alloc`: a new disk image."""

import re

from pbstore.api.schema import Parameter
from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.pvesm.own_storages import STORAGE_COMPLETION, own_storages
from pbstore.cli.pvesm.storage_options import STORAGE
from pbstore.cli.pvesm.volume_parameters import VMID
from pbstore.errors import ParameterError
from pbstore.pve.storage.dir_layout import IMAGE_FORMATS
from pbstore.pve.value_types import Choice, Text

_UNITS = {"": 1, "M": 1 << 10, "G": 1 << 20}


def run(console: Console, storage: str, vmid: int, filename: str, size: str, format: str | None) -> None:
    """Make the image. An empty name takes the next free one."""
    volume = own_storages(console).allocate(storage, vmid, filename or None, size_kib(size), format)
    console.print(f"successfully created '{volume}'")


def size_kib(text: str) -> int:
    """A number of KiB, or of MiB or GiB with the letter M or G.

    Raises:
        ParameterError: no such number.
    """
    match = re.fullmatch(r"([0-9]{1,12})([MG]?)", text)
    if match is None:
        raise ParameterError({"size": "value does not match the regex pattern"})
    return int(match[1]) * _UNITS[match[2]]


COMMAND = Command(
    description="Allocate disk images.",
    run=run,
    positional=("storage", "vmid", "filename", "size"),
    parameters=(
        STORAGE,
        VMID,
        Parameter(name="filename", schema=Text(description="The name of the file to create.")),
        Parameter(name="size", schema=Text(description="Size in kilobyte (1024 bytes), or with suffix 'M' or 'G'.")),
        Parameter(
            name="format", schema=Choice(description="Format of the image.", values=IMAGE_FORMATS), optional=True
        ),
    ),
    completions=STORAGE_COMPLETION,
)
