"""What all requests share: configuration as it is now, keys, datastores, running sessions, logs."""

import logging

from pbstore.access.acl_tree import AclTree
from pbstore.access.auth_log import AuthLog
from pbstore.access.clock import Clock
from pbstore.access.credentials import Credentials
from pbstore.access.failed_logins import FailedLogins
from pbstore.access.login import Login
from pbstore.access.pam_realm import PamRealm
from pbstore.access.token_check import TokenCheck
from pbstore.config.acl_cfg import AclFile
from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.csrf_key import load_or_create_csrf_key
from pbstore.config.datastore_cfg import DatastoreCfg, DatastoreFile
from pbstore.config.host_name import node_name
from pbstore.config.maintenance_mode import Operation
from pbstore.config.roots import Roots
from pbstore.config.shadow import ShadowFile
from pbstore.config.tfa_json import TfaFile
from pbstore.config.token_shadow import TokenShadowFile
from pbstore.config.user_cfg import UserFile
from pbstore.errors import PbstoreError
from pbstore.server.cached_file import CachedFile
from pbstore.server.log_file import LogFile
from pbstore.server.open_datastores import OpenDatastores
from pbstore.tasks.task_registry import Tasks

ALLOWED_AHEAD_SECONDS = 600
_log = logging.getLogger(__name__)


class Registry:
    """One a server. Configuration files may be edited by other programs at any time: the next call sees it.

    `allowed_ahead_seconds` is how far a backup time may be ahead of the clock; without `pam` nobody can log in there.
    """

    def __init__(
        self,
        roots: Roots,
        *,
        clock: Clock,
        allowed_ahead_seconds: int = ALLOWED_AHEAD_SECONDS,
        pam: PamRealm | None = None,
    ):
        self.roots = roots
        self.clock = clock
        self.allowed_ahead_seconds = allowed_ahead_seconds
        config_dir = roots.config_dir
        self.users = CachedFile(config_dir / "user.cfg", UserFile(roots).load)
        self._acl = CachedFile(config_dir / "acl.cfg", lambda: AclTree(AclFile(roots).load().entries))
        self._datastore_cfg = CachedFile(config_dir / "datastore.cfg", DatastoreFile(roots).load)
        auth_key = load_or_create_auth_key(roots)
        csrf_key = load_or_create_csrf_key(roots)
        tokens = TokenCheck(TokenShadowFile(roots))
        self.credentials = Credentials(self.users, tokens, auth_key, csrf_key, clock)
        self.auth_key = auth_key
        self.pam = pam or PamRealm(None)
        self.login = Login(self.users, ShadowFile(roots), auth_key, csrf_key, clock, TfaFile(roots), self.pam)
        self.failed_logins = FailedLogins(clock)
        self.auth_log = AuthLog(roots.auth_log, clock)
        self.access_log = LogFile(roots.access_log)
        self.tasks = Tasks(roots, node_name(), clock)
        self.datastores = OpenDatastores(self._datastore_cfg.load, roots)

    @property
    def rights(self) -> AclTree:
        """The access control list as it is now.

        Raises:
            ConfigError: it cannot be read; nobody is let through then.
        """
        return self._acl.load()

    @property
    def datastore_cfg(self) -> DatastoreCfg:
        """The configured datastores as they are now.

        Raises:
            ConfigError: the file cannot be used.
        """
        return self._datastore_cfg.load()

    def open_all_datastores(self) -> None:
        """Open every store, so that what a dead server left is cleaned at once; one that cannot be opened is logged."""
        for name, config in self.datastore_cfg.datastores.items():
            try:
                self.datastores.get(name, Operation.READ)
            except PbstoreError as error:
                _log.warning("datastore '%s' at %s is not available: %s", name, config.path, error)

    def end_tasks(self, grace_seconds: float) -> None:
        """Give the tasks some time to end, then stop them; sessions have ended."""
        if not self.tasks.shut_down(grace_seconds):
            _log.error("%d tasks did not end with the server", len(self.tasks.running()))

    def close(self) -> None:
        """Close what is open; sessions and tasks have ended."""
        self.datastores.close()
        self.access_log.close()
