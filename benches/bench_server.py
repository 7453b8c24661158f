"""The server that benches talk to: one datastore, one user who may do everything."""

import subprocess
from pathlib import Path

from at_prompt import answer_prompts
from local_server import BIN, LocalServer

USER = "bench@pbs"
PASSWORD = "benchmark-password"


def start_bench_server(folder: Path) -> LocalServer:
    """Start it below `folder`; the store is `folder/datastore`, named `bench`."""
    server = LocalServer(folder / "server")
    create_user = ("proxmox-backup-manager", "user", "create", USER, "--password")
    exit_code, shown = answer_prompts(PASSWORD, create_user, server.environment, folder)
    if exit_code:
        raise SystemExit(f"Error: {shown.strip()}")
    for words in (
        ("datastore", "create", "bench", folder / "datastore"),
        ("acl", "update", "/", "Admin", "--auth-id", USER),
    ):
        command = [BIN / "proxmox-backup-manager", *words]
        subprocess.run(command, env=server.environment, check=True, capture_output=True)
    return server
