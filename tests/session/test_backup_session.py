"""Backup sessions call by call (backup-protocol.md 2, protocol-transport.md 4.2 and 4.4, version-4.md 3).

Uploads of chunks are the front's and tested there; here chunks become known through `GET previous`.
"""

import threading
from pathlib import Path

import pytest

from pbstore._core import open_blob, seal_blob
from pbstore.datastore.groups import read_owner
from pbstore.datastore.locks import lock_group, lock_snapshot
from pbstore.datastore.snapshots import is_finished
from pbstore.errors import DatastoreError, LockedError, NotFoundError, PbstoreError
from pbstore.format.manifest import Manifest
from pbstore.model.auth_id import AuthId
from pbstore.model.backup import BackupGroup, BackupType, Snapshot
from pbstore.model.namespace import Namespace
from session.session_script import ALICE, CHUNK_BYTES, NOW, Calls, Made, Store, dynamic_csum

BOB = AuthId.parse("bob@pbs")
TOKEN = AuthId.parse("alice@pbs!tok")


def first(store: Store) -> Snapshot:
    return Snapshot(store.new_group(), NOW)


def then(snapshot: Snapshot, seconds: int = 60) -> Snapshot:
    return Snapshot(snapshot.group, snapshot.backup_time + seconds)


@pytest.fixture
def base(store: Store) -> Made:
    """A finished snapshot."""
    return store.finished(first(store))


@pytest.fixture
def calls(store: Store, base: Made) -> Calls:
    """A session on top of `base`."""
    return store.backup(then(base.snapshot))


def known(calls: Calls, name: str) -> None:
    assert calls.call("GET", "previous", {"archive-name": name}).file_size > 0


def append(calls: Calls, kind: str, wid: int, chunks: list[tuple[int, bytes]]) -> None:
    lists = {"digest-list": [digest.hex() for _, digest in chunks], "offset-list": [offset for offset, _ in chunks]}
    assert calls.call("PUT", f"{kind}_index", {"wid": wid, **lists}).data is None


def upload_tree(calls: Calls, base: Made, name: str = "root.pxar.didx") -> None:
    """A whole dynamic index of known chunks."""
    known(calls, "root.pxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": name}).data
    append(calls, "dynamic", wid, [(0, base.tree[0]), (base.tree_lengths[0], base.tree[1])])
    csum = dynamic_csum(zip(base.tree_lengths, base.tree, strict=True))
    closing = {"wid": wid, "chunk-count": 2, "size": sum(base.tree_lengths), "csum": csum}
    assert calls.call("POST", "dynamic_close", closing).data is None


def finish(calls: Calls, snapshot: Snapshot) -> None:
    assert calls.manifest(snapshot, "vm.conf.blob").data is None
    assert calls.call("POST", "finish").data is None


# Opening (protocol-transport.md 4.2)


def test_a_new_group_belongs_to_the_caller_and_both_are_locked(store: Store) -> None:
    snapshot = first(store)
    calls = store.backup(snapshot)
    assert read_owner(store.datastore, Namespace(), snapshot.group) == ALICE
    assert store.directory(snapshot).is_dir()
    with pytest.raises(LockedError):
        lock_group(store.datastore, Namespace(), snapshot.group)
    with pytest.raises(LockedError):
        lock_snapshot(store.datastore, Namespace(), snapshot, shared=True)
    calls.session.closed(None)


def test_an_unknown_namespace_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"^namespace not found$"):
        store.backup(first(store), namespace=Namespace.parse("no/such"))


def test_a_second_backup_of_the_group_is_refused(store: Store) -> None:
    snapshot = first(store)
    calls = store.backup(snapshot)
    with pytest.raises(LockedError, match=str(snapshot.group)):
        store.backup(then(snapshot))
    calls.session.closed(None)


