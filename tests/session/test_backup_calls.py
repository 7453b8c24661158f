"""The calls of a backup session one by one (backup-protocol.md 2, version-4.md 3).

Uploads of chunks are the front's and tested there; here chunks become known through `GET previous`.
"""

import hashlib

import pytest

from pbstore._core import open_blob, seal_blob
from session.session_script import (
    CHUNK_BYTES,
    Calls,
    Made,
    Store,
    append,
    dynamic_csum,
    first,
    known,
    then,
    upload_tree,
)

# previous_backup_time, previous (2.1)


def test_previous_backup_time(store: Store, base: Made, calls: Calls) -> None:
    assert calls.call("GET", "previous_backup_time").data == base.snapshot.backup_time
    assert store.backup(first(store)).call("GET", "previous_backup_time").data is None


def test_previous_streams_a_blob(calls: Calls, store: Store, base: Made) -> None:
    answer = calls.call("GET", "previous", {"archive-name": "vm.conf.blob"})
    assert answer.headers == [("content-type", "application/octet-stream")]
    assert answer.file_size == (store.directory(base.snapshot) / "vm.conf.blob").stat().st_size


@pytest.mark.parametrize(
    ("name", "status"),
    [("no.conf.blob", 404), ("no.img.fidx", 400), ("no.pxar.didx", 400), ("notes", 400), (".protected", 400)],
)
def test_previous_of_what_is_not_there(calls: Calls, name: str, status: int) -> None:
    assert calls.call("GET", "previous", {"archive-name": name}).status == status


@pytest.mark.parametrize("name", ["../owner.blob", "a/b.blob", "..", "x\0.blob", ""])
def test_previous_takes_no_paths(calls: Calls, name: str) -> None:
    assert calls.call("GET", "previous", {"archive-name": name}).status == 400


def test_previous_without_a_last_backup(store: Store) -> None:
    calls = store.backup(first(store))
    assert calls.call("GET", "previous", {"archive-name": "index.json.blob"}).text == "no valid previous backup"


def test_previous_index_makes_its_chunks_known(calls: Calls, base: Made) -> None:
    wid = calls.call("POST", "dynamic_index", {"archive-name": "root.pxar.didx"}).data
    lists = {"wid": wid, "digest-list": [base.tree[0].hex()], "offset-list": [0]}
    assert base.tree[0].hex() in calls.call("PUT", "dynamic_index", lists).text
    known(calls, "root.pxar.didx")
    assert calls.call("PUT", "dynamic_index", lists).data is None
    assert f"register chunks in 'root.pxar.didx' from previous backup '{base.snapshot}'." in calls.log
    assert f"download 'root.pxar.didx' from previous backup '{base.snapshot}'." in calls.log


# fixed_index and dynamic_index POST (2.2, 2.3)


def test_writer_ids_count_from_one_over_both_kinds(calls: Calls) -> None:
    names = ["a.pxar.didx", "b.img.fidx", "c.pxar.didx"]
    paths = ["dynamic_index", "fixed_index", "dynamic_index"]
    wids = [calls.call("POST", path, {"archive-name": name}).data for path, name in zip(paths, names, strict=True)]
    assert wids == [1, 2, 3]


def test_creation_is_logged_with_the_relative_path(store: Store, base: Made, calls: Calls) -> None:
    calls.call("POST", "fixed_index", {"archive-name": "disk.img.fidx", "size": 5})
    assert calls.log[-1] == f'created new fixed index 1 ("{then(base.snapshot)}/disk.img.fidx")'


@pytest.mark.parametrize(
    ("path", "name"), [("dynamic_index", "a.img.fidx"), ("fixed_index", "a.didx"), ("dynamic_index", "a")]
)
def test_the_extension_must_fit_the_kind(calls: Calls, path: str, name: str) -> None:
    assert "extension" in calls.call("POST", path, {"archive-name": name}).text


