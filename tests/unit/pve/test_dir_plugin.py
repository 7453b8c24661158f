"""Storages of type `dir`: activation, names, lists, removal (pve-access-and-guests.md 3)."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pbstore.errors import FormatError, NotFoundError, PbstoreError
from pbstore.pve.storage.dir_layout import DirVolume, free_image_name
from pbstore.pve.storage.dir_plugin import DirPlugin
from pbstore.pve.storage.properties import CONTENT_TYPES
from pbstore.pve.storage.storage import Storage
from pbstore.pve.storage.types import DIR
from pbstore.pve.value_types import Value
from unit.pve.storage_site import StorageSite


def plugin(site: StorageSite, root: Path, **values: Value) -> DirPlugin:
    given = {key.replace("__", "-"): value for key, value in values.items()}
    return DirPlugin(site.host, Storage("d1", DIR, {"path": str(root), **given}), site.warnings.append)


def test_activation_makes_what_is_missing(site: StorageSite, tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    plugin(site, root, content=("backup", "iso", "images"), content__dirs="iso=cds,backup=/old").activate()
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*")) == ["cds", "images", "old"]


@pytest.mark.parametrize("switch", ["create__base__path", "mkdir"])
def test_activation_makes_nothing_if_it_is_told_not_to(site: StorageSite, tmp_path: Path, switch: str) -> None:
    root = tmp_path / "missing"
    with pytest.raises(
        PbstoreError, match=f"unable to activate storage 'd1' - directory '{root}' does not exist or is"
    ):
        plugin(site, root, **{switch: False}).activate()
    root.mkdir()
    plugin(site, root, create__subdirs=False).activate()
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("value", ["yes", "1", "{root}"])
def test_a_mount_point_has_to_be_mounted(site: StorageSite, tmp_path: Path, value: str) -> None:
    with pytest.raises(PbstoreError, match="directory is expected to be a mount point but is not mounted: '"):
        plugin(site, tmp_path, is_mountpoint=value.format(root=tmp_path)).activate()
    plugin(site, tmp_path, is_mountpoint="/proc").activate()
    plugin(site, tmp_path, is_mountpoint="no").activate()


def test_two_content_types_do_not_share_a_directory(site: StorageSite, tmp_path: Path) -> None:
    with pytest.raises(PbstoreError, match="uses directory .* for multiple content types"):
        plugin(site, tmp_path, content=("backup", "iso"), content__dirs="iso=dump").activate()


def test_usage(site: StorageSite, tmp_path: Path) -> None:
    usage, facts = plugin(site, tmp_path).usage(), shutil.disk_usage(tmp_path)
    assert usage.total == facts.total
    assert 0 < usage.available <= usage.total


@pytest.mark.parametrize(
    ("name", "path", "content", "image_format", "vmid"),
    [
        ("100/vm-100-disk-0.raw", "images/100/vm-100-disk-0.raw", "images", "raw", 100),
        ("100/base-100-disk-0.qcow2/101/vm-101-disk-0.qcow2", "images/101/vm-101-disk-0.qcow2", "images", "qcow2", 101),
        ("101/subvol-101-disk-0.subvol", "images/101/subvol-101-disk-0.subvol", "images", "subvol", 101),
        ("iso/debian 12.ISO", "template/iso/debian 12.ISO", "iso", "ISO", None),
        ("vztmpl/debian.tar.zst", "template/cache/debian.tar.zst", "vztmpl", "zst", None),
        (
            "backup/vzdump-qemu-100-2024_01_01-00_00_00.vma.zst",
            "dump/vzdump-qemu-100-2024_01_01-00_00_00.vma.zst",
            "backup",
            "vma.zst",
            100,
        ),
        ("snippets/hook.sh", "snippets/hook.sh", "snippets", "sh", None),
        ("import/x.ova", "import/x.ova", "import", "ova", None),
    ],
)
def test_names_of_volumes(
    site: StorageSite, tmp_path: Path, name: str, path: str, content: str, image_format: str, vmid: int | None
) -> None:
    volume = DirVolume.parse(name)
    assert (volume.content, volume.format, volume.vmid) == (content, image_format, vmid)
    assert plugin(site, tmp_path).path(name) == str(tmp_path / path)


@pytest.mark.parametrize(
    "name",
    ["", "x", "100/x.txt", "0/vm-0-disk-0.raw", "iso/..", "snippets/..", "snippets/a/b", "iso/x.raw", "100/../x.raw"],
)
def test_what_names_no_volume(name: str) -> None:
    with pytest.raises(FormatError, match="unable to parse"):
        DirVolume.parse(name)


def test_lists_and_removal(site: StorageSite, tmp_path: Path) -> None:
    storage = plugin(site, tmp_path, content=CONTENT_TYPES)
    storage.activate()
    backup = tmp_path / "dump" / "vzdump-lxc-101-2024_01_01-00_00_00.tar.zst"
    for path in (backup, tmp_path / "dump" / "other.txt", tmp_path / "template/iso/a.iso"):
        path.write_text("content")
    for suffix in (".tar.zst.notes", ".log"):
        (tmp_path / "dump" / f"vzdump-lxc-101-2024_01_01-00_00_00{suffix}").write_text("x")
    (tmp_path / "images" / "101" / "subvol-101-disk-0.subvol").mkdir(parents=True)
    assert storage.allocate(101, None, 4, None) == "101/vm-101-disk-1.raw"
    found = storage.volumes(CONTENT_TYPES)
    assert {(entry.volume.name, entry.content, entry.size, entry.vmid) for entry in found} == {
        (f"backup/{backup.name}", "backup", 7, 101),
        ("iso/a.iso", "iso", 7, None),
        ("101/subvol-101-disk-0.subvol", "images", 0, 101),
        ("101/vm-101-disk-1.raw", "images", 4096, 101),
    }
    assert [entry.volume.name for entry in storage.volumes(["iso"])] == ["iso/a.iso"]
    assert storage.volumes(["images"], 100) == []
    backup.with_name(f"{backup.name}.protected").touch()
    with pytest.raises(PbstoreError, match="can't remove protected volume 'd1:backup/vzdump-lxc-101"):
        storage.free(f"backup/{backup.name}")
    backup.with_name(f"{backup.name}.protected").unlink()
    for entry in found:
        storage.free(entry.volume.name)
    assert [path.name for path in (tmp_path / "dump").iterdir()] == ["other.txt"]
    assert list((tmp_path / "images").iterdir()) == []
    with pytest.raises(NotFoundError, match="volume 'd1:iso/a.iso' does not exist"):
        storage.free("iso/a.iso")


def test_free_names_of_images(tmp_path: Path) -> None:
    for name in ("vm-100-disk-0.raw", "base-100-disk-1.qcow2", "subvol-100-disk-2.subvol", "vm-100-cloudinit.raw"):
        (tmp_path / name).touch()
    assert free_image_name(tmp_path, 100, "qcow2", "d1") == "vm-100-disk-3.qcow2"
    assert free_image_name(tmp_path / "none", 100, "subvol", "d1") == "subvol-100-disk-0.subvol"


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="needs qemu-img (Debian: qemu-utils)")
def test_a_base_image_stays_while_a_linked_clone_needs_it(site: StorageSite, tmp_path: Path) -> None:
    storage = plugin(site, tmp_path)
    storage.activate()
    storage.allocate(100, "base-100-disk-0.qcow2", 1024, None)
    clone = tmp_path / "images" / "101" / "vm-101-disk-0.qcow2"
    clone.parent.mkdir()
    words = ["-b", "../100/base-100-disk-0.qcow2", "-F", "qcow2", "-f", "qcow2", str(clone)]
    subprocess.run(["qemu-img", "create", *words], check=True, capture_output=True)
    with pytest.raises(PbstoreError, match="base volume '100/base-100-disk-0.qcow2' is still in use by linked clones"):
        storage.free("100/base-100-disk-0.qcow2")
    assert storage.size("100/base-100-disk-0.qcow2").size == 1 << 20
