"""Description of an API method: all that REST, documentation and command lines need to know about it.

A description without a permission, or with a path variable that is no parameter, is refused when its module is
imported: such a server does not start.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pbstore.api.permission import Permission, Rights
from pbstore.api.result import Nothing, Result
from pbstore.api.schema import Parameter, Shape
from pbstore.model.auth_id import AuthId

HTTP_METHODS = ("GET", "PUT", "POST", "DELETE")
NOTHING = Nothing()
StateT = TypeVar("StateT")


@dataclass(frozen=True, kw_only=True)
class Call(Generic[StateT]):
    """One call on its way to a handler: who, from where, and the program's own state."""

    state: StateT
    rights: Rights
    caller: AuthId | None
    peer: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """A result with extra top-level keys beside `data`, such as `digest` or `total` (protocol-transport.md 3.2)."""

    data: object
    attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class RawReply:
    """A result that no envelope goes around; `body` is bytes or a stream handle of the front."""

    body: object
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/octet-stream"),)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method. The handler gets a `Call` and every parameter as keyword argument.

    `raw_body` methods take all parameters from the query; their body goes to the handler as it is, at most
    `raw_body` bytes of it. `result` is what documents say of the answer; a test holds the handler to it.
    """

    http_method: str
    path: str
    permission: Permission
    parameters: tuple[Parameter, ...]
    handler: Callable[..., object]
    description: str
    result: Result
    raw_body: int | None = None

    def __post_init__(self) -> None:
        name = f"{self.http_method} {self.path}"
        if self.http_method not in HTTP_METHODS:
            raise TypeError(f"{name}: unknown HTTP method")
        if not isinstance(self.permission, Permission):
            raise TypeError(f"{name}: declares no permission")
        if not self.description:
            raise TypeError(f"{name}: has no description")
        names = {parameter.name for parameter in self.parameters}
        missing = (set(self.path_variables) | self.permission.variables) - names
        if missing:
            raise TypeError(f"{name}: no parameter for {', '.join(sorted(missing))}")

    @property
    def path_variables(self) -> tuple[str, ...]:
        """Wire names of the parameters that stand in the path."""
        return tuple(re.findall(r"\{([a-z-]+)\}", self.path))

    def invoke(self, call: Call[Any], values: Mapping[str, Any]) -> object:
        """Check the permission, then run the handler.

        Raises:
            PbstoreError: the permission is missing, or whatever the handler raises.
        """
        self.permission.check(call.rights, call.caller, values)
        return self.handler(call, **values)


def method(
    http_method: str,
    path: str,
    *,
    permission: Permission,
    parameters: tuple[Parameter, ...] = (),
    result: Result | Shape = NOTHING,
    raw_body: int | None = None,
) -> Callable[[Callable[..., object]], Method]:
    """Turn a handler into a `Method`; the first line of its docstring is the description.

    A `result` that is only a shape is that of `data`.
    """

    def describe(handler: Callable[..., object]) -> Method:
        return Method(
            http_method=http_method,
            path=path,
            permission=permission,
            parameters=parameters,
            handler=handler,
            description=(handler.__doc__ or "").strip().partition("\n")[0],
            result=result if isinstance(result, Result) else Result(data=result),
            raw_body=raw_body,
        )

    return describe