def test_an_image_has_at_least_one_byte(calls: Calls) -> None:
    assert calls.call("POST", "fixed_index", {"archive-name": "a.img.fidx", "size": 0}).status == 400


def test_reuse_csum_starts_from_the_last_index(calls: Calls, base: Made) -> None:
    known(calls, "disk.img.fidx")
    size = 2 * CHUNK_BYTES
    parameters = {"archive-name": "disk.img.fidx", "size": size, "reuse-csum": base.image_csum}
    wid = calls.call("POST", "fixed_index", parameters).data
    closing = {"wid": wid, "chunk-count": 0, "size": size, "csum": base.image_csum}
    assert calls.call("POST", "fixed_close", closing).data is None


@pytest.mark.parametrize(
    "changes",
    [
        {"size": None},
        {"reuse-csum": "00" * 32},
        {"reuse-csum": "xy"},
        {"size": 3 * CHUNK_BYTES},
        {"archive-name": "b.img.fidx"},
    ],
    ids=["no-size", "other-csum", "no-csum", "other-size", "other-name"],
)
def test_reuse_csum_must_fit(calls: Calls, base: Made, changes: dict[str, object]) -> None:
    parameters = {"archive-name": "disk.img.fidx", "size": 2 * CHUNK_BYTES, "reuse-csum": base.image_csum, **changes}
    sent: dict[str, object] = {key: value for key, value in parameters.items() if value is not None}
    assert calls.call("POST", "fixed_index", sent).status == 400


def test_reuse_csum_needs_a_last_backup(store: Store) -> None:
    calls = store.backup(first(store))
    parameters: dict[str, object] = {"archive-name": "a.img.fidx", "size": 1, "reuse-csum": "00" * 32}
    assert "previous" in calls.call("POST", "fixed_index", parameters).text


# append (2.5)


def test_lists_must_have_the_same_length(calls: Calls, base: Made) -> None:
    wid = calls.call("POST", "dynamic_index", {"archive-name": "a.pxar.didx"}).data
    lists = {"wid": wid, "digest-list": [base.tree[0].hex()], "offset-list": [0, 1]}
    assert calls.call("PUT", "dynamic_index", lists).text == "offset list has wrong length (2 != 1)"


def test_dynamic_offsets_are_strictly_sequential(calls: Calls, base: Made) -> None:
    known(calls, "root.pxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": "a.pxar.didx"}).data
    lists = {"wid": wid, "digest-list": [base.tree[0].hex()], "offset-list": [1]}
    assert calls.call("PUT", "dynamic_index", lists).status == 400


def test_fixed_entries_come_in_any_order_and_again(calls: Calls, base: Made) -> None:
    known(calls, "disk.img.fidx")
    wid = calls.call("POST", "fixed_index", {"archive-name": "a.img.fidx", "size": 2 * CHUNK_BYTES}).data
    append(calls, "fixed", wid, [(CHUNK_BYTES, base.image[0]), (0, base.image[0])])
    append(calls, "fixed", wid, [(CHUNK_BYTES, base.image[1])])
    closing = {"wid": wid, "chunk-count": 2, "size": 2 * CHUNK_BYTES}
    csum = hashlib.sha256(base.image[0] + base.image[1]).hexdigest()
    assert calls.call("POST", "fixed_close", closing | {"csum": csum}).status == 400, "three entries were appended"


def test_lists_in_a_query_are_taken_too(calls: Calls, base: Made) -> None:
    known(calls, "root.pxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": "a.pxar.didx"}).data
    query = f"wid={wid}&digest-list={base.tree[0].hex()}&digest-list={base.tree[1].hex()}"
    query += f"&offset-list=0&offset-list={base.tree_lengths[0]}"
    assert calls.query("PUT", "dynamic_index", query).data is None


@pytest.mark.parametrize("wid", [0, 257, 99])
def test_unknown_writers(calls: Calls, wid: int) -> None:
    assert calls.call("PUT", "dynamic_index", {"wid": wid, "digest-list": [], "offset-list": []}).status == 400


