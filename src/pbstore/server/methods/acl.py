"""The access control list and the roles that can be given in it (rest-api.md 3)."""

from pbstore.access.account_items import acl_item
from pbstore.access.privileges import PRIVILEGES, SYS_AUDIT
from pbstore.access.role_grants import check_grantee, grant_role, revoke_role
from pbstore.access.roles import ROLE_COMMENTS, ROLES
from pbstore.api.method import Call, Reply, method
from pbstore.api.permission import ANYBODY, known_caller
from pbstore.api.result import Result
from pbstore.api.schema import Boolean, Parameter
from pbstore.config.acl_cfg import AclEntry, AclFile
from pbstore.errors import FormatError
from pbstore.model.auth_id import AuthId
from pbstore.server.account_parameters import ACL_PATH, DELETE_GRANT, GRANTEE, GROUP, PROPAGATE, ROLE
from pbstore.server.account_results import ACL_ENTRIES, ROLE_LIST
from pbstore.server.account_right import ACL_PATH as RIGHTS_PATH
from pbstore.server.account_right import GRANT, owns_token
from pbstore.server.parameters import DIGEST, DIGEST_BESIDE
from pbstore.server.registry import Registry

ONLY_PATH = Parameter(name="path", schema=ACL_PATH, optional=True)
EXACT = Parameter(
    name="exact", schema=Boolean(description="only the path itself, nothing below"), optional=True, default=False
)
PATH = Parameter(name="path", schema=ACL_PATH)


@method(
    "GET",
    "/access/acl",
    permission=ANYBODY,
    parameters=(ONLY_PATH, EXACT),
    result=Result(data=ACL_ENTRIES, beside=DIGEST_BESIDE),
)
def list_entries(call: Call[Registry], *, path: str | None, exact: bool) -> Reply:
    """List the entries, or only those of own tokens if the caller may not see others."""
    caller = known_caller(call.caller)
    acl = AclFile(call.state.roots).load()
    sees_all = SYS_AUDIT in call.rights.privileges(caller, RIGHTS_PATH)
    shown = (entry for entry in sorted(acl.entries) if _is_at(entry, path, exact=exact))
    items = [acl_item(entry) for entry in shown if sees_all or owns_token(caller, _auth_id(entry.ugid))]
    return Reply(items, {"digest": acl.digest})


@method(
    "PUT",
    "/access/acl",
    permission=GRANT,
    parameters=(PATH, ROLE, GRANTEE, GROUP, PROPAGATE, DELETE_GRANT, DIGEST),
)
def update(
    call: Call[Registry],
    *,
    path: str,
    role: str,
    auth_id: AuthId | None,
    group: str | None,
    propagate: bool,
    delete: bool,
    digest: str | None,
) -> None:
    """Give or take a role."""
    roots, grantee = call.state.roots, check_grantee(auth_id, group)
    if delete:
        revoke_role(roots, path, grantee, role, digest=digest)
    else:
        grant_role(roots, path, grantee, role, propagate=propagate, digest=digest)


@method("GET", "/access/roles", permission=ANYBODY, result=ROLE_LIST)
def list_roles(call: Call[Registry]) -> list[dict[str, object]]:
    """List the roles with their privileges."""
    return [
        {"roleid": role, "privs": [name for name in PRIVILEGES if name in names], "comment": ROLE_COMMENTS[role]}
        for role, names in ROLES.items()
    ]


def _is_at(entry: AclEntry, path: str | None, *, exact: bool) -> bool:
    if path is None or entry.path == path:
        return True
    return not exact and entry.path.startswith(f"{path.rstrip('/')}/")


def _auth_id(ugid: str) -> AuthId | None:
    try:
        return AuthId.parse(ugid)
    except FormatError:
        return None


METHODS = (list_entries, update, list_roles)
