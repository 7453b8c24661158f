"""What can be said about a datastore when it is made or changed, in calls and on command lines (rest-api.md 4.1)."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from pbstore.api.schema import Boolean, Enum, ListOf, Parameter, Schema, String
from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.config.maintenance_mode import MaintenanceMode
from pbstore.config.property_string import parse_property_string
from pbstore.config.section_schema import Value
from pbstore.config.tuning import Tuning
from pbstore.datastore.reconfiguration import check_kind
from pbstore.datastore.setup import NewDatastore
from pbstore.errors import FormatError
from pbstore.model.auth_id import UserId
from pbstore.model.calendar_event import CalendarEvent
from pbstore.model.names import SAFE_ID
from pbstore.server.retention_options import KEEP

_LINE = r"[^\x00-\x1f\x7f]*"
_NOTIFY_KEYS = ("gc", "verify", "sync", "prune")
_NOTIFY_VALUES = ("always", "error", "never")
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

NAME = Parameter(
    name="name",
    schema=String(description="Datastore name.", pattern=SAFE_ID.pattern, minimum_length=3, maximum_length=32),
)
PATH = Parameter(
    name="path", schema=String(description="Absolute path of the datastore directory.", minimum_length=1, pattern=_LINE)
)


def _checked(check: Callable[[str], object]) -> Callable[[str], str]:
    """Keep the text as it was given, if it can be read."""

    def convert(text: str) -> str:
        check(text)
        return text

    return convert


def _check_notify(text: str) -> None:
    for key, value in parse_property_string(text).items():
        if key not in _NOTIFY_KEYS or value not in _NOTIFY_VALUES:
            raise FormatError(
                f"expected a list of <{'|'.join(_NOTIFY_KEYS)}>=<{'|'.join(_NOTIFY_VALUES)}>, not '{key}={value}'"
            )


def _option(name: str, schema: Schema) -> Parameter:
    return Parameter(name=name, schema=schema, optional=True)


_SCHEDULE = _checked(CalendarEvent.parse)
UPDATABLE = (
    _option("comment", String(description="Comment.", pattern=_LINE, maximum_length=128)),
    _option("gc-schedule", String(description="Run garbage collection at this calendar event.", convert=_SCHEDULE)),
    _option("verify-new", Boolean(description="Verify new backups as soon as they are finished.")),
    _option("notify-user", String(description="User who gets notifications.", convert=_checked(UserId.parse))),
    _option(
        "notify",
        String(description="When to notify, like gc=error,verify=always.", convert=_checked(_check_notify)),
    ),
    _option(
        "notification-mode",
        Enum(description="How notifications are sent.", values=("legacy-sendmail", "notification-system")),
    ),
    _option(
        "tuning",
        String(description="Tuning options, like sync-level=file,chunk-order=none.", convert=_checked(Tuning.parse)),
    ),
    _option(
        "maintenance-mode",
        String(
            description='Maintenance mode, like read-only or type=offline,message="new disk".',
            convert=lambda text: str(MaintenanceMode.parse(text)),
        ),
    ),
)
RETENTION = (
    _option("prune-schedule", String(description="Run a prune job at this calendar event.", convert=_SCHEDULE)),
    *KEEP,
)
FOR_OTHER_KINDS = (
    _option("backing-device", String(description="UUID of the file system of a removable datastore.", pattern=_UUID)),
    _option("backend", String(description="Where chunks are kept: type=filesystem, or object storage.")),
    _option("gc-on-unmount", Boolean(description="Collect garbage before a removable datastore is unmounted.")),
    _option("notification-thresholds", String(description="Notify when object storage was used that much.")),
    _option(
        "counter-reset-schedule",
        String(description="Start counting the use of object storage anew.", convert=_SCHEDULE),
    ),
)
REUSE = Parameter(
    name="reuse-datastore",
    schema=Boolean(description="Take a directory over that is a datastore already, as it is."),
    optional=True,
    default=False,
)
OVERWRITE_IN_USE = Parameter(
    name="overwrite-in-use",
    schema=Boolean(description="Take object storage over that another datastore uses."),
    optional=True,
    default=False,
)
KEEP_JOB_CONFIGS = Parameter(
    name="keep-job-configs",
    schema=Boolean(description="Keep the jobs and access rights of the datastore."),
    optional=True,
    default=False,
)
DESTROY_DATA = Parameter(
    name="destroy-data",
    schema=Boolean(description="Remove all backups and chunks, too: they cannot be restored any more."),
    optional=True,
    default=False,
)
DELETABLE = tuple(
    parameter.name
    for parameter in (*UPDATABLE, *RETENTION, *FOR_OTHER_KINDS)
    if parameter.name not in ("backing-device", "backend")
)
DELETE = Parameter(
    name="delete",
    schema=ListOf(description="Properties to remove.", item=Enum(description="name of a property", values=DELETABLE)),
    optional=True,
)
CREATE = (NAME, PATH, *UPDATABLE, *RETENTION, *FOR_OTHER_KINDS, REUSE, OVERWRITE_IN_USE)
CHANGE = tuple(
    parameter
    for parameter in (*UPDATABLE, *RETENTION, *FOR_OTHER_KINDS)
    if parameter.name not in ("backing-device", "backend")
)


def new_datastore(values: Mapping[str, Any]) -> NewDatastore:
    """Return the datastore that the arguments of `CREATE` describe.

    Raises:
        ParameterError: a value that this kind of datastore has no use for.
    """
    named = _wire_values(values)
    name, schedule = str(named.pop("name")), named.pop("prune-schedule", None)
    keep = {key: named.pop(key) for key in [key for key in named if key.startswith("keep-")]}
    reuse = bool(named.pop(REUSE.name, False))
    named.pop(OVERWRITE_IN_USE.name, None)
    config = DatastoreConfig(name, named)
    check_kind(config, named)
    return NewDatastore(config, reuse, None if schedule is None else str(schedule), keep)


def changed_values(values: Mapping[str, Any], delete: Collection[str]) -> tuple[dict[str, Value], set[str]]:
    """Return what the arguments of `CHANGE` set, and the keys to take out: a blank comment is one of those."""
    named = _wire_values(values)
    return named, {*delete, *(("comment",) if values.get("comment") == "" else ())}


def _wire_values(values: Mapping[str, Any]) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return {name: value for name, value in named.items() if value is not None and value != ""}
