"""Long work that the manager does itself: printed as it goes on, and kept in the list of tasks like any other."""

from collections.abc import Callable

from pbstore.cli.console import Console
from pbstore.cli.printable import printable
from pbstore.config.host_name import node_name
from pbstore.config.roots import Roots
from pbstore.errors import PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.tasks.task_registry import Tasks
from pbstore.tasks.worker_task import WorkerTask

ACTING_AS = AuthId.parse("root@pam")
Log = Callable[[str], None]


def run_own_task(console: Console, roots: Roots, worker_type: str, worker_id: str, work: Callable[[Log], None]) -> None:
    """Run `work`, which is given where to log its lines.

    Raises:
        PbstoreError: it failed; its message was printed as the last line of the log.
        LockedError, OSError: the task cannot be started.
    """

    def run(task: WorkerTask) -> None:
        def log(line: str) -> None:
            task.log(line)
            console.print(printable(line))

        work(log)

    try:
        Tasks(roots, node_name()).run(worker_type, worker_id, ACTING_AS, run)
    except PbstoreError as error:
        console.print(printable(f"TASK ERROR: {error}"))
        raise PbstoreError(f"task failed (status {error})") from error
    console.print("TASK OK")