@pytest.mark.parametrize(
    ("owner", "caller", "allowed"),
    [(ALICE, ALICE, True), (TOKEN, ALICE, True), (ALICE, TOKEN, False), (ALICE, BOB, False), (TOKEN, TOKEN, True)],
)
def test_owner_rule(store: Store, owner: AuthId, caller: AuthId, allowed: bool) -> None:
    base = store.finished(first(store), owner=owner)
    if allowed:
        store.backup(then(base.snapshot), caller=caller).session.closed(None)
        assert read_owner(store.datastore, Namespace(), base.snapshot.group) == owner
    else:
        with pytest.raises(DatastoreError, match=rf"^backup owner check failed \({caller} != {owner}\)$"):
            store.backup(then(base.snapshot), caller=caller)


@pytest.mark.parametrize("seconds", [0, -60])
def test_the_backup_must_be_newer_than_the_last(store: Store, base: Made, seconds: int) -> None:
    with pytest.raises(DatastoreError, match=r"^backup timestamp is older than last backup\.$"):
        store.backup(then(base.snapshot, seconds))


def test_a_refused_session_leaves_no_lock(store: Store, base: Made) -> None:
    with pytest.raises(DatastoreError):
        store.backup(then(base.snapshot, -60))
    store.backup(then(base.snapshot)).session.closed(None)


def test_a_last_backup_that_failed_verification_counts_as_none(store: Store) -> None:
    base = store.finished(first(store), verify_state={"state": "failed", "upid": "UPID:x"})
    calls = store.backup(then(base.snapshot, -60))
    assert calls.call("GET", "previous_backup_time").data is None
    calls.session.closed(None)


def test_an_unreadable_last_manifest_refuses_the_backup(store: Store, base: Made) -> None:
    (store.directory(base.snapshot) / "index.json.blob").write_bytes(b"damaged")
    with pytest.raises(PbstoreError):
        store.backup(then(base.snapshot))


def test_the_last_backup_is_share_locked(store: Store, base: Made, calls: Calls) -> None:
    with pytest.raises(LockedError):
        lock_snapshot(store.datastore, Namespace(), base.snapshot)
    lock_snapshot(store.datastore, Namespace(), base.snapshot, shared=True).release()
    calls.session.closed(None)
    lock_snapshot(store.datastore, Namespace(), base.snapshot).release()


def test_a_session_counts_as_writer_of_the_store(store: Store) -> None:
    calls = store.backup(first(store), now=NOW - 5)
    assert store.datastore.process_lock.oldest_writer is not None
    assert store.datastore.process_lock.oldest_writer <= NOW - 5
    calls.session.closed(None)


@pytest.mark.parametrize(
    ("group", "is_benchmark"),
    [(BackupGroup(BackupType.HOST, "benchmark"), False), (BackupGroup(BackupType.HOST, "other"), True)],
)
def test_benchmarks_have_a_group_of_their_own(store: Store, group: BackupGroup, is_benchmark: bool) -> None:
    with pytest.raises(PbstoreError, match="host/benchmark"):
        store.backup(Snapshot(group, NOW), is_benchmark=is_benchmark)


def test_a_backup_time_far_in_the_future_is_refused(store: Store) -> None:
    group = store.new_group()
    with pytest.raises(PbstoreError, match="601 seconds ahead of the server's clock"):
        store.backup(Snapshot(group, NOW + 601))
    store.backup(Snapshot(group, NOW + 600)).session.closed(None)


# GET / and routing


def test_root_lists_the_calls(calls: Calls) -> None:
    assert [item["subdir"] for item in calls.call("GET", "").data] == [
        "blob",
        "dynamic_chunk",
        "dynamic_close",
        "dynamic_index",
        "finish",
        "fixed_chunk",
        "fixed_close",
        "fixed_index",
        "previous",
        "previous_backup_time",
        "speedtest",
    ]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "nope"), ("GET", "finish"), ("POST", "previous"), ("PUT", "blob")]
)
def test_unknown_paths_and_wrong_methods_are_404(calls: Calls, method: str, path: str) -> None:
    answer = calls.call(method, path)
    assert (answer.status, answer.text) == (404, f"Path '/{path}' not found.")


