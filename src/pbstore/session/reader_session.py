"""A reader session: files and chunks of one snapshot, share-locked as long as it lasts (reader-protocol.md)."""

from contextlib import ExitStack
from pathlib import Path

from pbstore._core import FileBody, ReaderChunks
from pbstore.api.method import Call, RawReply, method
from pbstore.api.route_table import RouteTable
from pbstore.errors import FormatError, NotFoundError, ProtocolError
from pbstore.format.damaged_file import in_file
from pbstore.model.auth_id import AuthId
from pbstore.session import call_parameters as take
from pbstore.session.session_control import SessionControl
from pbstore.session.session_router import DECIDED_AT_UPGRADE as ALLOWED
from pbstore.session.session_task import SessionTask, end_message

INDEX_SUFFIXES = (".fidx", ".didx")


class ReaderSession(SessionControl):
    """The control side of one connection with the reader protocol; chunks are served by the front.

    Takes over `guards` (the locks) and `task`, and ends them in `closed`.
    """

    def __init__(
        self,
        directory: Path,
        chunks: ReaderChunks,
        task: SessionTask,
        guards: ExitStack,
        *,
        caller: AuthId,
        debug: bool = False,
    ):
        super().__init__(ROUTES, task, caller, debug=debug)
        self._directory = directory
        self._chunks = chunks
        self._guards = guards

    def closed(self, reason: str | None) -> None:
        """End with the connection; `reason` None = cleanly closed."""
        self._guards.close()
        message = end_message(self._task, reason)
        if message is None:
            self._task.log("reader finished successfully")
        self._task.finish(message)

    def open_file(self, file_name: str) -> FileBody:
        """Open a file of the snapshot; the chunks of an index may be fetched from then on."""
        if not file_name.endswith((*INDEX_SUFFIXES, ".blob")):
            raise FormatError(f"unable to send '{file_name}': not an index or blob")
        path = self._directory / file_name
        if file_name.endswith(INDEX_SUFFIXES):
            with in_file(file_name):
                self._chunks.allow_index(path)
            self._task.log(f"register chunks in '{file_name}' as downloadable.")
        elif not path.is_file():
            raise NotFoundError(f"no file '{file_name}' in this snapshot")
        self._task.log(f'download "{path}"')
        return FileBody(path)


@method("GET", "/download", permission=ALLOWED, parameters=(take.FILE_NAME,))
def download(call: Call[ReaderSession], *, file_name: str) -> RawReply:
    """A file of the snapshot as it is stored."""
    return RawReply(call.state.open_file(file_name))


@method("GET", "/chunk", permission=ALLOWED, parameters=(take.DIGEST,))
def chunk(call: Call[ReaderSession], *, digest: str) -> None:
    """A chunk as it is stored."""
    raise ProtocolError("chunks are served by the front")


@method("GET", "/speedtest", permission=ALLOWED)
def speed_test(call: Call[ReaderSession]) -> None:
    """A megabyte of the letter A."""
    raise ProtocolError("the speed test is served by the front")


ROUTES = RouteTable((download, chunk, speed_test))
