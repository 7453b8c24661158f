"""Every method of the server; what is not listed here is not there."""

from pbstore.api.route_table import RouteTable
from pbstore.server.methods import (
    access,
    acl,
    api_tokens,
    archives,
    content,
    datastore_config,
    datastores,
    downloads,
    moves,
    namespaces,
    node_identity,
    nodes,
    notes,
    passwords,
    prune,
    realms,
    sessions,
    tasks,
    users,
    verify,
    version,
)

ROUTES = RouteTable(
    (
        *version.METHODS,
        *access.METHODS,
        *users.METHODS,
        *api_tokens.METHODS,
        *acl.METHODS,
        *realms.METHODS,
        *passwords.METHODS,
        *datastore_config.METHODS,
        *datastores.METHODS,
        *content.METHODS,
        *downloads.METHODS,
        *archives.METHODS,
        *notes.METHODS,
        *namespaces.METHODS,
        *moves.METHODS,
        *prune.METHODS,
        *verify.METHODS,
        *nodes.METHODS,
        *tasks.METHODS,
        *sessions.METHODS,
        *node_identity.METHODS,
    )
)