def test_errors_have_plain_text_and_no_content_type_and_are_logged(calls: Calls) -> None:
    answer = calls.call("POST", "dynamic_index", {"archive-name": "x.didx", "bogus": 1})
    assert (answer.status, answer.headers) == (400, [])
    assert answer.text == "parameter verification failed - 'bogus': schema does not allow additional properties."
    assert calls.log[-1] == f"POST /dynamic_index: 400 Bad Request: {answer.text}"


def test_a_client_cannot_make_up_log_lines(calls: Calls) -> None:
    calls.call("POST", "dynamic_index", {"archive-name": "x.didx", "a\nTASK OK": 1})
    assert "TASK OK" not in calls.log


def test_debug_logs_every_call(store: Store) -> None:
    calls = store.backup(first(store), debug=True)
    calls.call("GET", "previous_backup_time")
    assert "GET /previous_backup_time" in calls.log
    calls.session.closed(None)


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


def test_c4_a_fixed_index_may_come_without_size(calls: Calls, base: Made) -> None:
    """C4: an image read from a pipe."""
    known(calls, "disk.img.fidx")
    wid = calls.call("POST", "fixed_index", {"archive-name": "pipe.img.fidx"}).data
    append(calls, "fixed", wid, [(0, base.image[0]), (CHUNK_BYTES, base.image[1])])
    closing = {"wid": wid, "chunk-count": 2, "size": 2 * CHUNK_BYTES, "csum": base.image_csum}
    assert calls.call("POST", "fixed_close", closing).data is None


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
    append(calls, "fixed", wid, [(CHUNK_BYTES, base.image[1]), (0, base.image[0])])


def test_lists_in_a_query_are_taken_too(calls: Calls, base: Made) -> None:
    known(calls, "root.pxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": "a.pxar.didx"}).data
    query = f"wid={wid}&digest-list={base.tree[0].hex()}&digest-list={base.tree[1].hex()}"
    query += f"&offset-list=0&offset-list={base.tree_lengths[0]}"
    assert calls.query("PUT", "dynamic_index", query).data is None


def test_c6_lists_may_be_longer_than_64(calls: Calls, base: Made) -> None:
    """C6: an injection adds up to 128 known chunks at once to 63 pending ones."""
    known(calls, "root.pxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": "a.ppxar.didx"}).data
    length = base.tree_lengths[0]
    append(calls, "dynamic", wid, [(number * length, base.tree[0]) for number in range(191)])


def test_c7_c8_split_archives_reuse_the_payload_of_the_last_backup(store: Store) -> None:
    """C7, C8: digests and lengths come from the previous `.ppxar.didx` alone."""
    base = store.finished(first(store))
    directory = store.directory(base.snapshot)
    for name in ("root.ppxar.didx", "root.mpxar.didx"):
        (directory / name).write_bytes((directory / "root.pxar.didx").read_bytes())
    calls = store.backup(then(base.snapshot))
    known(calls, "root.mpxar.didx")
    known(calls, "root.ppxar.didx")
    wid = calls.call("POST", "dynamic_index", {"archive-name": "root.ppxar.didx"}).data
    append(calls, "dynamic", wid, [(0, base.tree[1])])
    closing = {"wid": wid, "chunk-count": 1, "size": base.tree_lengths[1]}
    csum = dynamic_csum([(base.tree_lengths[1], base.tree[1])])
    assert calls.call("POST", "dynamic_close", {**closing, "csum": csum}).data is None
    calls.session.closed(None)


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


# finish (2.8)


def test_finish_needs_files(calls: Calls) -> None:
    assert calls.call("POST", "finish").text == "backup does not contain valid files (file count == 0)"


def test_finish_needs_a_manifest_and_can_be_repeated_with_one(store: Store, base: Made, calls: Calls) -> None:
    calls.blob("vm.conf.blob")
    assert "manifest" in calls.call("POST", "finish").text
    finish(calls, then(base.snapshot))
    assert is_finished(store.datastore, Namespace(), then(base.snapshot))


