"""No recorded request is forgotten: each is replayed by a test, or waits for an area with a name."""

import ast
import re
from pathlib import Path

import pytest

from reference.capture_classes import DEFECTS_OF_THE_ORIGINAL, LATER, REPLAYED

RELEASES = ("4.2.3", "3.2.4")
_INDEX_LINES = {
    "4.2.3": re.compile(r"^([\w-]+): (?:GET|PUT|POST|DELETE|HEAD|OPTIONS) ", re.M),
    "3.2.4": re.compile(r" -> (\w+) HTTP"),
}


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def recorded_names(release: str, fixtures_423: Path) -> set[str]:
    index = (fixtures_423.parent / release / "api" / "INDEX.txt").read_text()
    return set(_INDEX_LINES[release].findall(index))


def replayed_names(release: str) -> set[str]:
    return {name for names in REPLAYED[release].values() for name in names.split()}


def test_every_request_is_in_a_class(release: str, recorded_names: set[str]) -> None:
    later = {name for names in LATER[release].values() for name in names.split()}
    assert recorded_names - replayed_names(release) - later - DEFECTS_OF_THE_ORIGINAL[release] == set()


def test_the_classes_name_no_other_requests(release: str, recorded_names: set[str]) -> None:
    named = [*REPLAYED[release].values(), *LATER[release].values()]
    assert {name for names in named for name in names.split()} <= recorded_names


def test_what_is_replayed_stands_in_the_test_that_is_named(release: str) -> None:
    for module, names in REPLAYED[release].items():
        tree = ast.parse(Path(__file__).with_name(f"{module}.py").read_text())
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert set(names.split()) - texts == set(), module
