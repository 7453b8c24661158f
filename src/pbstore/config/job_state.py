"""What is remembered of a scheduled job between its runs (config-files.md 7)."""

import json
from pathlib import Path

from pbstore.config.atomic_file import replace_file
from pbstore.config.file_kind import service_owner
from pbstore.config.make_directory import make_directory
from pbstore.config.roots import Roots

GARBAGE_COLLECTION = "garbage_collection"
_MODE = 0o644
_MAX_BYTES = 1 << 16


def start_job_anew(roots: Roots, job_type: str, job_id: str, now: int) -> None:
    """Note that a job was made, or got another schedule, just now: an old last run does not start it at once.

    What the last run came to is kept. A file that cannot be read counts as none.

    Raises:
        OSError: it cannot be written.
    """
    path = roots.state_dir / "jobstates" / f"{job_type}-{job_id}.json"
    make_directory(path.parent, owner=service_owner())
    state = _finished(path)
    state = {"created": {"time": now}} if state is None else {"finished": {**state, "updated": now}}
    content = json.dumps(state, separators=(",", ":")).encode()
    replace_file(path, content, mode=_MODE, owner=service_owner())


def _finished(path: Path) -> dict[str, object] | None:
    try:
        with path.open("rb") as file:
            finished = json.loads(file.read(_MAX_BYTES))["finished"]
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        return None
    return finished if isinstance(finished, dict) else None


def forget_job(roots: Roots, job_type: str, job_id: str) -> None:
    """Remove what is remembered of a job that is gone."""
    for suffix in ("json", "lck"):
        (roots.state_dir / "jobstates" / f"{job_type}-{job_id}.{suffix}").unlink(missing_ok=True)
