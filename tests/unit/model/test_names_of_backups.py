"""Groups, snapshots, times, namespaces and archive names (manifest.md 4, 5)."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbstore.errors import FormatError
from pbstore.model.archive_name import archive_name, server_file_name
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.backup_time import format_backup_time, parse_backup_time
from pbstore.model.names import check_datastore_name
from pbstore.model.namespace import Namespace

FIRST = string.ascii_letters + string.digits + "_"
safe_ids = st.builds(str.__add__, st.sampled_from(FIRST), st.text(FIRST + ".-", max_size=20))
groups = st.builds(BackupGroup, st.sampled_from(BackupType), safe_ids)
snapshots = st.builds(Snapshot, groups, st.integers(1, 253402300799))


@given(snapshots)
def test_snapshot_round_trip(snapshot: Snapshot) -> None:
    assert Snapshot.parse(str(snapshot)) == snapshot
    assert BackupGroup.parse(str(snapshot.group)) == snapshot.group


@given(st.integers(1, 253402300799))
def test_time_round_trip(seconds: int) -> None:
    assert parse_backup_time(format_backup_time(seconds)) == seconds


@given(st.lists(safe_ids.map(lambda text: text[:20]), max_size=7))
def test_namespace_round_trip(components: list[str]) -> None:
    namespace = Namespace(tuple(components))
    assert Namespace.parse(str(namespace)) == namespace
    assert namespace.directory.parts[1::2] == namespace.components


def test_example_of_the_specification() -> None:
    snapshot = Snapshot.parse("host/elsa/2020-06-26T13:56:05Z")
    assert snapshot.backup_time == 1593179765
    assert str(Namespace.parse("a/b").directory) == "ns/a/ns/b"


def test_groups_sort_by_type_then_number_then_name() -> None:
    expected = ["ct/9", "ct/10", "ct/a", "host/1x", "vm/2", "vm/18446744073709551615", "vm/18446744073709551616"]
    assert [str(group) for group in sorted(map(BackupGroup.parse, reversed(expected)))] == expected


@pytest.mark.parametrize(
    "text",
    [
        "host/elsa",
        "host/elsa/2020-06-26T13:56:05",
        "host/elsa/2020-02-30T13:56:05Z",
        "host/elsa/1970-01-01T00:00:00Z",
        "vm/../2020-06-26T13:56:05Z",
        "vm/.a/2020-06-26T13:56:05Z",
        "vm/-a/2020-06-26T13:56:05Z",
        "img/1/2020-06-26T13:56:05Z",
        "vm/1/2020-06-26T13:56:05Z/x",
        "vm/1\n/2020-06-26T13:56:05Z",
        "vm/1/2020-06-26T13:56:05Z\n",
    ],
)
def test_refused_snapshots(text: str) -> None:
    with pytest.raises(FormatError):
        Snapshot.parse(text)


@pytest.mark.parametrize("text", ["/", "a/", "/a", "a//b", "..", "a/../b", "1/2/3/4/5/6/7/8", "a/b\n", "x" * 257])
def test_refused_namespaces(text: str) -> None:
    with pytest.raises(FormatError):
        Namespace.parse(text)


def test_seven_levels_are_allowed() -> None:
    assert len(Namespace.parse("1/2/3/4/5/6/7").components) == 7


@pytest.mark.parametrize(
    ("name", "file_name"),
    [
        ("root.pxar", "root.pxar.didx"),
        ("root.mpxar", "root.mpxar.didx"),
        ("catalog.pcat1", "catalog.pcat1.didx"),
        ("disk.img", "disk.img.fidx"),
        ("vm.conf", "vm.conf.blob"),
        ("index.json", "index.json.blob"),
        ("rsa-encrypted.key", "rsa-encrypted.key.blob"),
        ("disk.img.fidx", "disk.img.fidx"),
    ],
)
def test_file_names(name: str, file_name: str) -> None:
    assert server_file_name(name) == file_name
    assert archive_name(file_name) == name.removesuffix(".fidx")


@pytest.mark.parametrize("name", ["root", "root.zip", "../x.img", ".img", "a/b.img", ""])
def test_refused_archive_names(name: str) -> None:
    with pytest.raises(FormatError):
        server_file_name(name)


@pytest.mark.parametrize("name", ["ab", "a" * 33, "a b", ".abc", "-abc", "a/bc"])
def test_refused_datastore_names(name: str) -> None:
    with pytest.raises(FormatError):
        check_datastore_name(name)
