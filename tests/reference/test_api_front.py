"""Recorded requests that the front answers or bends before the application sees them, sent to a running server."""

from pathlib import Path

from reference.recorded_server import recorded
from reference.replay import recording
from running_server import RunningServer

PASSWORD = "Test12345"


def test_same_answers(server: RunningServer, fixtures_423: Path) -> None:
    server.create_user("test@pbs", PASSWORD)
    headers = server.login("test@pbs", PASSWORD)
    for name in ("e_head", "e_options"):
        found = recording(fixtures_423, name)
        answer = server.request(found.method, found.target, headers=headers)
        status, _, text = recorded(fixtures_423, name)
        assert (name, answer.status, answer.text) == (name, status, text)
    found = recording(fixtures_423, "e400_path_dots")
    answer = server.request(found.method, found.target, headers=headers)
    assert answer.status == recorded(fixtures_423, "e400_path_dots")[0]
