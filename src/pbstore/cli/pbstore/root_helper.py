"""The root helper's own process, started by `pbstore serve` and by nobody else (docs/design/process.md)."""

import socket
import sys
from pathlib import Path

from pbstore.privileged.helper_process import ServerProcess, run_helper


def main() -> None:
    """Run it: descriptor of the channel, configuration directory, the server's process and user id."""
    descriptor, directory, pid, uid = sys.argv[1:]
    with socket.socket(fileno=int(descriptor)) as channel:
        run_helper(channel, Path(directory), ServerProcess(int(pid), int(uid)))


if __name__ == "__main__":
    main()
