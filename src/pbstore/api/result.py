"""What methods return: shapes that only results have, beside the schemas of parameters, which are shapes too."""

from collections.abc import Sequence
from dataclasses import dataclass

from pbstore.api.schema import Shape


@dataclass(frozen=True, kw_only=True)
class Nothing(Shape):
    """`null`."""

    description: str = "nothing"


@dataclass(frozen=True, kw_only=True)
class Text(Shape):
    """Text of any length."""


@dataclass(frozen=True, kw_only=True)
class Number(Shape):
    """A number that need not be whole."""


@dataclass(frozen=True, kw_only=True)
class Property:
    """A member of an object. `name` is the wire key; an optional one is left out when there is nothing to say."""

    name: str
    shape: Shape
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Object(Shape):
    """An object with these members and no others."""

    properties: Sequence[Property]


@dataclass(frozen=True, kw_only=True)
class MapOf(Shape):
    """An object whose keys are data."""

    value: Shape


@dataclass(frozen=True, kw_only=True)
class Items(Shape):
    """A list."""

    item: Shape


@dataclass(frozen=True, kw_only=True)
class OneOf(Shape):
    """A value of one of these shapes; with `Nothing` among them it can be null."""

    choices: Sequence[Shape]


@dataclass(frozen=True, kw_only=True)
class Content(Shape):
    """No JSON, but bytes of this media type."""

    media_type: str = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Session(Shape):
    """The connection goes on in another protocol."""

    protocol: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a method answers: `data`, and other keys beside it on the top level of the envelope.

    `instead` is what a parameter of the call can ask for in place of the envelope.
    """

    data: Shape
    beside: tuple[Property, ...] = ()
    instead: Content | None = None


def or_null(shape: Shape) -> OneOf:
    """The same, or null."""
    return OneOf(description=shape.description, choices=(shape, Nothing()))


def always(name: str, shape: Shape) -> Property:
    """A member that is always there."""
    return Property(name=name, shape=shape)


def perhaps(name: str, shape: Shape) -> Property:
    """A member that is left out when there is nothing to say."""
    return Property(name=name, shape=shape, optional=True)
