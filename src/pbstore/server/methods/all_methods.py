"""Every method of the server; what is not listed here is not there."""

from pbstore.api.route_table import RouteTable
from pbstore.server.methods import access, content, datastores, sessions, version

ROUTES = RouteTable((*version.METHODS, *access.METHODS, *datastores.METHODS, *content.METHODS, *sessions.METHODS))
