"""Parameters that several commands have: the archive, and what of the tree's metadata to leave out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pbstore.api.schema import Boolean, ListOf, Parameter, String


def flag(name: str, description: str) -> Parameter:
    """An option that is off unless it is given."""
    return Parameter(name=name, schema=Boolean(description=description), optional=True, default=False)


def path(name: str, description: str, *, optional: bool = True) -> Parameter:
    """A path."""
    return Parameter(
        name=name, schema=String(description=description, minimum_length=1, convert=Path), optional=optional
    )


def texts(name: str, description: str, item: str) -> Parameter:
    """An option that can be given several times."""
    return Parameter(name=name, schema=ListOf(description=description, item=String(description=item)), optional=True)


ARCHIVE = path("archive", "Archive name.", optional=False)
PAYLOAD_INPUT = path("payload-input", "Payload file of a split archive, whose metadata the archive is.")

FEATURES = (
    flag("no-acls", "Ignore access control list entries."),
    flag("no-device-nodes", "Ignore device nodes."),
    flag("no-fcaps", "Ignore file capabilities."),
    flag("no-fifos", "Ignore fifos."),
    flag("no-sockets", "Ignore sockets."),
    flag("no-xattrs", "Ignore extended file attributes."),
)


def left_out(options: Mapping[str, Any]) -> list[str]:
    """The features that the options leave out."""
    return [feature.name.removeprefix("no-") for feature in FEATURES if options[feature.python_name]]
