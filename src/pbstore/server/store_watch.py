"""Lets go of datastores that went offline or were removed while nobody asks for anything."""

import logging
import threading
from types import TracebackType
from typing import Self

from pbstore.errors import PbstoreError
from pbstore.server.open_datastores import OpenDatastores

INTERVAL_SECONDS = 1.0
_log = logging.getLogger(__name__)


class StoreWatch:
    """A thread that runs within a `with` block. A device can only be unmounted when nothing on it is open."""

    def __init__(self, datastores: OpenDatastores):
        self._datastores = datastores
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        last_failure = ""
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                self._datastores.close_idle()
                last_failure = ""
            except PbstoreError as error:
                if str(error) != last_failure:
                    last_failure = str(error)
                    _log.warning("cannot look after the datastores: %s", error)
