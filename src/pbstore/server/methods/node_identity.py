"""Which server this is (version-4.md 13.2)."""

from pbstore.api.method import Call, method
from pbstore.api.permission import ANYBODY
from pbstore.api.result import Object, Text, always
from pbstore.config.instance_id import instance_id
from pbstore.server.methods.tasks import NODE
from pbstore.server.registry import Registry

IDENTITY = Object(
    description="identity of the server", properties=(always("pbs-instance-id", Text(description="32 hex digits")),)
)


@method("GET", "/nodes/{node}/identity", permission=ANYBODY, parameters=(NODE,), result=IDENTITY)
def identity(call: Call[Registry], *, node: str) -> dict[str, str]:
    """An id that stays when the address changes."""
    return {"pbs-instance-id": instance_id(call.state.roots)}


METHODS = (identity,)
