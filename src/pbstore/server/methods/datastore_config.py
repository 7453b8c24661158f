"""The configuration of datastores (rest-api.md 4.1)."""

from typing import Any

from pbstore.access.privileges import DATASTORE_ALLOCATE, DATASTORE_AUDIT, DATASTORE_MODIFY
from pbstore.api.method import Call, Reply, method
from pbstore.api.permission import ANYBODY, Privilege, known_caller
from pbstore.api.result import Items, Result
from pbstore.config.config_file import check_digest
from pbstore.config.datastore_cfg import DatastoreConfig
from pbstore.datastore.reconfiguration import Reconfiguration
from pbstore.datastore.teardown import Teardown
from pbstore.errors import NotFoundError
from pbstore.server.datastore_parameters import (
    CHANGE,
    CREATE,
    DELETE,
    DESTROY_DATA,
    KEEP_JOB_CONFIGS,
    NAME,
    changed_values,
    new_datastore,
)
from pbstore.server.datastore_results import CONFIG
from pbstore.server.parameters import DIGEST, DIGEST_BESIDE
from pbstore.server.registry import Registry
from pbstore.server.task_results import TASK_ID


@method(
    "GET",
    "/config/datastore",
    permission=ANYBODY,
    result=Result(data=Items(description="configurations", item=CONFIG), beside=DIGEST_BESIDE),
)
def list_configs(call: Call[Registry]) -> Reply:
    """List the configurations that the caller may see."""
    cfg, rights, caller = call.state.datastore_cfg, call.state.rights, known_caller(call.caller)
    visible = (
        config
        for name, config in cfg.datastores.items()
        if DATASTORE_AUDIT in rights.privileges(caller, f"/datastore/{name}")
    )
    return Reply([_item(config) for config in visible], {"digest": cfg.digest})


@method(
    "POST",
    "/config/datastore",
    permission=Privilege("/datastore", (DATASTORE_ALLOCATE,)),
    parameters=CREATE,
    result=TASK_ID,
)
def create(call: Call[Registry], **values: Any) -> str:
    """Make a datastore; the answer is the id of the task."""
    registry, new = call.state, new_datastore(values)
    new.check(registry.datastore_cfg)
    now = int(registry.clock())
    task = registry.tasks.start(
        "create-datastore",
        new.config.name,
        known_caller(call.caller),
        lambda task: new.set_up(registry.roots, now, task.log),
    )
    return str(task.upid)


@method(
    "GET",
    "/config/datastore/{name}",
    permission=Privilege("/datastore/{name}", (DATASTORE_AUDIT,)),
    parameters=(NAME,),
    result=Result(data=CONFIG, beside=DIGEST_BESIDE),
)
def show(call: Call[Registry], *, name: str) -> Reply:
    """The configuration of a datastore."""
    cfg = call.state.datastore_cfg
    return Reply(_item(cfg.get(name)), {"digest": cfg.digest})


@method(
    "PUT",
    "/config/datastore/{name}",
    permission=Privilege("/datastore/{name}", (DATASTORE_MODIFY,)),
    parameters=(NAME, *CHANGE, DELETE, DIGEST),
)
def update(call: Call[Registry], *, name: str, delete: list[str] | None, digest: str | None, **values: Any) -> None:
    """Change what was given, take out what is to be deleted."""
    change = Reconfiguration(*changed_values(values, delete or ()))
    change.apply(call.state.roots, name, digest=digest, now=int(call.state.clock()))


@method(
    "DELETE",
    "/config/datastore/{name}",
    permission=Privilege("/datastore/{name}", (DATASTORE_ALLOCATE,)),
    parameters=(NAME, KEEP_JOB_CONFIGS, DESTROY_DATA, DIGEST),
    result=TASK_ID,
)
def remove(call: Call[Registry], *, name: str, keep_job_configs: bool, destroy_data: bool, digest: str | None) -> str:
    """Take a datastore out of the configuration, on request with its data; the answer is the id of the task."""
    registry, cfg = call.state, call.state.datastore_cfg
    if name not in cfg.datastores:
        raise NotFoundError(f"no such datastore '{name}'")
    check_digest(digest, cfg.digest)
    teardown = Teardown(registry.roots, name, keep_job_configs)
    task = registry.tasks.start(
        "delete-datastore",
        name,
        known_caller(call.caller),
        lambda task: (
            teardown.destroy(registry.datastores.taken_out, task.log) if destroy_data else teardown.forget(task.log)
        ),
    )
    return str(task.upid)


def _item(config: DatastoreConfig) -> dict[str, object]:
    return {"name": config.name, **config.values}


METHODS = (list_configs, create, show, update, remove)
