"""The OpenAPI document: valid, complete, and made of what the method descriptions say."""

from typing import Any, cast

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from pbstore.api.method import Call, method
from pbstore.api.openapi import openapi_document
from pbstore.api.permission import ANYBODY, WORLD, Privilege
from pbstore.api.result import Content, Items, Nothing, Number, Object, OneOf, Result, Session, Text, always, perhaps
from pbstore.api.route_table import RouteTable
from pbstore.api.schema import Boolean, Enum, Integer, ListOf, Parameter, Shape, String
from pbstore.server.methods.all_methods import ROUTES

STORE = Parameter(name="store", schema=String(description="which", pattern="[a-z]+", minimum_length=3))
LIMIT = Parameter(name="limit", schema=Integer(description="how many", maximum=9), optional=True, default=5)
FORCE = Parameter(name="force", schema=Boolean(description="in any case"), optional=True, default=False)
KINDS = Parameter(
    name="kind",
    schema=ListOf(description="which ones", item=Enum(description="one", values=("a", "b")), maximum_items=2),
    optional=True,
)
DESCRIPTION = "Do something."


def document(*, http_method: str = "GET", result: Result | Shape | None = None, raw_body: int | None = None) -> Any:
    """The operation of a table with one route."""

    @method(
        http_method,
        "/store/{store}/thing",
        permission=Privilege("/datastore/{store}", ("A", "B"), any_of=True),
        parameters=(STORE, LIMIT, FORCE, KINDS),
        result=result or Nothing(),
        raw_body=raw_body,
    )
    def handler(call: Call[object], **_values: object) -> None:
        """Do something."""

    made = openapi_document(RouteTable([handler]), title="test", version="1")
    OpenAPIV31SpecValidator(cast("Any", made)).validate()
    return made


def operation(**described: Any) -> Any:
    http_method = described.get("http_method", "GET").lower()
    return document(**described)["paths"]["/store/{store}/thing"][http_method]


def test_the_document_of_the_server_is_valid() -> None:
    made = openapi_document(ROUTES, title="pbstore", version="1")
    OpenAPIV31SpecValidator(cast("Any", made)).validate()


def test_every_route_is_in_the_document_of_the_server() -> None:
    paths: Any = openapi_document(ROUTES, title="pbstore", version="1")["paths"]
    found = {(name.upper(), path) for path, operations in paths.items() for name in operations}
    assert found == {(one.http_method, one.path) for one in (*ROUTES, *ROUTES.directories)}
    for one in ROUTES:
        described = paths[one.path][one.http_method.lower()]
        body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        names = [parameter["name"] for parameter in described["parameters"]] + list(body.get("properties", ()))
        assert sorted(names) == sorted(parameter.name for parameter in one.parameters)
        assert described["x-permission"] == one.permission.text
        assert described["summary"] == one.description


def test_operation_ids_are_unique() -> None:
    paths: Any = openapi_document(ROUTES, title="pbstore", version="1")["paths"]
    ids = [described["operationId"] for operations in paths.values() for described in operations.values()]
    assert len(set(ids)) == len(ids)


def test_parameters_of_a_query() -> None:
    store, limit, force, kind = operation()["parameters"]
    assert (store["in"], store["required"]) == ("path", True)
    assert store["schema"] == {
        "type": "string",
        "pattern": "^(?:[a-z]+)$",
        "minLength": 3,
        "maxLength": 4096,
        "description": "which",
    }
    assert (limit["in"], limit["required"]) == ("query", False)
    assert limit["schema"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 9,
        "default": 5,
        "description": "how many",
    }
    assert force["schema"] == {"type": "boolean", "default": False, "description": "in any case"}
    assert kind["schema"]["items"]["enum"] == ["a", "b"]
    assert kind["schema"]["maxItems"] == 2


def test_parameters_of_a_body_are_a_form_or_json() -> None:
    described = operation(http_method="PUT")
    assert [parameter["name"] for parameter in described["parameters"]] == ["store"]
    content = described["requestBody"]["content"]
    assert set(content) == {"application/json", "application/x-www-form-urlencoded"}
    assert set(content["application/json"]["schema"]["properties"]) == {"limit", "force", "kind"}
    assert described["requestBody"]["required"] is False


def test_a_raw_body_leaves_the_parameters_in_the_query() -> None:
    described = operation(http_method="POST", raw_body=10)
    assert len(described["parameters"]) == 4
    assert list(described["requestBody"]["content"]) == ["application/octet-stream"]


def test_who_may_call() -> None:
    described = operation()
    assert described["x-permission"] == "A or B on /datastore/{store}"
    assert described["security"] == [{"token": []}, {"ticket": []}]
    assert "403" in described["responses"]
    assert Privilege("/", ("A", "B")).text == "A and B on /"
    assert ANYBODY.text == "every valid login"
    assert "without credentials" in WORLD.text


@pytest.mark.parametrize(
    ("shape", "schema"),
    [
        (Nothing(), {"type": "null"}),
        (Text(description="x"), {"type": "string"}),
        (Number(description="x"), {"type": "number"}),
        (Items(description="x", item=Nothing()), {"type": "array"}),
        (OneOf(description="x", choices=(Nothing(), Number(description="y"))), {}),
        (
            Object(
                description="x",
                properties=(always("a", Nothing()), perhaps("b", Nothing())),
            ),
            {"type": "object", "required": ["a"], "additionalProperties": False},
        ),
    ],
)
def test_results(shape: Shape, schema: dict[str, object]) -> None:
    envelope = operation(result=shape)["responses"]["200"]["content"]["application/json"]["schema"]
    assert envelope["required"] == ["data"]
    assert schema.items() <= envelope["properties"]["data"].items()


def test_results_with_more_than_data() -> None:
    result = Result(
        data=Nothing(),
        beside=(always("total", Integer(description="all")),),
        instead=Content(description="a file", media_type="text/plain"),
    )
    content = operation(result=result)["responses"]["200"]["content"]
    assert content["application/json"]["schema"]["required"] == ["data", "total"]
    assert content["text/plain"] == {}


def test_files_and_sessions() -> None:
    assert operation(result=Content(description="x"))["responses"]["200"]["content"] == {"application/octet-stream": {}}
    responses = operation(result=Session(description="a session", protocol="p-v1"))["responses"]
    assert responses["101"] == {"description": "The connection becomes a session: p-v1."}
    assert "200" not in responses


def test_listings_of_inner_nodes_are_routes_too() -> None:
    paths = document()["paths"]
    assert set(paths) == {"/", "/store/{store}", "/store/{store}/thing"}
    assert [parameter["name"] for parameter in paths["/store/{store}"]["get"]["parameters"]] == ["store"]
