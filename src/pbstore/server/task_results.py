"""What calls answer about tasks (rest-api.md 8)."""

from pbstore.api.result import Items, Object, Text, always, or_null, perhaps
from pbstore.api.schema import Enum, Integer, String
from pbstore.model import upid

TASK_ID = String(
    description="id of the task",
    pattern=upid.PATTERN.pattern,
    minimum_length=upid.MIN_LENGTH,
    maximum_length=upid.MAX_LENGTH,
)
_NODE = Text(description="name of the node")
_WORKER_ID = or_null(Text(description="what it works on"))
_FACTS = (
    always("upid", TASK_ID),
    always("node", _NODE),
    always("pid", Integer(description="process id")),
    always("pstart", Integer(description="start of the process, in clock ticks since the system started")),
    always("starttime", Integer(description="when it began, seconds since 1970")),
)
_END_TIME = Integer(description="when it ended, seconds since 1970")
_END = Text(description="OK, WARNINGS: <count>, unknown, or the error")
TASKS = Items(
    description="tasks, the newest first",
    item=Object(
        description="a task",
        properties=(
            *_FACTS,
            always("worker_type", Text(description="type of the work")),
            always("worker_id", _WORKER_ID),
            always("user", Text(description="user or API token that started it")),
            perhaps("endtime", _END_TIME),
            perhaps("status", _END),
        ),
    ),
)
TASK_STATUS = Object(
    description="a task",
    properties=(
        *_FACTS,
        always("type", Text(description="type of the work")),
        always("id", _WORKER_ID),
        always("user", Text(description="user that started it")),
        perhaps("tokenid", Text(description="name of the user's API token that started it")),
        always("status", Enum(description="whether it runs", values=("running", "stopped"))),
        perhaps("exitstatus", _END),
        perhaps("endtime", _END_TIME),
    ),
)
LOG_LINES = Items(
    description="lines of the log",
    item=Object(
        description="a line",
        properties=(
            always("n", Integer(description="number of the line, the first is 1")),
            always("t", Text(description="the line")),
        ),
    ),
)
