"""Any `storage.cfg` can be read; a change touches what was to be changed and nothing else."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pbstore.config.roots import Roots
from pbstore.errors import FormatError
from pbstore.pve.host import Host
from pbstore.pve.section_text import SectionLines
from pbstore.pve.storage.retention import canonical_retention, parse_retention
from pbstore.pve.storage.storage import Storage
from pbstore.pve.storage.storage_cfg import StorageEdit
from pbstore.pve.storage.volume_id import BackupVolume, VolumeId

LINES = st.sampled_from(
    [
        "pbs: b1", "pbs: b2", "dir: local", "nfs: share", "foo: bar", "pbs: x", "PBS: b1",
        "\tdatastore main", "\tserver a.example", "\tserver b.example", "\tdisable", "\tdisable 0", "\tport 9007",
        "\tport x", "\tpath /var/lib/vz", "\tcontent backup", "\tcontent images", "\tnodes pve1,pve2", "\tmaxfiles 3",
        "\tprune-backups keep-last=1", "\tcolour blue", "# comment", "\t# comment", "", " ", "rubbish", "\r", "\t",
    ]
)  # fmt: skip
FILES = st.one_of(
    st.lists(LINES).map(lambda lines: "\n".join(lines).encode()),
    st.lists(LINES).map(lambda lines: "".join(f"{line}\n" for line in lines).encode()),
    st.binary(max_size=200),
    st.text(alphabet="pbsdir: \t\n\r#\x00é", max_size=80).map(str.encode),
)
PORTS = st.integers(min_value=1, max_value=65535)


HOST = Host(Roots.below(Path("/nowhere")), "pve1")


def edited(content: bytes, change: Callable[[StorageEdit], None]) -> bytes:
    """The content after a change."""
    edit = StorageEdit(HOST, content)
    change(edit)
    return edit.render()


def loaded(content: bytes) -> Mapping[str, Storage]:
    """The storages in it."""
    return StorageEdit(HOST, content).loaded.storages


def others(content: bytes) -> list[bytes]:
    """The bytes of the file without the sections that are called b1."""
    return [part for part in content.split(b"\n\n") if b"b1" not in part]


@given(FILES)
def test_reading_loses_nothing(content: bytes) -> None:
    assert SectionLines.parse(content, "x").render() == content


@given(FILES, PORTS)
def test_a_change_is_one(content: bytes, port: int) -> None:
    before = loaded(content)
    storage = before.get("b1")
    if storage is None:
        return
    values = {key: value for key, value in storage.values.items() if (key, value) != ("disable", False)}
    changed = Storage("b1", storage.storage_type, {**values, "port": port})
    written = edited(content, lambda edit: edit.put(changed))
    assert loaded(written) == {**before, "b1": changed}
    assert others(written) == others(content)
    assert edited(written, lambda edit: edit.put(changed)) == written


@given(FILES)
def test_a_removal_is_one(content: bytes) -> None:
    before = loaded(content)
    after = loaded(edited(content, lambda edit: edit.remove("b1")))
    assert after == {key: value for key, value in before.items() if key != "b1"}


@given(FILES)
def test_a_new_storage_changes_no_other(content: bytes) -> None:
    before = loaded(content)
    new = Storage("new", before["local"].storage_type, {"path": "/x"})
    written = edited(content, lambda edit: edit.put(new))
    assert written.startswith(content)
    assert loaded(written) == {**before, "new": new}


KEEP = st.sampled_from(["keep-all=1", "keep-last=3", "keep-daily=0", "x", ""])
VOLUMES = r"\A[a-z]{1,3}:backup/(vm|ct|host|x)/[0-9a-z_/]{0,4}/20[0-9]{2}-[01][0-9]-0[1-9]T00:00:00Z\Z"


@given(st.text(max_size=60) | st.lists(KEEP).map(",".join))
def test_retention_texts(text: str) -> None:
    try:
        canonical = canonical_retention(text)
    except FormatError:
        return
    assert parse_retention(canonical) == parse_retention(text)
    assert canonical_retention(canonical) == canonical


@given(st.text(max_size=80) | st.from_regex(VOLUMES))
def test_volume_ids(text: str) -> None:
    try:
        volume = VolumeId.parse(text)
        assert str(volume) == text
        backup = BackupVolume.parse(volume.name)
    except FormatError:
        return
    assert str(backup.in_storage(volume.storage_id)) == text