def test_finish_refuses_what_is_no_manifest(calls: Calls) -> None:
    calls.blob("index.json.blob", b"[]")
    assert calls.call("POST", "finish").status == 400


def test_finish_needs_the_base_to_be_there_still(store: Store, base: Made, calls: Calls) -> None:
    calls.blob("vm.conf.blob")
    calls.manifest(then(base.snapshot))
    directory = store.directory(base.snapshot)
    directory.rename(directory.with_name("gone"))
    assert "was removed meanwhile" in calls.call("POST", "finish").text


def test_the_manifest_appears_with_finish_and_not_before(store: Store, base: Made, calls: Calls) -> None:
    snapshot = then(base.snapshot)
    calls.manifest(snapshot, "vm.conf.blob")
    assert not is_finished(store.datastore, Namespace(), snapshot)
    assert calls.call("POST", "finish").data is None
    assert is_finished(store.datastore, Namespace(), snapshot)
    assert [path.name for path in store.directory(snapshot).iterdir()] == ["index.json.blob"]


def test_finish_adds_the_statistics_and_keeps_the_rest(store: Store, base: Made, calls: Calls) -> None:
    snapshot = then(base.snapshot)
    upload_tree(calls, base)
    manifest = Manifest(snapshot)
    manifest.unprotected["notes"] = "from another server"
    sealed = seal_blob(manifest.encode())
    calls.blob("index.json.blob", manifest.encode())
    calls.call("POST", "finish")
    stored = Manifest.parse(open_blob((store.directory(snapshot) / "index.json.blob").read_bytes()))
    assert stored.unprotected == {
        "notes": "from another server",
        "chunk_upload_stats": {"count": 0, "size": len(sealed), "compressed_size": 0, "duplicates": 0},
    }


@pytest.mark.parametrize(
    ("method", "path", "parameters"),
    [
        ("POST", "finish", {}),
        ("POST", "dynamic_index", {"archive-name": "a.pxar.didx"}),
        ("POST", "fixed_index", {"archive-name": "a.img.fidx", "size": 1}),
        ("PUT", "dynamic_index", {"wid": 1, "digest-list": [], "offset-list": []}),
        ("POST", "fixed_close", {"wid": 1, "chunk-count": 0, "size": 0, "csum": "00" * 32}),
    ],
)
def test_nothing_changes_after_finish(
    calls: Calls, base: Made, method: str, path: str, parameters: dict[str, object]
) -> None:
    finish(calls, then(base.snapshot))
    assert calls.call(method, path, parameters).text == "backup already in 'finished' state."
    assert calls.blob("late.blob").text == "backup already in 'finished' state."


def test_c13_all_locks_are_free_when_finish_is_answered(store: Store, base: Made, calls: Calls) -> None:
    """C13: the next session of the group starts while the connection of the first is still open."""
    snapshot = then(base.snapshot)
    calls.blob("vm.conf.blob")
    finish(calls, snapshot)
    following = store.backup(then(snapshot))
    assert following.call("GET", "previous_backup_time").data == snapshot.backup_time
    lock_snapshot(store.datastore, Namespace(), base.snapshot).release()
    following.session.closed(None)
    calls.session.closed(None)
    assert is_finished(store.datastore, Namespace(), snapshot)


def test_c5_a_reader_session_on_the_base_while_the_backup_runs(store: Store, base: Made, calls: Calls) -> None:
    """C5: metadata mode reads the previous snapshot over a second connection, as the owner."""
    reader = store.reader(base.snapshot, only_of=ALICE)
    assert reader.call("GET", "download", {"file-name": "root.pxar.didx"}).file_size > 0
    reader.session.closed(None)
    calls.blob("vm.conf.blob")
    finish(calls, then(base.snapshot))


def test_c3_no_cache_is_a_parameter_of_the_upgrade() -> None:
    """C3: accepted and without meaning on stores that are no object storage."""
    from pbstore.server.methods.sessions import backup

    assert "no-cache" in {parameter.name for parameter in backup.parameters}


