"""Downloads from the store of the original 4.2.3 by a real server of ours: the same bytes."""

import hashlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbstore.config.roots import Roots
from reference.served_store import ServedStore, recorded_download

DOWNLOADS = ("dl_didx", "dl_index", "dld_img", "dld_index", "dld_mpxar")
REFUSALS = ("dl_missing", "dld_enc")


@pytest.fixture(scope="module")
def served(
    datastore_423: Path, tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots
) -> Iterator[ServedStore]:
    made = ServedStore(tmp_path_factory.mktemp("downloads"), "fix42", datastore_423, server_certificate)
    yield made
    made.server.stop(signal.SIGKILL)


@pytest.mark.parametrize("name", [*DOWNLOADS, *REFUSALS])
def test_same_bytes(fixtures_423: Path, served: ServedStore, name: str) -> None:
    recorded = recorded_download(fixtures_423, name)
    answer = served.get(recorded.target)
    assert answer.status == (400 if name in REFUSALS else 200)
    assert (len(answer.body), hashlib.sha256(answer.body).hexdigest()) == (recorded.size, recorded.sha256)
    kind = "application/json;charset=UTF-8" if name in REFUSALS else "application/octet-stream"
    assert answer.headers["content-type"] == kind


@pytest.mark.parametrize("file_name", ["client.log.blob", "vm.conf.blob", "tree.ppxar.didx", "nope.didx", "owner"])
def test_other_files(served: ServedStore, file_name: str) -> None:
    place = f"backup-type=host&backup-id=split&backup-time=1780387200&file-name={file_name}"
    answer = served.get(f"/admin/datastore/fix42/download-decoded?{place}")
    assert answer.status == (200 if file_name in ("vm.conf.blob", "tree.ppxar.didx") else 400)


def test_nothing_runs_on_the_store_afterwards(served: ServedStore) -> None:
    assert served.get("/admin/datastore/fix42/active-operations").data == {"read": 0, "write": 0}
