"""Version and ping: what a caller asks first (rest-api.md 2)."""

from pbstore import __version__
from pbstore.api.method import Call, method
from pbstore.api.permission import ANYBODY, WORLD
from pbstore.api.result import Object, Text, always
from pbstore.api.schema import Boolean
from pbstore.server.registry import Registry

COMPATIBLE_VERSION = "4.2"
COMPATIBLE_RELEASE = "3"
VERSION = Object(
    description="the release",
    properties=(
        always("version", Text(description="release whose protocols are spoken")),
        always("release", Text(description="its minor release")),
        always("repoid", Text(description="this program and its own version")),
    ),
)
PONG = Object(description="an answer", properties=(always("pong", Boolean(description="true")),))


@method("GET", "/version", permission=ANYBODY, result=VERSION)
def version(call: Call[Registry]) -> dict[str, str]:
    """The release whose protocols this server speaks; its own version is the repoid."""
    return {"version": COMPATIBLE_VERSION, "release": COMPATIBLE_RELEASE, "repoid": f"pbstore-{__version__}"}


@method("GET", "/ping", permission=WORLD, result=PONG)
def ping(call: Call[Registry]) -> dict[str, bool]:
    """An answer that shows the server is alive."""
    return {"pong": True}


METHODS = (version, ping)
