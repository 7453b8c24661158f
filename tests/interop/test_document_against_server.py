"""Schemathesis makes requests from the OpenAPI document: whatever it sends, answers are as the document says.

It calls a server of its own, whose tokens have all rights, so that calls get as far as they can.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.conftest import fill
from pbstore.config.roots import Roots
from running_server import RunningServer

SECONDS = 30
CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance"
LEFT_OUT = ("/access/ticket", "/access/password", "/backup", "/reader", "/access/users/{userid}", "/nodes")
"""What waits on purpose, leaves HTTP, removes the caller, or is for root@pam alone."""


@pytest.fixture
def server(tmp_path: Path, server_certificate: Roots) -> Iterator[RunningServer]:
    made = RunningServer(tmp_path / "server")
    for name in ("certificate", "certificate_key"):
        getattr(made.roots, name).write_bytes(getattr(server_certificate, name).read_bytes())
    made.create_user("admin@pbs", "Admin12345")
    made.grant("/", "admin@pbs", "Admin")
    fill(tmp_path / "main", tmp_path / "locks")
    made.add_datastore("main", tmp_path / "main")
    made.start()
    yield made
    made.stop(signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_answers_fit_the_document(server: RunningServer, tmp_path: Path) -> None:
    secret = server.create_token("admin@pbs!test")
    server.grant("/", "admin@pbs!test", "Admin")
    answer = server.request("GET", "/docs/api-viewer/openapi.json")
    assert answer.status == 200
    document = tmp_path / "openapi.json"
    document.write_bytes(answer.body)
    paths = json.loads(answer.body)["paths"]
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(document)),
        *("--url", f"https://127.0.0.1:{server.port}/api2/json"),
        *("--header", f"Authorization: PBSAPIToken=admin@pbs!test:{secret}"),
        *("--tls-verify", "false", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"),
        *("--max-time", str(SECONDS), "--max-examples", "20", "--seed", "1", "--no-color", "--workers", "1"),
        *("--generation-with-security-parameters", "false", "--continue-on-failure"),
        *(word for path in LEFT_OUT if path in paths for word in ("--exclude-path", path)),
    ]
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert server.request("GET", "/api2/json/ping").data == {"pong": True}
