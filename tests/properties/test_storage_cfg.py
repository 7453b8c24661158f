"""Any `storage.cfg` can be read; a change touches what was to be changed and nothing else."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from pbstore.config.roots import Roots
from pbstore.errors import FormatError
from pbstore.pve.host import Host
from pbstore.pve.section_text import SectionLines
from pbstore.pve.storage.retention import canonical_retention, parse_retention
from pbstore.pve.storage.storage import Storage
from pbstore.pve.storage.storage_cfg import StorageFile
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


def sections(content: bytes) -> list[bytes]:
    """The bytes of the file, split at empty lines."""
    return content.split(b"\n\n")


@given(FILES)
def test_reading_loses_nothing(content: bytes) -> None:
    assert SectionLines.parse(content, "x").render() == content


@given(FILES, PORTS)
def test_a_change_is_one(content: bytes, port: int) -> None:
    with TemporaryDirectory() as directory:
        host = Host(Roots.below(Path(directory)), "pve1")
        host.roots.pve_dir.mkdir(parents=True)
        host.storage_cfg.write_bytes(content)
        before = StorageFile(host).load()
        storage = before.storages.get("b1")
        if storage is None:
            return
        changed = Storage("b1", storage.storage_type, {**storage.values, "port": port})
        with StorageFile(host).edit() as edit:
            edit.put(changed)
        after = StorageFile(host).load()
        assert after.storages == {**before.storages, "b1": changed}
        assert [part for part in sections(content) if b"b1" not in part] == [
            part for part in sections(host.storage_cfg.read_bytes()) if b"b1" not in part
        ]
        with StorageFile(host).edit() as edit:
            edit.remove("b1")
        rest = {key: value for key, value in before.storages.items() if key != "b1"}
        assert StorageFile(host).load().storages == rest


@given(FILES)
def test_a_new_storage_changes_no_other(content: bytes) -> None:
    with TemporaryDirectory() as directory:
        host = Host(Roots.below(Path(directory)), "pve1")
        host.roots.pve_dir.mkdir(parents=True)
        host.storage_cfg.write_bytes(content)
        before = StorageFile(host).load()
        new = Storage("new", before.storages["local"].storage_type, {"path": "/x"})
        with StorageFile(host).edit() as edit:
            edit.put(new)
        written = host.storage_cfg.read_bytes()
        assert written.startswith(content)
        assert StorageFile(host).load().storages == {**before.storages, "new": new}


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["keep-all=1", "keep-last=3", "keep-daily=0", "x", ""])).map(",".join)
)
def test_retention_texts(text: str) -> None:
    try:
        canonical = canonical_retention(text)
    except FormatError:
        return
    assert parse_retention(canonical) == parse_retention(text)
    assert canonical_retention(canonical) == canonical


@given(
    st.text(max_size=80)
    | st.from_regex(r"\A[a-z]{1,3}:backup/(vm|ct|host|x)/[0-9a-z_/]{0,4}/20[0-9]{2}-[01][0-9]-0[1-9]T00:00:00Z\Z")
)
def test_volume_ids(text: str) -> None:
    try:
        volume = VolumeId.parse(text)
        assert str(volume) == text
        backup = BackupVolume.parse(volume.name)
    except FormatError:
        return
    assert str(backup.in_storage(volume.storage_id)) == text
