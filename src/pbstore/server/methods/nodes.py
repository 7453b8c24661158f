"""The nodes there are: this one (rest-api.md 8)."""

from pbstore.api.method import Call, method
from pbstore.api.permission import SUPERUSER
from pbstore.api.result import Items, Object, Text, always
from pbstore.config.host_name import node_name
from pbstore.server.registry import Registry

NODES = Items(
    description="nodes",
    item=Object(description="a node", properties=(always("node", Text(description="its name")),)),
)


@method("GET", "/nodes", permission=SUPERUSER, result=NODES)
def list_nodes(call: Call[Registry]) -> list[dict[str, str]]:
    """List the nodes, of which there is one."""
    return [{"node": node_name()}]


METHODS = (list_nodes,)
