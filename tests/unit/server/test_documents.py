"""The API viewer and the OpenAPI document: who gets them, and that a browser needs nothing else."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from pbstore.server.methods.all_methods import ROUTES
from pbstore.server.viewer.path_tree import PathTree
from pbstore.server.viewer.type_text import Schema, choices, members, pattern, type_text
from unit.server.application_site import Site

PAGE = "/docs/api-viewer/index.html"
PATHS = {method.path for method in (*ROUTES, *ROUTES.directories)}


class Page(HTMLParser):
    """Tags with their attributes; a tag that is not closed where it should be fails."""

    VOID = frozenset(("meta", "input", "br", "wbr"))

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def values(self, tag: str, attribute: str) -> list[str]:
        return [found for name, values in self.tags if name == tag and (found := values.get(attribute)) is not None]


@pytest.fixture
def text(site: Site) -> str:
    return site.call("GET", PAGE).text


def test_the_viewer_is_one_page_for_everybody(site: Site) -> None:
    answer = site.call("GET", PAGE)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html;charset=UTF-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_directory_leads_to_the_page(site: Site) -> None:
    answer = site.call("GET", "/docs/api-viewer")
    assert (answer.status, answer.headers["location"]) == (302, PAGE)


def test_nothing_else_is_served_beside_it(site: Site) -> None:
    for path in ("/docs", "/docs/api-viewer/style.css", "/docs/api-viewer/../x", "/docs/api-viewer/page.html"):
        assert site.call("GET", path).status == 404
    assert site.call("POST", PAGE).status == 404


def test_the_policy_allows_just_what_is_in_the_page(site: Site) -> None:
    answer = site.call("GET", PAGE)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    for directive, tag in (("style-src", "style"), ("script-src", "script")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"


def test_the_page_asks_for_nothing_else(text: str) -> None:
    page = Page(text)
    assert {name for name, _ in page.tags} & {"link", "img", "iframe", "object", "embed", "form", "base"} == set()
    for attribute in ("src", "style", "onclick", "onload"):
        assert not [tag for tag, values in page.tags if attribute in values]
    assert "@import" not in text
    assert "url(" not in text
    links = page.values("a", "href")
    assert {link for link in links if not link.startswith("#")} == {"openapi.json"}


def test_every_path_is_in_the_tree_and_has_an_article(text: str) -> None:
    page = Page(text)
    assert set(page.values("article", "id")) == {*PATHS, "overview"}
    assert {unquote(link[1:]) for link in page.values("a", "href") if link.startswith("#/")} == PATHS


def test_every_method_is_described(text: str) -> None:
    for method in ROUTES:
        (article,) = re.findall(rf'<article id="{re.escape(method.path)}">(.*?)</article>', text, re.S)
        assert f">{method.http_method}</span>" in article
        for parameter in method.parameters:
            assert f"<code>{parameter.name}</code>" in article


def test_the_page_is_compressed_for_browsers(site: Site) -> None:
    answer = site.call("GET", PAGE, headers={"accept-encoding": "gzip, deflate, br"})
    assert answer.headers["content-encoding"] == "deflate"


def test_the_document_is_for_everybody(site: Site) -> None:
    answer = site.call("GET", "/docs/api-viewer/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert set(json.loads(answer.text)["paths"]) == PATHS


def test_descriptions_cannot_break_out_of_the_page(text: str) -> None:
    assert "<host>" not in text
    assert "<datastore>" not in text


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string", "minLength": 3, "maxLength": 32}, "text, 3 to 32 characters"),
        ({"type": "string", "maxLength": 9}, "text, up to 9 characters"),
        ({"type": "string"}, "text"),
        ({"type": "integer", "minimum": 0}, "integer, at least 0"),
        ({"type": "integer", "minimum": 0, "maximum": 7}, "integer, 0 to 7"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "string", "enum": ["a"]}, "one of"),
        ({"type": "array", "items": {"type": "object", "properties": {}}}, "list of objects"),
        ({"type": "array", "items": {"type": "string"}}, "list of texts"),
        ({"type": "array", "items": {"type": "string", "enum": ["a"]}}, "list of values"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "number or null"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "object: name \u2192 boolean"),
        ({}, "anything"),
    ],
)
def test_types_in_words(schema: Schema, text: str) -> None:
    assert type_text(schema) == text


def test_what_is_worth_a_table() -> None:
    thing = {"type": "object", "properties": {"a": {"type": "null"}}}
    assert members({"anyOf": [{"type": "null"}, thing]}) == thing
    assert members({"type": "array", "items": thing}) == thing
    assert members({"type": "object", "additionalProperties": thing}) == thing
    assert members({"type": "string"}) is None
    assert choices({"type": "array", "items": {"enum": ["a", "b"]}}) == ["a", "b"]
    assert pattern({"pattern": "^(?:[a-z]+)$"}) == "[a-z]+"


def test_paths_as_a_tree() -> None:
    tree = PathTree.of(["/a/b", "/", "/a"])
    assert list(tree.children) == ["", "a"]
    assert tree.children[""].path == "/"
    assert tree.children["a"].children["b"].path == "/a/b"
