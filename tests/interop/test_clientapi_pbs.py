"""A client generated from the schema of release 4: it refuses answers that are not as the schema says.

`clientapi-pbs` is under the AGPL: these tests call it as a user would, nothing of it is shipped.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

import clientapi_pbs
import pytest
from pydantic import ValidationError

from interop.conftest import BACKUP_TIME, Site
from pbstore.server.methods.all_methods import ROUTES

pytestmark = pytest.mark.slow
GROUP = {"store": "main", "backup_type": "host", "backup_id": "elsa"}
SNAPSHOT = {**GROUP, "backup_time": BACKUP_TIME}
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "/version": ("VersionApi", "get_version", {}),
    "/ping": ("PingApi", "get_ping", {}),
    "/access/permissions": ("AccessApi", "get_permissions", {}),
    "/access/users": ("AccessUsersApi", "get_users", {"include_tokens": True}),
    "/access/users/{userid}": ("AccessUsersApi", "get_access_users_by_userid", {"userid": "admin@pbs"}),
    "/access/users/{userid}/token": ("AccessUsersApi", "get_token", {"userid": "admin@pbs"}),
    "/access/users/{userid}/token/{token-name}": (
        "AccessUsersApi",
        "get_access_users_by_userid_token_by_token_name",
        {"userid": "admin@pbs", "token_name": "test"},
    ),
    "/access/acl": ("AccessAclApi", "get_acl", {}),
    "/access/roles": ("AccessApi", "get_roles", {}),
    "/access/domains": ("AccessDomainsApi", "get_domains", {}),
    "/access/tfa": ("AccessTfaApi", "get_tfa", {}),
    "/access/tfa/{userid}": ("AccessTfaApi", "get_access_tfa_by_userid", {"userid": "admin@pbs"}),
    "/nodes/{node}/identity": ("NodesApi", "get_identity", {"node": "localhost"}),
    "/config/access/pam": ("ConfigAccessApi", "get_pam", {}),
    "/config/access/pbs": ("ConfigAccessApi", "get_pbs", {}),
    "/config/datastore": ("ConfigDatastoreApi", "get_datastore", {}),
    "/config/datastore/{name}": ("ConfigDatastoreApi", "get_config_datastore_by_name", {"name": "main"}),
    "/admin/datastore": ("AdminDatastoreApi", "get_datastore", {}),
    "/admin/datastore/{store}/status": ("AdminDatastoreApi", "get_status", {"store": "main", "verbose": True}),
    "/admin/datastore/{store}/active-operations": ("AdminDatastoreApi", "get_active_operations", {"store": "main"}),
    "/status/datastore-usage": ("StatusApi", "get_datastore_usage", {}),
    "/admin/datastore/{store}/groups": ("AdminDatastoreApi", "get_groups", {"store": "main"}),
    "/admin/datastore/{store}/snapshots": ("AdminDatastoreApi", "get_snapshots", {"store": "main"}),
    "/admin/datastore/{store}/files": ("AdminDatastoreApi", "get_files", SNAPSHOT),
    "/admin/datastore/{store}/download": (
        "AdminDatastoreApi",
        "get_download",
        {**SNAPSHOT, "file_name": "index.json.blob"},
    ),
    "/admin/datastore/{store}/download-decoded": (
        "AdminDatastoreApi",
        "get_download_decoded",
        {**SNAPSHOT, "file_name": "index.json.blob"},
    ),
    "/admin/datastore/{store}/notes": ("AdminDatastoreApi", "get_notes", SNAPSHOT),
    "/admin/datastore/{store}/group-notes": ("AdminDatastoreApi", "get_group_notes", GROUP),
    "/admin/datastore/{store}/protected": ("AdminDatastoreApi", "get_protected", SNAPSHOT),
    "/admin/datastore/{store}/namespace": ("AdminDatastoreApi", "get_namespace", {"store": "main"}),
    "/nodes/{node}/tasks": ("NodesTasksApi", "get_tasks", {"node": "localhost"}),
    "/nodes/{node}/tasks/{upid}/status": ("NodesTasksApi", "get_status", {"node": "localhost"}),
    "/nodes/{node}/tasks/{upid}/log": ("NodesTasksApi", "get_log", {"node": "localhost"}),
}
LISTINGS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "/": ("MiscApi", "get", {}),
    "/access": ("AccessApi", "get_access", {}),
    "/admin": ("AdminApi", "get_admin", {}),
    "/admin/datastore/{store}": ("AdminDatastoreApi", "get_admin_datastore_by_store", {"store": "main"}),
    "/config": ("ConfigApi", "get_config", {}),
    "/config/access": ("ConfigAccessApi", "get_access", {}),
    "/nodes/{node}": ("NodesApi", "get_nodes_by_node", {"node": "localhost"}),
    "/nodes/{node}/tasks/{upid}": ("NodesTasksApi", "get_nodes_by_node_tasks_by_upid", {"node": "localhost"}),
    "/status": ("StatusApi", "get_status", {}),
}
BINARY = {"/admin/datastore/{store}/download", "/admin/datastore/{store}/download-decoded"}
NOT_AS_ANSWERED = {"/status/datastore-usage": "history", "/admin/datastore/{store}/snapshots": "files"}
"""Members of which the schema says something else than the original 4.2.3 answers, whose answers are refused, too."""
NOT_CALLED = {
    "/backup",
    "/reader",
    "/nodes",
    "/access/tfa/{userid}/{id}",
    "/admin/datastore/{store}/catalog",
    "/admin/datastore/{store}/pxar-file-download",
}
"""Sessions, what only root@pam may call, and what needs a second factor or an archive."""


class _PosixPatterns:
    """Stands for `re` in the client, whose patterns have a class that Python does not know: none would match."""

    @staticmethod
    def match(pattern: str, text: str) -> re.Match[str] | None:
        controls = r"\x00-\x1f\x7f"
        return re.match(pattern.replace("[[:^cntrl:]]", f"[^{controls}]").replace("[:cntrl:]", controls), text)


@pytest.fixture(scope="module", autouse=True)
def _patterns() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("clientapi_pbs.models.") and hasattr(module, "re"):
            module.re = _PosixPatterns  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[Any]:
    configuration = clientapi_pbs.Configuration(
        host=f"https://127.0.0.1:{site.server.port}/api2/json",
        api_key={"PBSApiToken": f"PBSAPIToken={site.tokenid}:{site.secret}"},
        ssl_ca_cert=str(site.server.roots.certificate),
        assert_hostname=False,
    )
    with clientapi_pbs.ApiClient(configuration) as made:
        yield made


def test_every_route_that_reads_is_called() -> None:
    routes = {method.path for method in ROUTES if method.http_method == "GET"}
    assert routes == CALLS.keys() | NOT_CALLED
    assert {method.path for method in ROUTES.directories} == LISTINGS.keys()


@pytest.mark.parametrize("path", [*CALLS, *LISTINGS])
def test_the_answer_is_as_the_schema_says(client: Any, site: Site, path: str) -> None:
    api, name, arguments = {**CALLS, **LISTINGS}[path]
    if "{upid}" in path:
        arguments = {**arguments, "upid": site.upid}
    group = getattr(clientapi_pbs, api)(client)
    if path in BINARY:
        answer = getattr(group, f"{name}_without_preload_content")(**arguments)
        assert answer.status == 200
        assert len(answer.data) > 0
    elif path in NOT_AS_ANSWERED:
        with pytest.raises(ValidationError) as refused:
            getattr(group, f"{name}_with_http_info")(**arguments)
        assert {error["loc"][0] for error in refused.value.errors()} == {NOT_AS_ANSWERED[path]}
    else:
        assert getattr(group, f"{name}_with_http_info")(**arguments).status_code == 200
