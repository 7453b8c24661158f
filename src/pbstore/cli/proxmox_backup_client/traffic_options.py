"""Options that limit how fast a transfer may be."""

from pbstore import _core
from pbstore.api.schema import Parameter, String
from pbstore.cli.console import Console
from pbstore.errors import PbstoreError
from pbstore.model.byte_size import parse_byte_size

_UNITS = "with optional unit (B, KB (base 10), MB, GB, ..., KiB (base 2), MiB, GiB, ...)."

TRAFFIC = (
    Parameter(
        name="rate",
        schema=String(
            description=f"Rate limit (for Token bucket filter) in bytes/s {_UNITS} Holds for each direction, over all "
            "connections of the command.",
            convert=parse_byte_size,
        ),
        optional=True,
    ),
    Parameter(
        name="burst",
        schema=String(
            description=f"Size of the token bucket (for Token bucket filter) in bytes {_UNITS} Default: what the rate "
            "lets pass in a second.",
            convert=parse_byte_size,
        ),
        optional=True,
    ),
)


def traffic_limit(console: Console, rate: int | None, burst: int | None) -> _core.TrafficLimit | None:
    """The limit for all connections of the command, if one is wanted.

    Raises:
        PbstoreError: a rate that lets nothing pass.
    """
    if rate is None:
        if burst is not None:
            console.warn("warning: --burst has no effect without --rate")
        return None
    if rate == 0:
        raise PbstoreError("--rate is 0: nothing could pass")
    return _core.TrafficLimit(rate_in=rate, burst_in=burst, rate_out=rate, burst_out=burst)