# close (2.6)


def test_close_checks_and_renames_and_logs(store: Store, base: Made, calls: Calls) -> None:
    upload_tree(calls, base)
    directory = store.directory(then(base.snapshot))
    assert {path.name for path in directory.iterdir()} == {".unfinished", "root.pxar.didx"}
    lines = calls.log
    start = lines.index("Upload statistics for 'root.pxar.didx'")
    assert lines[start + 3 : start + 5] == [f"Size: {sum(base.tree_lengths)}", "Chunk count: 2"]
    assert lines[-1] == "successfully closed dynamic index 1"


@pytest.mark.parametrize("wrong", [{"chunk-count": 3}, {"size": 1}, {"csum": "00" * 32}])
def test_a_failed_close_keeps_the_writer_and_blocks_finish(calls: Calls, base: Made, wrong: dict[str, object]) -> None:
    known(calls, "root.pxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": "a.pxar.didx"}).data
    append(calls, "dynamic", wid, [(0, base.tree[0])])
    csum = dynamic_csum([(base.tree_lengths[0], base.tree[0])])
    closing = {"wid": wid, "chunk-count": 1, "size": base.tree_lengths[0], "csum": csum}
    assert calls.call("POST", "dynamic_close", {**closing, **wrong}).status == 400
    calls.manifest(then(base.snapshot))
    assert calls.call("POST", "finish").text == "found open index writer - unable to finish backup"
    assert calls.call("POST", "dynamic_close", closing).data is None
    assert calls.call("POST", "finish").data is None


def test_a_second_close_is_an_error(calls: Calls, base: Made) -> None:
    upload_tree(calls, base)
    closing = {"wid": 1, "chunk-count": 2, "size": 1, "csum": "00" * 32}
    assert calls.call("POST", "dynamic_close", closing).status == 400


# blob (2.7)


def test_a_blob_is_stored_and_logged(store: Store, base: Made, calls: Calls) -> None:
    assert calls.blob("vm.conf.blob", b"hello").data is None
    path = store.directory(then(base.snapshot)) / "vm.conf.blob"
    assert open_blob(path.read_bytes()) == b"hello"
    assert path.stat().st_mode & 0o777 == 0o644
    size = path.stat().st_size
    assert calls.log[-1] == f'add blob "{path}" ({size} bytes, comp: {size})'


def test_a_blob_replaces_one_of_the_same_name(store: Store, base: Made, calls: Calls) -> None:
    calls.blob("vm.conf.blob", b"one")
    calls.blob("vm.conf.blob", b"two")
    assert open_blob((store.directory(then(base.snapshot)) / "vm.conf.blob").read_bytes()) == b"two"


@pytest.mark.parametrize("encoded_size", [12, 18, 20])
def test_the_length_of_a_blob_must_be_what_was_announced(calls: Calls, encoded_size: int) -> None:
    assert "wrong blob length" in calls.blob("a.blob", announced=encoded_size).text


def test_the_checksum_of_a_blob_is_verified(store: Store, base: Made, calls: Calls) -> None:
    damaged = bytearray(seal_blob(b"content"))
    damaged[-1] ^= 1
    parameters: dict[str, object] = {"file-name": "a.blob", "encoded-size": len(damaged)}
    assert calls.call("POST", "blob", parameters, bytes(damaged)).status == 400
    assert [path.name for path in store.directory(then(base.snapshot)).iterdir()] == [".unfinished"]


@pytest.mark.parametrize("name", ["a.conf", "a.fidx", "../a.blob", ".a.blob", "a/b.blob"])
def test_names_of_blobs(calls: Calls, name: str) -> None:
    assert calls.blob(name).status == 400


def test_what_is_no_blob_is_refused(calls: Calls) -> None:
    body = b"0123456789abcdef"
    answer = calls.call("POST", "blob", {"file-name": "a.blob", "encoded-size": len(body)}, body)
    assert answer.status == 400
