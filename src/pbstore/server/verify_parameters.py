"""Options of verification that calls and command lines share (rest-api.md 5)."""

from pbstore.api.schema import Boolean, Integer, Parameter

MAX_THREADS = 32


def _threads(name: str, description: str) -> Parameter:
    schema = Integer(description=description, minimum=1, maximum=MAX_THREADS)
    return Parameter(name=name, schema=schema, optional=True)


IGNORE_VERIFIED = Parameter(
    name="ignore-verified",
    schema=Boolean(description="Leave out snapshots that were verified, unless that is outdated."),
    optional=True,
    default=True,
)
OUTDATED_AFTER = Parameter(
    name="outdated-after",
    schema=Integer(description="Days after which a verification is outdated; without, it never is."),
    optional=True,
)
READ_THREADS = _threads("read-threads", "Chunks read at the same time.")
VERIFY_THREADS = _threads("verify-threads", "Chunks checked at the same time.")
FILTER = (IGNORE_VERIFIED, OUTDATED_AFTER)
THREADS = (READ_THREADS, VERIFY_THREADS)
