"""One request from front to answer: routing, formats, errors, delays, logs (docs/protocol/rest.md).

Texts are those of the original's answers (its release 4.2.3 where nothing else is said).
"""

import json
import re

import pytest

from pbstore.config.maintenance_mode import MaintenanceMode
from unit.server.application_site import Site


def test_success(site: Site) -> None:
    answer = site.call("GET", "/api2/json/ping")
    assert (answer.status, answer.text) == (200, '{"data":{"pong":true}}')
    assert answer.headers == {"content-type": "application/json;charset=UTF-8"}


def test_version_is_that_of_the_protocols(site: Site) -> None:
    data = site.call("GET", "/api2/json/version", headers=site.login("nobody")).data
    assert (data["version"], data["release"]) == ("4.2", "3")


def test_extjs(site: Site) -> None:
    answer = site.call("GET", "/api2/extjs/ping")
    assert answer.json == {"data": {"pong": True}, "success": True, "status": 200}


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/api2/xml/version", 400, "Unsupported output format 'xml'."),
        ("/api2", 404, "invalid api path '/api2'"),
        ("/nosuchfile.js", 404, "no such file: 'nosuchfile.js'"),
        ("/api2/json/nope", 404, "Path '/api2/json/nope' not found."),
        ("/api2/json/admin/nope", 404, "Path '/api2/json/admin/nope' not found."),
        ("/api2/json/admin/datastore/main/nope", 404, "Path '/api2/json/admin/datastore/main/nope' not found."),
        ("/api2/json/admin/datastore/nostore/status", 400, "no such datastore 'nostore'"),
        (
            "/api2/json/admin/datastore/a/status",
            400,
            "parameter verification failed - 'store': value must be at least 3 characters long",
        ),
        (
            "/api2/json/admin/datastore/%20%20%20/status",
            400,
            "parameter verification failed - 'store': value does not match the regex pattern",
        ),
    ],
)
def test_errors(site: Site, path: str, status: int, text: str) -> None:
    answer = site.call("GET", path, headers=site.login("admin"))
    assert (answer.status, answer.text) == (status, text)


def test_unknown_path_in_extjs(site: Site) -> None:
    answer = site.call("GET", "/api2/extjs/nope", headers=site.login("admin"))
    assert answer.status == 200
    assert answer.json == {
        "errors": {},
        "message": "Path '/api2/extjs/nope' not found.",
        "status": 404,
        "success": False,
    }


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE", "PUT"])
def test_methods_that_a_path_does_not_have(site: Site, method: str) -> None:
    answer = site.call(method, "/api2/json/version", headers=site.login("admin"))
    assert (answer.status, answer.text) == (404, "Path '/api2/json/version' not found.")


def test_all_parameter_errors_at_once(site: Site) -> None:
    parameters = {"backup-type": "host", "bogus": 1}
    answer = site.call("GET", "/api2/json/admin/datastore/main/files", parameters, headers=site.login("admin"))
    assert answer.status == 400
    lines = answer.text.split("\n")
    assert lines[0] == "parameter verification failed:"
    assert sorted(lines[1:]) == [
        "- 'backup-id': parameter is missing and it is not optional.",
        "- 'backup-time': parameter is missing and it is not optional.",
        "- 'bogus': schema does not allow additional properties.",
    ]


def test_duplicate_parameters(site: Site) -> None:
    target = "/api2/json/admin/datastore/main/status"
    answer = site.call("GET", target, {"verbose": [1, 0]}, headers=site.login("admin"))
    assert answer.text == "parameter verification failed - 'verbose': duplicate parameter."


def test_the_cache_buster_is_ignored(site: Site) -> None:
    assert site.call("GET", "/api2/json/ping", {"_dc": 1700000000}).status == 200


