"""Jobs that belong to a datastore: they come and go with it, whatever else serves their files (version-4.md 5.3)."""

import uuid
from collections.abc import Mapping

from pbstore.config.config_file import ConfigFile
from pbstore.config.file_kind import FileKind
from pbstore.config.job_state import forget_job
from pbstore.config.roots import Roots
from pbstore.config.section_config import Section, SectionFile

_PRUNE_FILE = "prune.cfg"
_JOB_TYPES = {
    _PRUNE_FILE: "prunejob",
    "sync.cfg": "syncjob",
    "verification.cfg": "verificationjob",
    "tape-job.cfg": "tape-backup-job",
}
_MAX_ID_LENGTH = 32


def add_default_prune_job(roots: Roots, store: str, schedule: str, keep: Mapping[str, int]) -> str | None:
    """Add a prune job for a new store and return its id; without `keep` options only if the store has no prune job.

    `keep` is by wire key, like `keep-daily`.

    Raises:
        ConfigError: the file cannot be used.
        LockedError: somebody else changes it.
    """
    config = _config_file(roots, _PRUNE_FILE)
    with config.locked():
        file = SectionFile.parse(config.read(), config.path)
        if not keep and any(_belongs_to(section, store) for section in file.sections):
            return None
        job_id = f"default-{store}-{uuid.uuid4()}"[:_MAX_ID_LENGTH]
        properties = {"schedule": schedule, "store": store, **{key: str(count) for key, count in keep.items()}}
        file.put("prune", job_id, properties.items())
        config.replace(file.render())
    return job_id


def remove_store_jobs(roots: Roots, store: str) -> list[str]:
    """Remove the jobs of a store, and sync jobs that read from it, with their state; return `<type> '<id>'` of each.

    Raises:
        ConfigError: a file cannot be used.
        LockedError: somebody else changes it.
    """
    removed = []
    for name, job_type in _JOB_TYPES.items():
        config = _config_file(roots, name)
        if not config.path.exists():
            continue
        with config.locked():
            file = SectionFile.parse(config.read(), config.path)
            job_ids = [section.section_id for section in file.sections if _belongs_to(section, store)]
            for job_id in job_ids:
                file.remove(job_id)
            if job_ids:
                config.replace(file.render())
        for job_id in job_ids:
            forget_job(roots, job_type, job_id)
            removed.append(f"{job_type} '{job_id}'")
    return removed


def _belongs_to(section: Section, store: str) -> bool:
    is_local_source = section.get("remote") is None and section.get("remote-store") == store
    return section.get("store") == store or is_local_source


def _config_file(roots: Roots, name: str) -> ConfigFile:
    return ConfigFile(roots.config_dir / name, FileKind.CONFIG)
