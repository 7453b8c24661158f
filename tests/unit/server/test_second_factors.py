"""What is said of second factors: which there are, never what they are."""

import json

import pytest

from unit.server.application_site import START, Answer, Site

API = "/api2/json/access"
SECRET = "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ"
FACTORS = {
    "webauthn": {"rp": "example"},
    "users": {
        "nobody@pbs": {
            "totp": [
                {"id": "id-1", "description": "phone", "created": 5, "entry": SECRET},
                {"id": "id-2", "created": 6, "enable": False, "entry": {"totp": SECRET, "last-count": 1}},
            ],
            "recovery": {"secret": "00ff", "entries": ["aa", None], "created": 7},
            "totp-locked": True,
            "tfa-locked-until": int(START) + 60,
        },
        "archiver@pbs": {"webauthn": [{"id": "id-3", "description": "key", "created": 8, "entry": {}}]},
    },
}
OF_NOBODY = [
    {"type": "totp", "id": "id-1", "description": "phone", "created": 5},
    {"type": "totp", "id": "id-2", "created": 6, "enable": False},
    {"type": "recovery", "id": "recovery", "created": 7},
]
LOCKS = {"totp-locked": True, "tfa-locked-until": int(START) + 60}


@pytest.fixture(autouse=True)
def enrolled(site: Site) -> dict[str, dict[str, str]]:
    """Headers by user, of logins before the factors were there."""
    headers = {name: site.login(name) for name in ("admin", "nobody", "archiver")}
    (site.roots.config_dir / "tfa.json").write_text(json.dumps(FACTORS))
    return headers


def get(site: Site, headers: dict[str, str], target: str) -> Answer:
    return site.call("GET", f"{API}/{target}", headers=headers)


def test_an_admin_sees_all(site: Site, enrolled: dict[str, dict[str, str]]) -> None:
    answer = get(site, enrolled["admin"], "tfa")
    assert answer.data == [
        {"userid": "nobody@pbs", "entries": OF_NOBODY, **LOCKS},
        {
            "userid": "archiver@pbs",
            "entries": [{"type": "webauthn", "id": "id-3", "description": "key", "created": 8}],
        },
    ]
    assert SECRET not in answer.text
    assert get(site, enrolled["admin"], "tfa/nobody@pbs").data == OF_NOBODY
    assert get(site, enrolled["admin"], "tfa/admin@pbs").data == []
    users = {item["userid"]: item for item in get(site, enrolled["admin"], "users").data}
    assert users["nobody@pbs"] == {"userid": "nobody@pbs", **LOCKS}
    assert users["archiver@pbs"] == {"userid": "archiver@pbs"}
    assert get(site, enrolled["admin"], "users/nobody@pbs").data == {"userid": "nobody@pbs", **LOCKS}


def test_a_user_sees_itself(site: Site, enrolled: dict[str, dict[str, str]]) -> None:
    headers = enrolled["nobody"]
    assert [item["userid"] for item in get(site, headers, "tfa").data] == ["nobody@pbs"]
    assert get(site, headers, "tfa/nobody@pbs").data == OF_NOBODY
    assert get(site, headers, "tfa/nobody@pbs/id-2").data == OF_NOBODY[1]
    assert get(site, headers, "tfa/nobody@pbs/recovery").data == OF_NOBODY[2]
    missing = get(site, headers, "tfa/nobody@pbs/id-3")
    assert (missing.status, missing.text) == (404, "no such tfa entry: nobody@pbs/id-3")
    for target in ("tfa/archiver@pbs", "tfa/archiver@pbs/id-3"):
        assert get(site, headers, target).status == 403


def test_locks_end(site: Site, enrolled: dict[str, dict[str, str]]) -> None:
    site.now += 60
    listed = get(site, enrolled["nobody"], "tfa").data[0]
    assert (listed["totp-locked"], "tfa-locked-until" in listed) == (True, False)
    answer = site.call("PUT", f"{API}/users/nobody@pbs/unlock-tfa", headers=enrolled["admin"])
    assert answer.data is True
    assert "totp-locked" not in get(site, enrolled["nobody"], "tfa").data[0]


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"users": []}',
        '{"users": {"x": {}}}',
        '{"users": {"a@pbs": {"totp": [1]}}}',
        '{"users": {"a@pbs": 5}}',
    ],
)
def test_a_file_of_another_form(site: Site, enrolled: dict[str, dict[str, str]], content: str) -> None:
    (site.roots.config_dir / "tfa.json").write_text(content)
    answer = get(site, enrolled["admin"], "tfa")
    assert (answer.status, "expected a JSON object with the factors" in answer.text) == (400, True)