def test_a_long_target_is_refused_without_a_word(site: Site) -> None:
    answer = site.call("GET", "/api2/json/ping", {"_dc": "1" * 3072})
    assert (answer.status, answer.body) == (414, b"")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/api2/json", {"access", "admin", "backup", "ping", "reader", "version"}),
        ("/api2/json/", {"access", "admin", "backup", "ping", "reader", "version"}),
        ("/api2/json/access", {"permissions", "ticket"}),
        ("/api2/json/admin/datastore/main", {"download", "files", "groups", "snapshots", "status"}),
    ],
)
def test_inner_nodes_list_what_is_below(site: Site, path: str, names: set[str]) -> None:
    listed = site.call("GET", path, headers=site.login("nobody")).data
    assert listed == [{"subdir": name} for name in sorted(item["subdir"] for item in listed)]
    assert names <= {item["subdir"] for item in listed}


# Credentials


@pytest.mark.parametrize(
    "path", ["/api2/json/version", "/api2/extjs/admin/datastore", "/api2/json/nope", "/api2/json", "/api2/json/backup"]
)
def test_strangers_learn_nothing_and_wait(site: Site, path: str) -> None:
    answer = site.call("GET", path)
    assert (answer.status, answer.text) == (
        401,
        "authentication failed - no authentication credentials provided.",
    )
    assert list(answer.headers) == ["set-cookie"]
    assert answer.headers["set-cookie"].startswith("__Host-PBSAuthCookie=; Expires=Thu, 01 Jan 1970 00:00:00 GMT;")
    assert site.slept == [3.0]
    assert site.auth_log[-1].endswith(
        ": authentication failure; rhost=127.0.0.1:4711 msg=no authentication credentials provided."
    )


@pytest.mark.parametrize("cookie", ["PBSAuthCookie", "__Host-PBSAuthCookie"])
def test_both_cookie_names_are_taken(site: Site, cookie: str) -> None:
    """C2: and the `__Host-` one wins."""
    ticket = site.login("nobody")["cookie"].partition("=")[2]
    assert site.call("GET", "/api2/json/version", headers={"cookie": f"{cookie}={ticket}"}).status == 200
    both = {"cookie": f"PBSAuthCookie={ticket}; __Host-PBSAuthCookie=garbage"}
    assert site.call("GET", "/api2/json/version", headers=both).status == 401


def test_changes_by_ticket_need_the_csrf_token(site: Site) -> None:
    path = "/api2/json/admin/datastore/main/upload-backup-log"
    login = site.login("admin")
    answer = site.call("POST", path, headers={"cookie": login["cookie"]})
    assert (answer.status, answer.text) == (401, "authentication failed - missing CSRF prevention token")
    assert site.call("POST", path, headers=login).status == 400


def test_a_ticket_expires(site: Site) -> None:
    login = site.login("nobody")
    site.now += 7200
    assert site.call("GET", "/api2/json/version", headers=login).status == 200
    site.now += 1
    answer = site.call("GET", "/api2/json/version", headers=login)
    assert (answer.status, answer.text) == (401, "authentication failed - invalid ticket - expired")


# Logging in (auth.md 4)


def test_login_with_a_json_body(site: Site) -> None:
    """C1: the ticket is in the body, there is no cookie."""
    body = json.dumps({"username": "archiver@pbs", "password": "Archiver12345"}).encode()
    headers = {"content-type": "application/json"}
    answer = site.call("POST", "/api2/json/access/ticket", headers=headers, body=body)
    assert answer.headers == {"content-type": "application/json"}
    assert answer.json["success"] is True
    assert answer.json["status"] == 200
    assert answer.data["username"] == "archiver@pbs"
    assert re.fullmatch(r"PBS:archiver@pbs:[0-9A-F]{8}::\S+", answer.data["ticket"])
    assert site.auth_log[-1].endswith(": successful auth for user 'archiver@pbs'")


