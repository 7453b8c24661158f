"""The OpenAPI document as one HTML page that needs nothing else: no network, no script for reading."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import quote

from pbstore.server.viewer.operation import operation_html
from pbstore.server.viewer.path_tree import PathTree

METHOD_ORDER = ("get", "post", "put", "delete")


def viewer_page(document: Mapping[str, Any]) -> bytes:
    """Return the page of an OpenAPI document."""
    paths: Mapping[str, Any] = document["paths"]
    info = document["info"]
    page = Template(_text("page.html")).substitute(
        title=escape(info["title"]),
        version=escape(info["version"]),
        about=_paragraph(info["description"]),
        style=_text("style.css"),
        script=_text("search.js"),
        tree="".join(_tree_html(PathTree.of(paths), paths)),
        articles="".join(_article(path, operations) for path, operations in paths.items()),
        routes=sum(len(operations) for operations in paths.values()),
    )
    return page.encode()


@cache
def content_security_policy() -> str:
    """Return the policy of the page: its own style and script, known by their hashes, and nothing from anywhere."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(_text('style.css'))}'",
            f"script-src '{_hash(_text('search.js'))}'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _text(name: str) -> str:
    return files("pbstore.server.viewer").joinpath(name).read_text()


def _paragraph(text: str) -> str:
    """Escape; what stands between backticks becomes code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def _tree_html(tree: PathTree, paths: Mapping[str, Any]) -> Iterator[str]:
    """Yield the list of what is below a node, each with its methods."""
    yield "<ul>"
    for name, child in tree.children.items():
        words = escape(_search_words(child.path, paths.get(child.path, {})))
        badges = "".join(f"<i>{name.upper()}</i>" for name in METHOD_ORDER if name in paths.get(child.path, {}))
        link = f'<a href="#{quote(child.path)}" data-words="{words}"><b>{escape(name or "/")}</b>{badges}</a>'
        if child.children:
            yield f"<li><details open><summary>{link}</summary>"
            yield from _tree_html(child, paths)
            yield "</details></li>"
        else:
            yield f"<li>{link}</li>"
    yield "</ul>"


def _search_words(path: str, operations: Mapping[str, Any]) -> str:
    """What a search finds a path by: its own text, its methods and what they are for."""
    texts = [path, *(f"{name} {operation['summary']}" for name, operation in operations.items())]
    return " ".join(texts).lower()


def _article(path: str, operations: Mapping[str, Any]) -> str:
    parts = "".join(operation_html(path, name, operations[name]) for name in METHOD_ORDER if name in operations)
    return f'<article id="{escape(path)}"><h1>{_path_html(path)}</h1>{parts}</article>'


def _path_html(path: str) -> str:
    return escape(path).replace("/", "/<wbr>").replace("{", "<var>{").replace("}", "}</var>")
