"""Starting the server: self test, directories, keys, certificate, front (docs/design/process.md)."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pbstore import _core
from pbstore.access.clock import Clock
from pbstore.access.pam_realm import PamHelper, PamRealm
from pbstore.config.certificate import ensure_certificate
from pbstore.config.certificate_facts import certificate_fingerprint
from pbstore.config.file_kind import FileKind
from pbstore.config.file_lock import FileLock, lock_file
from pbstore.config.host_name import node_name
from pbstore.config.roots import Roots
from pbstore.errors import ConnectionFailedError, LockedError
from pbstore.server.application import Application
from pbstore.server.control_socket import control_socket
from pbstore.server.methods.all_methods import ROUTES
from pbstore.server.open_files import allow_many_open_files
from pbstore.server.registry import Registry
from pbstore.server.store_watch import StoreWatch


@dataclass(frozen=True)
class RunningServer:
    """A server that takes requests; `address` is the real host and port."""

    address: tuple[str, int]
    fingerprint: str


@contextmanager
def start_server(
    roots: Roots,
    host: str,
    port: int,
    *,
    grace_seconds: float,
    limits: Mapping[str, float] | None = None,
    clock: Clock = time.time,
    pam_helper: PamHelper | None = None,
) -> Iterator[RunningServer]:
    """Run a server within a `with` block; sessions and tasks get `grace_seconds` to end behind it.

    `limits` are those of the front that shall not have their defaults (docs/design/front.md). Without `pam_helper`
    nobody can log in with a password of the realm `pam`.

    Raises:
        LockedError: another server runs on the same directories.
        ConnectionFailedError: the address cannot be listened on.
        ConfigError: a key, certificate or limit cannot be used.
        IntegrityError: the compiled module gives wrong results on this machine.
    """
    _core.self_test()
    allow_many_open_files()
    roots.prepare()
    with _only_server(roots.run_dir / "server.lock"):
        ensure_certificate(roots, node_name())
        registry = Registry(roots, clock=clock, pam=PamRealm(pam_helper))
        registry.open_all_datastores()
        application = Application(registry, ROUTES)
        front = _core.Front(
            application, certificate=roots.certificate, private_key=roots.certificate_key, limits=limits or {}
        )
        try:
            address = front.listen(host, port)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConnectionFailedError(
                f"cannot listen on {host} port {port}: {reason}; choose another with --listen ADDR:PORT"
            ) from error
        try:
            with StoreWatch(registry.datastores), control_socket(application, roots.control_socket):
                yield RunningServer(address, str(certificate_fingerprint(roots.certificate)))
        finally:
            deadline = time.monotonic() + grace_seconds
            front.shutdown(grace_seconds)
            registry.end_tasks(max(0.0, deadline - time.monotonic()))
            registry.close()


@contextmanager
def _only_server(path: Path) -> Iterator[FileLock]:
    """Hold the lock that one server per set of directories has; the kernel frees it when the process dies."""
    kind = FileKind.LOCK
    try:
        lock = lock_file(path, timeout_seconds=0, mode=kind.mode, owner=kind.owner())
    except LockedError:
        pid = path.read_text().strip() or "unknown"
        raise LockedError(f"a server is already running on {path.parent} (process {pid})") from None
    with lock:
        path.write_text(f"{os.getpid()}\n")
        yield lock
