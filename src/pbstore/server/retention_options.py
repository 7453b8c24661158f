"""The options `keep-last` to `keep-yearly` and `dry-run` of calls and command lines (rest-api.md 1, KEEP)."""

from collections.abc import Mapping
from dataclasses import fields

from pbstore.api.schema import Boolean, Integer, Parameter
from pbstore.datastore.retention import Retention

_PREFIX = "keep-"
KEEP = tuple(
    Parameter(
        name=f"{_PREFIX}{field.name}",
        schema=Integer(description=f"Number of {field.name} backups to keep.", minimum=1),
        optional=True,
    )
    for field in fields(Retention)
)
DRY_RUN = Parameter(
    name="dry-run", schema=Boolean(description="Only show what would be removed."), optional=True, default=False
)


def retention_of(values: Mapping[str, int | None]) -> Retention:
    """Return what the arguments of a handler mean; the names are those of Python, like `keep_last`."""
    return Retention(**{field.name: values[f"keep_{field.name}"] for field in fields(Retention)})


def retention_text(retention: Retention) -> str:
    """Write it as options, for task logs: `--keep-last 1 --keep-daily 7`."""
    return " ".join(f"--{_PREFIX}{name} {count}" for name, count in retention.options)
