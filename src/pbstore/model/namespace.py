"""A namespace: where in a datastore a group lies (manifest.md 5)."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from pbstore.errors import FormatError
from pbstore.model.names import check_safe_id

MAX_DEPTH = 7
MAX_TEXT_LENGTH = 256


@dataclass(frozen=True, order=True)
class Namespace:
    """Zero (the root) to seven components; its text is `a/b/c`, its directory `ns/a/ns/b/ns/c`."""

    components: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for component in self.components:
            check_safe_id(component, "namespace component")
        if len(self.components) > MAX_DEPTH:
            raise FormatError(f"namespace '{self}' is too deep: at most {MAX_DEPTH} levels")
        if len(str(self)) > MAX_TEXT_LENGTH:
            raise FormatError(f"namespace is too long: at most {MAX_TEXT_LENGTH} characters")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `a/b/c`; the empty text is the root.

        Raises:
            FormatError: a component is no safe id, or there are more than seven.
        """
        return cls(tuple(text.split("/")) if text else ())

    @property
    def is_root(self) -> bool:
        """Whether this is the datastore's root."""
        return not self.components

    @property
    def parent(self) -> "Namespace":
        """The namespace above.

        Raises:
            FormatError: this is the root.
        """
        if self.is_root:
            raise FormatError("Cannot create/delete root namespace!")
        return Namespace(self.components[:-1])

    def child(self, name: str) -> "Namespace":
        """The namespace `name` in this one.

        Raises:
            FormatError: no name of a namespace, or too deep.
        """
        if len(self.components) >= MAX_DEPTH:
            raise FormatError(f"namespace too deep, {len(self.components)} >= max {MAX_DEPTH}")
        return Namespace((*self.components, name))

    def is_below(self, other: "Namespace") -> bool:
        """Whether this is `other` or lies in it."""
        return self.components[: len(other.components)] == other.components

    def moved(self, source: "Namespace", target: "Namespace") -> "Namespace":
        """Where this namespace, which is below `source`, comes to lie when `source` becomes `target`.

        Raises:
            FormatError: too deep.
        """
        return Namespace((*target.components, *self.components[len(source.components) :]))

    @property
    def directory(self) -> PurePosixPath:
        """Path relative to the datastore."""
        path = PurePosixPath()
        for component in self.components:
            path = path / "ns" / component
        return path

    def __str__(self) -> str:
        return "/".join(self.components)
