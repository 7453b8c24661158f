"""Which method serves which path, and what a table refuses to hold."""

import pytest

from pbstore.api.method import Call, Method, method
from pbstore.api.permission import ANYBODY, WORLD, Privilege
from pbstore.api.route_table import RouteTable
from pbstore.api.schema import Parameter, String
from pbstore.errors import FormatError, NotFoundError

USERID = Parameter(name="userid", schema=String(description="user"))


def a_method(http_method: str, path: str, *parameters: Parameter) -> Method:
    @method(http_method, path, permission=ANYBODY, parameters=parameters)
    def handler(call: Call[None], **values: str) -> dict[str, str]:
        """Answer with the parameters."""
        return values

    return handler


@pytest.fixture
def table() -> RouteTable:
    return RouteTable(
        [
            a_method("GET", "/version"),
            a_method("GET", "/access/users"),
            a_method("GET", "/access/users/{userid}", USERID),
            a_method("GET", "/access/users/{userid}/token", USERID),
            a_method("POST", "/access/ticket"),
        ]
    )


def test_path_variables_are_percent_decoded(table: RouteTable) -> None:
    match = table.find("GET", "/access/users/a%40pbs")
    assert match.path_values == {"userid": "a@pbs"}
    assert match.method.path == "/access/users/{userid}"


def test_an_encoded_slash_stays_inside_its_component(table: RouteTable) -> None:
    assert table.find("GET", "/access/users/a%2Fb").path_values == {"userid": "a/b"}


def test_empty_components_and_a_trailing_slash_do_not_count(table: RouteTable) -> None:
    assert table.find("GET", "//access///users/x@pbs/").path_values == {"userid": "x@pbs"}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/", ["access", "version"]),
        ("/access", ["ticket", "users"]),
    ],
)
def test_inner_nodes_list_what_is_below(table: RouteTable, path: str, names: list[str]) -> None:
    listing = table.find("GET", path).method
    assert listing.permission is ANYBODY
    assert listing.handler(None) == [{"subdir": name} for name in names]


def test_a_method_wins_over_the_listing_of_its_node(table: RouteTable) -> None:
    assert table.find("GET", "/access/users").method.path == "/access/users"


@pytest.mark.parametrize(
    ("http_method", "path"),
    [("GET", "/nope"), ("GET", "/access/nope"), ("POST", "/version"), ("PUT", "/access"), ("HEAD", "/version")],
)
def test_unknown_paths_and_wrong_methods_are_not_found(table: RouteTable, http_method: str, path: str) -> None:
    with pytest.raises(NotFoundError, match=rf"^Path '/api2/json{path}' not found\.$"):
        table.find(http_method, path, f"/api2/json{path}")


def test_bytes_that_are_no_text_are_refused(table: RouteTable) -> None:
    with pytest.raises(FormatError):
        table.find("GET", "/access/users/%ff")


def test_the_same_route_twice_is_refused() -> None:
    with pytest.raises(TypeError, match="declared twice"):
        RouteTable([a_method("GET", "/a"), a_method("GET", "/a")])


def test_two_names_for_one_component_are_refused() -> None:
    with pytest.raises(TypeError, match="also called"):
        RouteTable(
            [
                a_method("GET", "/a/{userid}", USERID),
                a_method("GET", "/a/{id}/x", Parameter(name="id", schema=USERID.schema)),
            ]
        )


def test_a_method_without_permission_cannot_be_described() -> None:
    with pytest.raises(TypeError, match="permission"):
        method("GET", "/x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="declares no permission"):
        method("GET", "/x", permission=None)(lambda call: None)  # type: ignore[arg-type]


def test_a_permission_may_only_use_parameters_of_the_method() -> None:
    with pytest.raises(TypeError, match="no parameter for store"):

        @method("GET", "/x", permission=Privilege("/datastore/{store}", ("Datastore.Audit",)))
        def handler(call: Call[None]) -> None:
            """Do."""


def test_a_method_needs_a_description() -> None:
    with pytest.raises(TypeError, match="no description"):
        method("GET", "/x", permission=WORLD)(lambda call: None)
