"""Giving up root: what needs it is prepared, a helper keeps it, the server goes on as user `backup`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pbstore
from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.certificate import ensure_certificate
from pbstore.config.csrf_key import load_or_create_csrf_key
from pbstore.config.file_kind import SERVICE_USER, service_owner
from pbstore.config.host_name import node_name
from pbstore.config.root_files import use_root_files
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError
from pbstore.privileged.root_helper import RootHelper, start_root_helper


@contextmanager
def give_up_root(roots: Roots) -> Iterator[RootHelper]:
    """Run the rest of the process as the service user; the helper ends behind the `with` block.

    Raises:
        ConfigError: this is not root, there is no such user, or the user lacks what a server needs.
        OSError: something cannot be made.
    """
    service = service_owner()
    if service is None:
        raise ConfigError(f"giving up root takes being root, and a user '{SERVICE_USER}'")
    _prepare(roots, service[0])
    helper = start_root_helper(roots.config_dir, uid=service[0])
    try:
        _become(*service)
        use_root_files(helper)
        yield helper
    finally:
        use_root_files(None)
        helper.close()


def _prepare(roots: Roots, uid: int) -> None:
    """Make what only root can make: directories of the service user in those of root, and keys that belong to root."""
    roots.prepare()
    for path in roots.own_directories:
        if path.stat().st_uid != uid:
            raise ConfigError(f"{path} has to belong to user '{SERVICE_USER}': chown -R {SERVICE_USER}: {path}")
    ensure_certificate(roots, node_name())
    load_or_create_auth_key(roots)
    load_or_create_csrf_key(roots)


def _become(uid: int, gid: int) -> None:
    os.initgroups(SERVICE_USER, gid)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    for name in (pbstore.__file__, os.__file__):
        if not os.access(name, os.R_OK):
            raise ConfigError(
                f"user '{SERVICE_USER}' cannot read {Path(name).parent}, where the program is: install it where every "
                "user can read it, or let the server stay root with --stay-root"
            )
