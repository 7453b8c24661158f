"""Values that fit the parameters of any route, so that each can be called without knowing what it does."""

from collections.abc import Iterator
from urllib.parse import quote

from pbstore.api.method import Method
from pbstore.api.schema import Boolean, Enum, Integer, ListOf, Parameter, Schema, String
from pbstore.errors import FormatError

KNOWN = {
    "store": "main",
    "backup-id": "elsa",
    "backup-time": "1780300800",
    "file-name": "index.json.blob",
    "username": "ghost@pbs",
    "userid": "ghost@pbs",
    "auth-id": "ghost@pbs",
    "password": "wrong-password",
    "node": "localhost",
    "upid": "UPID:pbs1:00000001:00000001:00000001:6B000000:garbage_collection:main:root@pam:",
    "path": "/proc/nowhere",
}
"""Where the meaning matters; `path` is one where nothing can be made."""
CANDIDATES = ("main", "text", "a", "host", "1", "ghost@pbs", "/", "daily", "00" * 32, ":".join(["00"] * 32), "x" * 20)


def fitting(parameter: Parameter) -> str:
    """Text that the parameter takes.

    Raises:
        AssertionError: none is known here; the name belongs into KNOWN.
    """
    for text in _proposals(parameter.name, parameter.schema):
        try:
            parameter.schema.parse(text)
        except FormatError:
            continue
        return text
    raise AssertionError(f"no value fits parameter '{parameter.name}': add one to KNOWN")


def _proposals(name: str, schema: Schema) -> Iterator[str]:
    if name in KNOWN:
        yield KNOWN[name]
    match schema:
        case Enum():
            yield schema.values[0]
        case Boolean():
            yield "0"
        case Integer():
            yield str(max(schema.minimum, min(1, schema.maximum)))
        case ListOf():
            yield from _proposals(name, schema.item)
        case String():
            yield from CANDIDATES


def path_and_parameters(method: Method) -> tuple[str, dict[str, str]]:
    """The path of a route with its variables filled in, and the other parameters that it must have."""
    values = {parameter.name: fitting(parameter) for parameter in method.parameters if not parameter.optional}
    path = method.path
    for variable in method.path_variables:
        path = path.replace(f"{{{variable}}}", quote(values[variable], safe=""))
    return path, {name: value for name, value in values.items() if name not in method.path_variables}


def python_values(method: Method) -> dict[str, object]:
    """The same values as a handler and a permission get them, optional ones with their default."""
    return {
        parameter.python_name: parameter.default if parameter.optional else parameter.schema.parse(fitting(parameter))
        for parameter in method.parameters
    }
