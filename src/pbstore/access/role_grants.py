"""Giving and taking roles (auth.md 7)."""

from pbstore.access.acl_path import check_acl_path
from pbstore.config.acl_cfg import AclFile
from pbstore.config.roots import Roots
from pbstore.config.user_cfg import UserCfg, UserFile
from pbstore.errors import ConfigError, PbstoreError
from pbstore.model.auth_id import AuthId


def check_grantee(auth_id: AuthId | None, group: str | None) -> AuthId:
    """Return whom a role is meant for.

    Raises:
        PbstoreError: nobody, or a group.
    """
    if group is not None:
        raise PbstoreError("parameter 'group' - groups are currently not supported.")
    if auth_id is None:
        raise PbstoreError("missing 'userid' or 'group' parameter.")
    return auth_id


def grant_role(
    roots: Roots, path: str, auth_id: AuthId, role: str, *, propagate: bool = True, digest: str | None = None
) -> None:
    """Give a role to somebody who exists, on a path that rights can be given on.

    Raises:
        PbstoreError: the path is none of those, nobody has the id, or the file is not the one that the digest is of.
    """
    check_acl_path(path)
    # The users stay locked: rights of somebody who is removed meanwhile would wait for the next one of the name.
    with UserFile(roots).edit() as users:
        _check_exists(users.current, auth_id)
        with AclFile(roots).edit(digest) as edit:
            edit.grant(path, str(auth_id), role, propagate=propagate)


def revoke_role(roots: Roots, path: str, auth_id: AuthId, role: str, *, digest: str | None = None) -> None:
    """Take a role away, on any path and from any id.

    Raises:
        ConfigError: the file is not the one that the digest is of.
    """
    with AclFile(roots).edit(digest) as edit:
        edit.revoke(path, str(auth_id), role)


def _check_exists(users: UserCfg, auth_id: AuthId) -> None:
    if auth_id.user not in users.users:
        raise ConfigError("no such user.")
    if auth_id.is_token and auth_id not in users.tokens:
        raise ConfigError("no such API token.")