@pytest.mark.parametrize(
    ("user", "password", "reason"),
    [
        ("archiver@pbs", "wrong", "invalid credentials"),
        ("ghost@pbs", "Archiver12345", "user account disabled or expired."),
        ("archiver@nope", "Archiver12345", "user account disabled or expired."),
        ("archiver@pbs", "PBS:archiver@pbs:00000000::AAAA", "invalid ticket"),
    ],
)
def test_a_refused_login_tells_the_log_why_and_the_client_nothing(
    site: Site, user: str, password: str, reason: str
) -> None:
    answer = site.call("POST", "/api2/json/access/ticket", {"username": user, "password": password})
    assert (answer.status, answer.text) == (401, "permission check failed.")
    assert site.slept == [3.0]
    assert site.auth_log[-1].endswith(f": authentication failure; rhost=127.0.0.1:4711 user={user} msg={reason}")


def test_a_refused_login_in_extjs_waits_as_long(site: Site) -> None:
    parameters = {"username": "archiver@pbs", "password": "wrong"}
    answer = site.call("POST", "/api2/extjs/access/ticket", parameters)
    assert answer.status == 200
    assert answer.json == {"errors": {}, "message": "permission check failed.", "status": 401, "success": False}
    assert site.slept == [3.0]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"username": "archiver@pbs"}, "no password provided"),
        (
            {"username": "archiver", "password": "x"},
            "parameter verification failed - 'username': value does not match the regex pattern",
        ),
        (
            {"username": "archiver@pbs!tok", "password": "x"},
            "parameter verification failed - 'username': value does not match the regex pattern",
        ),
        (
            {"username": "archiver@pbs", "password": "x", "foo": 1},
            "parameter verification failed - 'foo': schema does not allow additional properties.",
        ),
    ],
)
def test_mistakes_in_a_login(site: Site, parameters: dict[str, object], text: str) -> None:
    answer = site.call("POST", "/api2/json/access/ticket", parameters)
    assert (answer.status, answer.text) == (400, text)


def test_a_ticket_renews_itself(site: Site) -> None:
    old = site.login("archiver")["cookie"].partition("=")[2]
    site.now += 900
    data = site.call("POST", "/api2/json/access/ticket", {"username": "archiver@pbs", "password": old}).data
    assert data["ticket"] != old
    refused = site.call("POST", "/api2/json/access/ticket", {"username": "admin@pbs", "password": old})
    assert refused.status == 401


def http_only(site: Site, cookie: str | None = None, **parameters: object) -> "tuple[int, str, dict[str, object]]":
    """Log in the way of the web page: status, cookie, data."""
    headers = {} if cookie is None else {"cookie": f"__Host-PBSAuthCookie={cookie}"}
    sent = {"username": "archiver@pbs", "http-only": 1, **parameters}
    answer = site.call("POST", "/api2/json/access/ticket", sent, headers=headers)
    cookie_header = answer.headers.get("set-cookie", "")
    ticket = re.match(r"__Host-PBSAuthCookie=([^;]*); Secure; SameSite=Lax; HttpOnly; Path=/;", cookie_header)
    return answer.status, ticket[1] if ticket else "", answer.data if answer.status == 200 else {}


def test_http_only_puts_the_ticket_into_a_cookie(site: Site) -> None:
    status, ticket, data = http_only(site, password="Archiver12345")
    assert status == 200
    assert set(data) == {"username", "CSRFPreventionToken", "ticket-info"}
    assert data["ticket-info"] == ticket.partition("::")[0] + "::ticketinfo"
    assert site.call("GET", "/api2/json/version", headers={"cookie": f"__Host-PBSAuthCookie={ticket}"}).status == 200


def test_http_only_renews_by_cookie_and_falls_back_to_the_password(site: Site) -> None:
    _, ticket, _ = http_only(site, password="Archiver12345")
    site.now += 900
    status, renewed, _ = http_only(site, ticket)
    assert (status, renewed != ticket) == (200, True)
    assert http_only(site, "garbage", password="Archiver12345")[0] == 200
    assert http_only(site, "garbage")[0] == 401
    assert http_only(site, "garbage", password=ticket)[0] == 401


