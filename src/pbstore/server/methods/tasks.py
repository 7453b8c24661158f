"""Tasks of the node: list, status, log, stop (rest-api.md 8)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from pbstore._core import FileBody
from pbstore.api.method import Call, RawReply, Reply, method
from pbstore.api.permission import ANYBODY, known_caller
from pbstore.api.result import Content, Result, always, perhaps
from pbstore.api.schema import Boolean, Enum, Integer, ListOf, Parameter, String
from pbstore.errors import FormatError
from pbstore.model import upid as upid_form
from pbstore.model.upid import Upid
from pbstore.server.parameters import STORE
from pbstore.server.registry import Registry
from pbstore.server.task_access import SEE, STOP, may_see
from pbstore.server.task_results import LOG_LINES, TASK_STATUS, TASKS
from pbstore.tasks.task_filter import STATUS_KINDS, TaskFilter
from pbstore.tasks.task_log import UNKNOWN, TaskEnd, log_path, read_log

NODE = Parameter(name="node", schema=String(description="Name of the node.", pattern=upid_form.NODE.pattern))
UPID = Parameter(
    name="upid",
    schema=String(
        description="Id of a task.",
        pattern=upid_form.PATTERN.pattern,
        minimum_length=upid_form.MIN_LENGTH,
        maximum_length=upid_form.MAX_LENGTH,
        convert=Upid.parse,
    ),
)
DEFAULT_LIMIT = 50


def _number(name: str, description: str) -> Parameter:
    return Parameter(name=name, schema=Integer(description=description), optional=True)


def _text(name: str, description: str) -> Parameter:
    return Parameter(name=name, schema=String(description=description), optional=True)


def _flag(name: str, description: str) -> Parameter:
    return Parameter(name=name, schema=Boolean(description=description), optional=True, default=False)


TOTAL = always("total", Integer(description="how many there are, as far as was looked"))
LOG = Result(
    data=LOG_LINES,
    beside=(
        always("success", Integer(description="1")),
        always("total", Integer(description="lines of the whole log")),
        perhaps("active", Boolean(description="whether the task runs")),
    ),
    instead=Content(description="the whole log", media_type="text/plain"),
)
START = _number("start", "How many to leave out.")
LIMIT = _number("limit", f"How many to list, {DEFAULT_LIMIT} by default; 0 for all.")
ONLY_STORE = Parameter(name="store", schema=STORE.schema, optional=True)
STATUS_FILTER = Parameter(
    name="statusfilter",
    schema=ListOf(description="How the tasks ended.", item=Enum(description="How a task ended.", values=STATUS_KINDS)),
    optional=True,
)


@method(
    "GET",
    "/nodes/{node}/tasks",
    permission=ANYBODY,
    parameters=(
        NODE,
        START,
        LIMIT,
        ONLY_STORE,
        _flag("running", "Only those that run."),
        _flag("errors", "Only those that failed."),
        _text("userfilter", "Part of the user's name."),
        _number("since", "Only those that began then or later, seconds since 1970."),
        _number("until", "Only those that began then or earlier, seconds since 1970."),
        _text("typefilter", "Part of the type's name."),
        STATUS_FILTER,
    ),
    result=Result(data=TASKS, beside=(TOTAL,)),
)
def list_tasks(
    call: Call[Registry],
    *,
    node: str,
    start: int | None,
    limit: int | None,
    store: str | None,
    running: bool,
    errors: bool,
    userfilter: str | None,
    since: int | None,
    until: int | None,
    typefilter: str | None,
    statusfilter: list[str] | None,
) -> Reply:
    """List the tasks that the caller may look at, newest first."""
    wanted = TaskFilter(
        store=store,
        only_running=running,
        only_errors=errors,
        user=userfilter,
        worker_type=typefilter,
        since=since,
        until=until,
        status_kinds=frozenset(statusfilter or ()),
    )
    first, count = start or 0, DEFAULT_LIMIT if limit is None else limit
    items = list(islice(_matching(call, wanted), first, first + count if count else None))
    is_cut = bool(count) and len(items) == count
    return Reply(items, {"total": first + len(items) + is_cut})


def _matching(call: Call[Registry], wanted: TaskFilter) -> Iterator[dict[str, object]]:
    caller = known_caller(call.caller)
    for upid, end in call.state.tasks.index.newest():
        if wanted.only_running and end is not None:
            return
        if end is not None and wanted.ends_before(end):
            return
        if wanted.matches(upid, end) and may_see(call.rights, caller, upid):
            yield _list_item(upid, end)


def _list_item(upid: Upid, end: TaskEnd | None) -> dict[str, object]:
    item: dict[str, object] = {
        "upid": str(upid),
        "node": "localhost",
        "pid": upid.pid,
        "pstart": upid.process_start,
        "starttime": upid.start_time,
        "worker_type": upid.worker_type,
        "worker_id": upid.worker_id or None,
        "user": str(upid.auth_id),
    }
    return item if end is None else {**item, "endtime": end.end_time, "status": end.status}


@method("GET", "/nodes/{node}/tasks/{upid}/status", permission=SEE, parameters=(NODE, UPID), result=TASK_STATUS)
def status(call: Call[Registry], *, node: str, upid: Upid) -> dict[str, object]:
    """Whether a task runs, and how it ended."""
    index = call.state.tasks.index
    result: dict[str, object] = {
        "upid": str(upid),
        "node": upid.node,
        "pid": upid.pid,
        "pstart": upid.process_start,
        "starttime": upid.start_time,
        "type": upid.worker_type,
        "id": upid.worker_id or None,
        "user": str(upid.auth_id.user),
        "status": "running",
    }
    if upid.auth_id.token_name is not None:
        result["tokenid"] = upid.auth_id.token_name
    if index.is_running(upid):
        return result
    end = index.end(upid)
    result |= {"status": "stopped", "exitstatus": UNKNOWN if end is None else end.status}
    return result if end is None else {**result, "endtime": end.end_time}


@method(
    "GET",
    "/nodes/{node}/tasks/{upid}/log",
    permission=SEE,
    parameters=(
        NODE,
        UPID,
        _number("start", "First line, counted from 1."),
        _number("limit", f"How many lines, {DEFAULT_LIMIT} by default; 0 for all."),
        Parameter(name="test-status", schema=Boolean(description="Tell whether the task runs, too."), optional=True),
        _flag("download", "Answer with the whole log as a file."),
    ),
    result=LOG,
)
def log(
    call: Call[Registry],
    *,
    node: str,
    upid: Upid,
    start: int | None,
    limit: int | None,
    test_status: bool | None,
    download: bool,
) -> RawReply:
    """Lines of the log of a task."""
    index = call.state.tasks.index
    path = log_path(index.tasks_dir, upid)
    if download:
        if (start, limit, test_status) != (None, None, None):
            raise FormatError("parameter 'download' cannot be combined with start, limit or test-status")
        return RawReply(FileBody(path), _download_headers(upid))
    first, count = start or 1, DEFAULT_LIMIT if limit is None else limit
    is_active = index.is_running(upid)  # before reading: a task that ended by then has its last line in what is read
    total, lines = read_log(path, first - 1, count or None)
    result: dict[str, object] = {
        "data": [{"n": number, "t": line} for number, line in enumerate(lines, start=first)],
        "success": 1,
        "total": total,
    }
    if test_status:
        result["active"] = is_active
    body = json.dumps(result, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
    return RawReply(body, (("content-type", "application/json"),))


def _download_headers(upid: Upid) -> tuple[tuple[str, str], ...]:
    began = datetime.fromtimestamp(upid.start_time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = f"task-{upid.node}-{upid.worker_type}-{began}.log"
    return ("content-type", "text/plain"), ("content-disposition", f"attachment; filename={name}")


@method("DELETE", "/nodes/{node}/tasks/{upid}", permission=STOP, parameters=(NODE, UPID))
def stop(call: Call[Registry], *, node: str, upid: Upid) -> None:
    """Ask a task to stop; one that has ended is left alone."""
    call.state.tasks.abort(upid)


METHODS = (list_tasks, status, log, stop)
