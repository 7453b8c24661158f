"""Paths as the tree of their components."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self


@dataclass
class PathTree:
    """A node; `path` leads to it from the root."""

    path: str
    children: "dict[str, PathTree]" = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[str]) -> Self:
        """Return what is over all these paths, children by name; that of the path `/` is empty."""
        root = cls("")
        for path in sorted(paths):
            node: PathTree = root
            for part in path.removeprefix("/").split("/"):
                node = node.children.setdefault(part, PathTree(f"{node.path}/{part}"))
        return root