def test_a_cookie_is_never_tried_as_a_password(site: Site) -> None:
    assert http_only(site, "Archiver12345")[0] == 401


def test_logout_expires_the_cookie(site: Site) -> None:
    answer = site.call("DELETE", "/api2/json/access/ticket")
    assert answer.json == {"data": {}, "status": 200, "success": True}
    assert list(answer.headers) == ["set-cookie"]
    assert "Expires=Thu, 01 Jan 1970" in answer.headers["set-cookie"]


def test_a_disabled_user_is_out_at_once(site: Site) -> None:
    login = site.login("archiver")
    path = site.roots.config_dir / "user.cfg"
    path.write_text(path.read_text().replace("user: archiver@pbs\n", "user: archiver@pbs\n\tenable false\n"))
    assert site.call("GET", "/api2/json/version", headers=login).status == 401
    parameters = {"username": "archiver@pbs", "password": "Archiver12345"}
    assert site.call("POST", "/api2/json/access/ticket", parameters).status == 401


# Permissions


def test_own_permissions(site: Site) -> None:
    data = site.call("GET", "/api2/json/access/permissions", headers=site.login("archiver")).data
    assert data == {"/datastore/main": {"Datastore.Backup": True}}


def test_permissions_of_others_need_sys_audit(site: Site) -> None:
    parameters = {"auth-id": "archiver@pbs", "path": "/datastore/main/ns1"}
    data = site.call("GET", "/api2/json/access/permissions", parameters, headers=site.login("admin")).data
    assert data == {"/datastore/main/ns1": {"Datastore.Backup": True}}
    refused = site.call(
        "GET", "/api2/json/access/permissions", {"auth-id": "admin@pbs"}, headers=site.login("archiver")
    )
    assert refused.status == 400


def test_an_unreadable_access_list_lets_nobody_through(site: Site) -> None:
    login = site.login("admin")
    (site.roots.config_dir / "acl.cfg").write_text("acl:1:/:admin@pbs\n")
    answer = site.call("GET", "/api2/json/admin/datastore/main/status", headers=login)
    assert (answer.status, "acl.cfg:1" in answer.text) == (400, True)


# Maintenance


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (MaintenanceMode("offline", "swap"), "datastore 'main' is unavailable: offline maintenance mode: swap"),
        (MaintenanceMode("offline"), "datastore 'main' is unavailable: offline maintenance mode: "),
    ],
)
def test_maintenance_is_noticed_while_the_server_runs(site: Site, mode: MaintenanceMode, text: str) -> None:
    login = site.login("admin")
    assert site.call("GET", "/api2/json/admin/datastore/main/groups", headers=login).data == []
    path = site.roots.config_dir / "datastore.cfg"
    path.write_text(path.read_text().replace("\tpath", f"\tmaintenance-mode {mode}\n\tpath"))
    answer = site.call("GET", "/api2/json/admin/datastore/main/groups", headers=login)
    assert (answer.status, answer.text) == (400, text)
    assert site.call("GET", "/api2/json/admin/datastore", headers=login).data[0]["maintenance"] == str(mode)


# Logs


def test_the_access_log_has_the_target_as_received(site: Site) -> None:
    site.call("GET", "/api2/json/ping", target="//api2/json/ping?")
    assert re.fullmatch(r'127\.0\.0\.1 - - \[[^\]]+\] "GET //api2/json/ping\?" 200 22 test/1', site.access_log[-1])


def test_the_access_log_names_the_caller(site: Site) -> None:
    site.call("GET", "/api2/json/nope", headers=site.login("admin"))
    assert " - admin@pbs [" in site.access_log[-1]
    assert '" 404 33 ' in site.access_log[-1]


def test_passwords_in_a_query_are_not_logged(site: Site) -> None:
    site.call("POST", "/api2/json/access/ticket", body=b"", target="/api2/json/access/ticket?password=Secret")
    assert "Secret" not in site.roots.access_log.read_text()
