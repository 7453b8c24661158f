"""Calls of a reader session that ask for what is not theirs."""

from urllib.parse import quote

import pytest

from hostile.finished_backup import finished_backup
from hostile.hostile_site import HostileSite
from pbstore._core import FixedIndex

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def name(shared_site: HostileSite) -> str:
    """A finished backup."""
    return finished_backup(shared_site)


@pytest.mark.parametrize(
    "file_name",
    [
        "../../../../etc/passwd",
        "../index.json.blob",
        "/etc/passwd",
        "..%2findex.json.blob",
        "owner",
        ".",
        "",
        "a\0.blob",
        "x" * 50_000 + ".blob",
        "index.json.blob/",
        "index.json",
    ],
)
def test_files_that_are_none_of_the_snapshot(site: HostileSite, name: str, file_name: str) -> None:
    reader = site.reader(name)
    answer = reader.call("GET", f"/download?file-name={quote(file_name, safe='')}")
    assert answer.status == 400
    assert len(answer.body) < 500
    assert reader.call("GET", "/download?file-name=index.json.blob").status == 200


def test_a_chunk_is_read_only_behind_its_index(site: HostileSite, name: str) -> None:
    index = FixedIndex.parse(next((site.store / "host" / name).glob("*/disk.img.fidx")).read_bytes())
    reader = site.reader(name)
    target = f"/chunk?digest={index.digest(0).hex()}"
    assert reader.call("GET", target).status == 401
    assert reader.call("GET", "/download?file-name=disk.img.fidx").status == 200
    assert reader.call("GET", target).status == 200
    foreign = finished_backup(site)
    path = next((site.store / "host" / foreign).glob("*/disk.img.fidx"))
    assert reader.call("GET", f"/chunk?digest={FixedIndex.parse(path.read_bytes()).digest(0).hex()}").status == 401


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "/fixed_chunk", 404),
        ("PUT", "/fixed_index", 404),
        ("POST", "/finish", 404),
        ("POST", "/blob?file-name=x.blob&encoded-size=12", 404),
        ("GET", "/chunk?digest=..%2f..%2fowner", 400),
        ("GET", "/chunk", 400),
        ("GET", "/previous?archive-name=index.json.blob", 404),
    ],
)
def test_calls_of_the_other_protocol(site: HostileSite, name: str, method: str, target: str, status: int) -> None:
    assert site.reader(name).call(method, target, b"" if method != "GET" else None).status == status


def test_downloads_with_bodies(site: HostileSite, name: str) -> None:
    reader = site.reader(name)
    assert reader.call("GET", "/download?file-name=index.json.blob", bytes(600_000)).status == 400
    assert reader.call("GET", "/speedtest", bytes(100)).status == 200
