"""What somebody may do, path by path (auth.md 9)."""

from pbstore.access.acl_tree import AclTree
from pbstore.model.auth_id import AuthId

ALWAYS_SHOWN_PATHS = ("/", "/access", "/datastore", "/remote", "/system")


def permissions_of(rights: AclTree, auth_id: AuthId, path: str | None) -> dict[str, dict[str, bool]]:
    """Return privileges by path, each with whether it holds below the path too; paths without any are left out.

    Without a `path` those that have entries are shown, and the places where rights start.
    """
    paths = [path] if path else sorted({*rights.paths, *ALWAYS_SHOWN_PATHS})
    granted = {shown: rights.granted(auth_id, shown) for shown in paths}
    return {
        shown: {name: name in found.propagated for name in sorted(found.privileges)}
        for shown, found in granted.items()
        if found.privileges
    }
