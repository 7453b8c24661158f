"""`proxmoxer`, as scripts use it: with a ticket and with an API token, reading and changing."""

from typing import Any

import proxmoxer  # type: ignore[import-untyped]
import pytest

from interop.conftest import BACKUP_TIME, Site

pytestmark = [
    pytest.mark.slow,
    # The certificate is for no address, as on a fresh installation.
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]
SNAPSHOT = {"backup-type": "host", "backup-id": "elsa", "backup-time": BACKUP_TIME}


@pytest.fixture(params=["ticket", "token"])
def api(request: pytest.FixtureRequest, site: Site) -> Any:
    """Logged in."""
    user, _, token_name = site.tokenid.partition("!")
    secret = {"password": site.password} if request.param == "ticket" else {}
    token = {"token_name": token_name, "token_value": site.secret} if request.param == "token" else {}
    return proxmoxer.ProxmoxAPI(
        "127.0.0.1",
        port=site.server.port,
        user=user,
        service="PBS",
        backend="https",
        verify_ssl=False,
        timeout=30,
        **secret,
        **token,
    )


def test_reading(api: Any) -> None:
    assert api.version.get()["version"] == "4.2"
    assert [item["store"] for item in api.admin.datastore.get()] == ["main"]
    store = api.admin.datastore("main")
    assert {item["backup-type"] for item in store.groups.get()} == {"host", "vm", "ct"}
    assert len(store.snapshots.get(**{"backup-type": "host", "backup-id": "elsa"})) == 1
    assert store.status.get(verbose=1)["counts"]["host"] == {"groups": 2, "snapshots": 2}
    assert {item["ns"] for item in store.namespace.get()} == {"", "ns1"}


def test_changing(api: Any) -> None:
    store = api.admin.datastore("main")
    store.notes.put(notes="from a script", **SNAPSHOT)
    assert store.notes.get(**SNAPSHOT) == "from a script"
    store.protected.put(protected=1, **SNAPSHOT)
    assert store.protected.get(**SNAPSHOT)
    store.protected.put(protected=0, **SNAPSHOT)
    assert store.namespace.post(name="made") == "made"
    store.namespace.delete(ns="made")


def test_errors_are_raised(api: Any) -> None:
    with pytest.raises(proxmoxer.ResourceException) as missing:
        api.admin.datastore("nope").status.get()
    assert missing.value.status_code == 400
    with pytest.raises(proxmoxer.ResourceException) as unknown:
        api.nothing.get()
    assert unknown.value.status_code == 404


def test_following_a_task(api: Any) -> None:
    upid = api.admin.datastore("main").verify.post()
    task = api.nodes("localhost").tasks(upid)
    while task.status.get()["status"] == "running":
        pass
    assert task.status.get()["exitstatus"] == "OK"
    assert task.log.get(limit=500)[-1]["t"].endswith("TASK OK")


def test_a_wrong_password_is_an_error(site: Site) -> None:
    with pytest.raises(proxmoxer.AuthenticationError):
        proxmoxer.ProxmoxAPI(
            "127.0.0.1",
            port=site.server.port,
            user="admin@pbs",
            password="wrong-password",
            service="PBS",
            backend="https",
            verify_ssl=False,
        )