# The end (protocol-transport.md 4.4)


def test_closing_after_finish_is_a_success_however_it_happens(base: Made, calls: Calls) -> None:
    calls.blob("vm.conf.blob")
    finish(calls, then(base.snapshot))
    calls.session.closed("connection reset")
    assert calls.log[-2:] == ["backup finished successfully", "TASK OK"]


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (None, "backup ended but finished state is not set."),
        ("broken pipe", "connection error: broken pipe"),
    ],
)
def test_closing_before_finish_removes_the_snapshot(
    store: Store, base: Made, calls: Calls, reason: str | None, error: str
) -> None:
    calls.call("POST", "dynamic_index", {"archive-name": "a.pxar.didx"})
    calls.manifest(then(base.snapshot))
    calls.session.closed(reason)
    assert not store.directory(then(base.snapshot)).exists()
    assert store.directory(base.snapshot).exists()
    assert calls.log[-3:] == [
        f"backup ended and finish failed: {error}",
        "removing unfinished backup",
        f"TASK ERROR: {error}",
    ]


def test_a_failed_first_backup_takes_the_empty_group_along(store: Store) -> None:
    snapshot = first(store)
    store.backup(snapshot).session.closed(None)
    assert not store.directory(snapshot).parent.exists()
    store.backup(snapshot, caller=BOB).session.closed(None)


def test_locks_are_free_after_a_failed_session(store: Store, base: Made, calls: Calls) -> None:
    calls.session.closed("reset")
    lock_snapshot(store.datastore, Namespace(), base.snapshot).release()
    store.backup(then(base.snapshot)).session.closed(None)


def test_an_aborted_session_says_so(calls: Calls) -> None:
    calls.task.request_abort()
    calls.session.closed("connection was broken")
    assert calls.log[-1] == "TASK ERROR: task aborted"


def test_nothing_works_after_the_end(calls: Calls) -> None:
    calls.session.closed(None)
    assert calls.blob("late.blob").text == "backup already in 'closed' state."


def test_a_benchmark_leaves_nothing_and_is_a_success(store: Store) -> None:
    snapshot = Snapshot(BackupGroup(BackupType.HOST, "benchmark"), NOW)
    calls = store.backup(snapshot, is_benchmark=True)
    calls.session.closed(None)
    assert not store.directory(snapshot).exists()
    assert calls.log[-1] == "TASK OK"


def test_a_failing_removal_is_the_tasks_error_and_frees_the_locks(
    store: Store, base: Made, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise DatastoreError(f"removing {path} failed: Input/output error")

    monkeypatch.setattr("pbstore.datastore.removal._remove_directory", refuse)
    calls.session.closed(None)
    monkeypatch.undo()
    assert calls.log[-1].startswith("TASK ERROR: removing unfinished backup failed: removing ")
    lock_group(store.datastore, Namespace(), base.snapshot.group).release()


def test_closing_waits_for_a_finish_that_runs(store: Store, base: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client drops the connection while its finish is still being written: the backup stays."""
    snapshot = then(base.snapshot)
    calls = store.backup(snapshot)
    calls.manifest(snapshot)
    started, go_on = threading.Event(), threading.Event()
    original = type(calls.session._place).publish  # type: ignore[union-attr]

    def slow_publish(*arguments: object) -> None:
        started.set()
        assert go_on.wait(10)
        original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(type(calls.session._place), "publish", slow_publish)  # type: ignore[union-attr]
    finishing = threading.Thread(target=lambda: calls.call("POST", "finish"))
    finishing.start()
    assert started.wait(10)
    assert calls.blob("late.blob").text == "backup already in 'finishing' state."
    closing = threading.Thread(target=lambda: calls.session.closed("reset"))
    closing.start()
    go_on.set()
    finishing.join(10)
    closing.join(10)
    assert is_finished(store.datastore, Namespace(), snapshot)
    assert calls.log[-1] == "TASK OK"
