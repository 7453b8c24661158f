"""Lists of archives and downloads out of them, beside what the originals answered about their own stores."""

import base64
import hashlib
import io
import json
import lzma
import os
import re
import signal
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pbstore.config.roots import Roots
from reference.recorded_server import recorded
from reference.served_store import ServedStore, recorded_download

OCTETS, JSON = "application/octet-stream", "application/json;charset=UTF-8"
FIX42 = "/srv/fx42/ds"
SPLIT = "/admin/datastore/fix42/pxar-file-download?backup-type=host&backup-id=split&backup-time=1780387200"
FIX = "/admin/datastore/fix/{}?backup-type=host&backup-id=fixhost&backup-time=1717597476"


@pytest.fixture(scope="module")
def served_423(
    datastore_423: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[ServedStore]:
    made = ServedStore(tmp_path_factory.mktemp("archives-423"), "fix42", datastore_423, server_certificate)
    yield made
    made.server.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def served_324(
    datastore_323: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[ServedStore]:
    made = ServedStore(tmp_path_factory.mktemp("archives-324"), "fix", datastore_323, server_certificate)
    yield made
    made.server.stop(signal.SIGKILL)


def encoded(path: str | bytes) -> str:
    data = path.encode() if isinstance(path, str) else path
    return quote(base64.b64encode(data).decode(), safe="")


def in_split(path: str | bytes, options: str = "") -> str:
    return f"{SPLIT}&filepath={encoded(path)}&archive-name=tree.mpxar.didx{options}"


def target_of(fixtures: Path, name: str) -> str:
    index = (fixtures / "api" / "INDEX.txt").read_text()
    match = re.search(rf"^{name}: GET (\S+) ", index, re.M)
    assert match is not None
    return match[1]


def sorted_items(data: Any) -> list[Any]:
    """The original lists the children in the order of a hash table."""
    return sorted(data, key=lambda item: str(item["filepath"]))


@pytest.mark.parametrize(
    "name", ["catalog_legacy_root", "catalog_split_root", "catalog_split_small", "catalog_split_kinds"]
)
def test_same_lists(fixtures_423: Path, served_423: ServedStore, name: str) -> None:
    answer = served_423.get(target_of(fixtures_423, name))
    status, headers, body = recorded(fixtures_423, name)
    assert (answer.status, answer.headers["content-type"]) == (status, headers["content-type"])
    assert sorted_items(answer.data) == sorted_items(json.loads(body)["data"])


@pytest.mark.parametrize("name", ["catalog_split_noarchive", "catalog_split_nodir", "catalog_enc", "catalog_badb64"])
def test_same_refusals(fixtures_423: Path, served_423: ServedStore, name: str) -> None:
    answer = served_423.get(target_of(fixtures_423, name))
    status, headers, body = recorded(fixtures_423, name)
    assert (answer.status, answer.headers["content-type"]) == (status, headers["content-type"])
    assert answer.text == body.replace(FIX42, str(served_423.path))


@pytest.mark.parametrize(("name", "filepath"), [("catalog_root", "/"), ("catalog_tree", "L3RyZWUucHhhci5kaWR4")])
def test_same_lists_of_3_2(fixtures_323: Path, served_324: ServedStore, name: str, filepath: str) -> None:
    answer = served_324.get(f"{FIX.format('catalog')}&filepath={filepath}")
    status, headers, body = recorded(fixtures_323, name)
    assert (answer.status, answer.headers["content-type"], answer.data) == (
        status,
        headers["content-type"],
        json.loads(body)["data"],
    )


def test_the_root_has_three_names(served_324: ServedStore) -> None:
    lists = [served_324.get(f"{FIX.format('catalog')}&filepath={name}").data for name in ("/", "root", encoded("/"))]
    assert lists[0] == lists[1] == lists[2]


@pytest.mark.parametrize("name", ["pxar_file", "pxar_oldpath", "pxar_root_zip"])
def test_same_bytes(fixtures_423: Path, served_423: ServedStore, name: str) -> None:
    download = recorded_download(fixtures_423, name)
    answer = served_423.get(download.target)
    assert (len(answer.body), hashlib.sha256(answer.body).hexdigest()) == (download.size, download.sha256)
    refused = name == "pxar_root_zip"
    assert (answer.status, answer.headers["content-type"]) == ((400, JSON) if refused else (200, OCTETS))


def test_a_symlink_is_no_file(fixtures_423: Path, served_423: ServedStore) -> None:
    """The original shows the insides of its program there."""
    answer = served_423.get(recorded_download(fixtures_423, "pxar_link").target)
    assert (answer.status, answer.headers["content-type"]) == (400, JSON)
    assert answer.text == 'cannot download file of type symlink: "/small/sym"'


def zip_of(served: ServedStore, target: str) -> zipfile.ZipFile:
    answer = served.get(target)
    assert (answer.status, answer.headers["content-type"]) == (200, OCTETS)
    assert "content-length" not in answer.headers
    archive = zipfile.ZipFile(io.BytesIO(answer.body))
    assert archive.testzip() is None
    return archive


def without_minutes(info: zipfile.ZipInfo) -> tuple[object, ...]:
    """The original's minutes are wrong."""
    year, month, day, hour, _, second = info.date_time
    return (info.filename, info.file_size, info.CRC, info.external_attr, (year, month, day, hour, second))


def test_same_zip_of_a_directory(fixtures_423: Path, served_423: ServedStore) -> None:
    ours = zip_of(served_423, recorded_download(fixtures_423, "pxar_dir_zip_small").target)
    theirs = zipfile.ZipFile(fixtures_423 / "api" / "pxar_dir_zip_small.zip")
    assert [without_minutes(info) for info in ours.infolist()] == [without_minutes(info) for info in theirs.infolist()]
    assert all(ours.read(name) == theirs.read(name) for name in theirs.namelist())


def test_same_members_of_all_kinds_in_a_zip(fixtures_423: Path, served_423: ServedStore) -> None:
    """But for names that are not UTF-8, sizes of hard links, and a byte too many in symlinks."""
    archive = zip_of(served_423, recorded_download(fixtures_423, "pxar_dir_zip_kinds").target)
    lines = (fixtures_423 / "api" / "pxar_dir_zip_kinds.list").read_text().replace("with\nnewline", "with newline")
    listed = re.findall(r"^(kinds/.*?) +\d{4}-\d\d-\d\d [\d:]{8} +(\d+)$", lines, re.M)
    theirs = {re.sub(r"(?<=kinds/caf).*", "", name): int(size) for name, size in listed}
    ours = {}
    for info in archive.infolist():
        name = re.sub(r"(?<=kinds/caf).*", "", info.filename.replace("\n", " ")).rstrip(" ")
        ours[name] = info.file_size + stat.S_ISLNK(info.external_attr >> 16)
    assert len(theirs) > 130
    hard_links = {"kinds/hl/b": 7, "kinds/hl/sub/c": 7}
    assert ours == theirs | hard_links
    assert archive.read("kinds/hl/sub/c") == archive.read("kinds/hl/a")
    assert archive.read("kinds/symlink-abs") == b"/etc/hostname"


def test_a_zip_of_hard_links_only(fixtures_423: Path, served_423: ServedStore) -> None:
    """The original sends nothing."""
    archive = zip_of(served_423, recorded_download(fixtures_423, "pxar_dir_zip").target)
    assert archive.namelist() == ["hl/", "hl/a", "hl/b", "hl/sub/", "hl/sub/c"]
    assert {archive.read(name) for name in ("hl/a", "hl/b", "hl/sub/c")} == {archive.read("hl/a")}


def tar_list(body: bytes) -> list[str]:
    """What GNU tar says of a compressed file, times in UTC."""
    plain = subprocess.run(["zstd", "-dc"], input=body, capture_output=True, check=True).stdout
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    listed = subprocess.run(["tar", "-tv"], input=plain, env=environment, capture_output=True, check=True)
    assert listed.stderr == b""
    return listed.stdout.decode().splitlines()


def test_same_tar_of_a_directory(fixtures_423: Path, served_423: ServedStore) -> None:
    """But for hard links, of which the original empties the first, and a time that no tar takes."""
    download = recorded_download(fixtures_423, "pxar_dir_tar")
    ours = tar_list(served_423.get(download.target).body)
    theirs = (fixtures_423 / "api" / "pxar_dir_tar.list").read_text().splitlines()
    theirs = [line for line in theirs if not line.startswith("tar: ")]

    def words(lines: list[str]) -> list[list[str]]:
        """A line each: mode, owner, size or device, date, time, name."""
        return [line.split(maxsplit=5) for line in lines if not hard_link.search(line) and "preepoch" not in line]

    hard_link = re.compile("kinds/hl/b|kinds/hl/sub/c")
    assert words(ours) == words(theirs)
    assert [line.partition(" kinds/")[2] for line in ours if hard_link.search(line)] == [
        "hl/b link to kinds/hl/a",
        "hl/sub/c link to kinds/hl/a",
    ]
    assert any("1965-03-04 05:06 kinds/time-preepoch" in line for line in ours)


@pytest.mark.parametrize("path", ["/kinds/fifo", "/kinds/dev/null-like", "/kinds/dev/sda-like", "/kinds/socket"])
def test_what_has_no_content_is_refused(served_423: ServedStore, path: str) -> None:
    answer = served_423.get(in_split(path))
    assert answer.status == 400
    assert answer.text.startswith("cannot download file of type ")


@pytest.mark.parametrize("path", ["", "/nope", "/small/nope", "/small/s-001/x", "/small/../small/s-001", "/small/."])
@pytest.mark.parametrize("option", ["", "&tar=1"])
def test_what_is_not_there_is_refused(served_423: ServedStore, path: str, option: str) -> None:
    answer = served_423.get(in_split(path, option))
    assert (answer.status, answer.text) == (400, f"error opening '\"{path}\"'")


def test_a_hard_link_has_the_content_of_its_file(served_423: ServedStore) -> None:
    answers = [served_423.get(in_split(f"/kinds/hl/{name}")) for name in ("a", "b", "sub/c")]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert len(answers[0].body) == 7


def test_names_are_bytes(served_423: ServedStore) -> None:
    answer = served_423.get(in_split(b"/kinds/caf\xe9-\xff-non-utf8"))
    assert (answer.status, len(answer.body)) == (200, 7)
    assert answer.headers["content-length"] == "7"


def test_encrypted_archives_are_refused(served_423: ServedStore) -> None:
    place = "backup-type=host&backup-id=encsplit&backup-time=1780300800&archive-name=enc.mpxar.didx"
    answer = served_423.get(f"/admin/datastore/fix42/pxar-file-download?{place}&filepath={encoded('/big.log')}")
    assert (answer.status, answer.text) == (400, "cannot decode 'enc.mpxar.didx' - is encrypted")


@pytest.mark.parametrize("path", ["%25%25", "Lw", "L3=="])
def test_what_is_no_base64(served_423: ServedStore, path: str) -> None:
    answer = served_423.get(f"{SPLIT}&filepath={path}&archive-name=tree.mpxar.didx")
    assert (answer.status, answer.text) == (400, "base64 decoding of path failed - error decoding base64 data")


@pytest.mark.parametrize(
    "name", ["disk.img.fidx", "vm.conf.blob", "tree.ppxar.didx", "nope.pxar.didx", "index.json.blob"]
)
def test_what_is_no_archive_of_files(served_423: ServedStore, name: str) -> None:
    assert served_423.get(f"{SPLIT}&filepath={encoded('/')}&archive-name={name}").status == 400
    assert served_423.get(f"{SPLIT}&filepath={encoded(f'/{name}/')}x").status == 400


def test_a_whole_archive(fixtures_423: Path, served_423: ServedStore) -> None:
    """It has no member for the root, and its names have no prefix."""
    archive = zip_of(served_423, f"{SPLIT}&filepath={encoded('/etc.mpxar.didx')}")
    text = lzma.decompress((fixtures_423 / "trees" / "src-g2-etc.json.xz").read_bytes())
    entries = json.loads(text)
    assert "conf.d/" in archive.namelist()
    assert len(entries) > 30


def test_a_version_1_archive(served_324: ServedStore) -> None:
    archive = zip_of(served_324, f"{FIX.format('pxar-file-download')}&filepath={encoded('/tree.pxar.didx/hl')}")
    assert archive.namelist() == ["hl/", "hl/a", "hl/b", "hl/sub/", "hl/sub/c"]
    named = served_324.get(f"{FIX.format('catalog')}&filepath={encoded('/hl')}&archive-name=tree.pxar.didx")
    assert [(item["text"], item["type"]) for item in named.data] == [("a", "f"), ("b", "h"), ("sub", "d")]
    lines = tar_list(
        served_324.get(f"{FIX.format('pxar-file-download')}&filepath={encoded('tree.pxar.didx')}&tar=1").body
    )
    assert sum("link to hl/a" in line for line in lines) == 2


def test_nothing_runs_on_the_stores_afterwards(served_423: ServedStore, served_324: ServedStore) -> None:
    for served, name in ((served_423, "fix42"), (served_324, "fix")):
        assert served.get(f"/admin/datastore/{name}/active-operations").data == {"read": 0, "write": 0}
