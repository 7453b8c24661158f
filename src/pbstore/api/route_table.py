"""From HTTP method and path to a method description; inner nodes of the tree list what is below them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from pbstore.api.method import Call, Method
from pbstore.api.permission import ANYBODY
from pbstore.errors import FormatError, NotFoundError


@dataclass
class _Node:
    """A place in the tree: its methods, its literal children and at most one variable child."""

    methods: dict[str, Method] = field(default_factory=dict)
    children: "dict[str, _Node]" = field(default_factory=dict)
    variable: str | None = None
    variable_child: "_Node | None" = None


@dataclass(frozen=True)
class Match:
    """A method and the decoded values of its path variables."""

    method: Method
    path_values: dict[str, str]


class RouteTable:
    """All methods of a program, as a tree of path components."""

    def __init__(self, methods: Iterable[Method]):
        self._methods = tuple(methods)
        self._root = _Node()
        for method in self._methods:
            self._add(method)

    def __iter__(self) -> Iterator[Method]:
        return iter(self._methods)

    def find(self, http_method: str, path: str, full_path: str | None = None) -> Match:
        """Return what serves `path`, which is still percent-encoded; `full_path` is the one that errors name.

        Raises:
            NotFoundError: nothing does.
            FormatError: a component does not decode to UTF-8.
        """
        node: _Node | None = self._root
        values: dict[str, str] = {}
        for part in filter(None, path.split("/")):
            component = decode_component(part)
            if node is not None and component in node.children:
                node = node.children[component]
            elif node is not None and node.variable is not None:
                values[node.variable] = component
                node = node.variable_child
            else:
                node = None
        method = None if node is None else node.methods.get(http_method)
        if method is None and node is not None and http_method == "GET" and node.children:
            method = _directory(node)
        if method is None:
            raise NotFoundError(f"Path '{full_path or path}' not found.")
        return Match(method, {name: values[name] for name in method.path_variables})

    def _add(self, method: Method) -> None:
        node = self._root
        for part in filter(None, method.path.split("/")):
            if part.startswith("{"):
                name = part.strip("{}")
                if node.variable not in (None, name):
                    raise TypeError(f"{method.path}: the same component is also called {node.variable}")
                node.variable = name
                node.variable_child = node.variable_child or _Node()
                node = node.variable_child
            else:
                node = node.children.setdefault(part, _Node())
        if method.http_method in node.methods:
            raise TypeError(f"{method.http_method} {method.path} is declared twice")
        node.methods[method.http_method] = method


def decode_component(part: str) -> str:
    """Percent-decode one path component.

    Raises:
        FormatError: it does not decode to UTF-8.
    """
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeError:
        raise FormatError("path contains illegal components") from None


def _directory(node: _Node) -> Method:
    """Describe the listing of an inner node."""
    entries = [{"subdir": name} for name in sorted(node.children)]

    def list_subdirectories(call: Call[object]) -> list[dict[str, str]]:
        """List what is below this path."""
        return entries

    return Method(
        http_method="GET",
        path="/",
        permission=ANYBODY,
        parameters=(),
        handler=list_subdirectories,
        description="List what is below this path.",
    )
