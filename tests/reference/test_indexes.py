"""Index files that the original programs wrote."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pbstore import _core
from reference.original_store import parse_index

TIME_FORMAT = "%a %b %d %H:%M:%S %Y"


def indexes(datastore: Path) -> list[Path]:
    return sorted(path for path in datastore.rglob("*.[fd]idx") if ".chunks" not in path.parts)


@pytest.mark.parametrize("release", ["323", "423"])
def test_every_index_as_the_original_inspects_it(release: str, request: pytest.FixtureRequest) -> None:
    datastore: Path = request.getfixturevalue(f"datastore_{release}")
    fixtures: Path = request.getfixturevalue(f"fixtures_{release}")
    compared = 0
    for path in indexes(datastore):
        index = parse_index(path)
        assert index.csum == path.read_bytes()[32:64]
        assert index.find(index.size - 1) == len(index) - 1
        name = str(path.relative_to(datastore)).replace("/", "_").replace(":", "_")
        report = fixtures / "inspect" / f"{name}.json"
        if report.exists():
            check(index, json.loads(report.read_text()), compare_ctime=path.suffix == ".fidx" or release == "423")
            compared += 1
    assert compared >= 10


def check(index: _core.FixedIndex | _core.DynamicIndex, report: dict[str, object], *, compare_ctime: bool) -> None:
    digests = [index.digest(number).hex() for number in range(len(index))]
    # The original lists a repeated digest once, in no order.
    assert set(digests) == set(report["chunk-digests"])  # type: ignore[call-overload]
    # For a dynamic index the original reports the length of the file.
    is_fixed = isinstance(index, _core.FixedIndex)
    assert report["size"] == (index.size if is_fixed else 4096 + 40 * len(index))
    if compare_ctime:
        # Release 3.2 reports "now" for dynamic indexes (indexes.md 3).
        assert datetime.fromtimestamp(index.ctime, UTC).strftime(TIME_FORMAT).replace(" 0", " ") == str(
            report["ctime"]
        ).replace("  ", " ").replace(" 0", " ")
