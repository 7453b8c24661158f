"""From HTTP method and path to a method description; inner nodes of the tree list what is below them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from pbstore.api.method import Call, Method
from pbstore.api.permission import ANYBODY
from pbstore.api.result import Items, Object, Result, Text, always
from pbstore.api.schema import Parameter
from pbstore.errors import FormatError, NotFoundError

SUBDIRECTORIES = Result(
    data=Items(
        description="what is below",
        item=Object(description="an entry", properties=(always("subdir", Text(description="its name")),)),
    )
)


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
        self.directories = tuple(_add_directories(self._root, "", self._variables()))

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
        if method is None:
            raise NotFoundError(f"Path '{full_path or path}' not found.")
        return Match(method, {name: values[name] for name in method.path_variables})

    def _variables(self) -> dict[str, Parameter]:
        """What the variables of paths are, by name."""
        return {
            parameter.name: parameter
            for method in self._methods
            for parameter in method.parameters
            if parameter.name in method.path_variables
        }

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


def _add_directories(node: _Node, path: str, variables: Mapping[str, Parameter]) -> Iterator[Method]:
    """Let every node that has something below it and no method GET of its own list that."""
    if node.children and "GET" not in node.methods:
        node.methods["GET"] = _directory(node, path or "/", variables)
        yield node.methods["GET"]
    for name, child in node.children.items():
        yield from _add_directories(child, f"{path}/{name}", variables)
    if node.variable_child is not None:
        yield from _add_directories(node.variable_child, f"{path}/{{{node.variable}}}", variables)


def _directory(node: _Node, path: str, variables: Mapping[str, Parameter]) -> Method:
    entries = [{"subdir": name} for name in sorted(node.children)]

    def list_subdirectories(call: Call[object], **_variables: object) -> list[dict[str, str]]:
        return entries

    return Method(
        http_method="GET",
        path=path,
        permission=ANYBODY,
        parameters=_in_path(path, variables),
        handler=list_subdirectories,
        description="List what is below this path.",
        result=SUBDIRECTORIES,
    )


def _in_path(path: str, variables: Mapping[str, Parameter]) -> tuple[Parameter, ...]:
    names = (part.strip("{}") for part in path.split("/") if part.startswith("{"))
    return tuple(variables[name] for name in names)
