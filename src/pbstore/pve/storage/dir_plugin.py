"""What can be done with a storage of type `dir` (pve-access-and-guests.md 3)."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pbstore.config.make_directory import make_directory
from pbstore.errors import FormatError, NotFoundError, PbstoreError
from pbstore.pve.storage.dir_layout import IMAGE_FORMATS, DirLayout, DirVolume, free_image_name
from pbstore.pve.storage.disk_image import ImageFacts, create_image, image_facts
from pbstore.pve.storage.plugin import StoragePlugin
from pbstore.pve.storage.volume_id import VolumeId
from pbstore.pve.storage.volume_info import Usage, VolumeEntry, VolumeSize

_PREFIXES = {"backup": "backup", "import": "import", "iso": "iso", "snippets": "snippets", "vztmpl": "vztmpl"}


class DirPlugin(StoragePlugin):
    """A directory."""

    @property
    def _layout(self) -> DirLayout:
        return DirLayout(self.storage)

    def activate(self) -> None:
        """Return if the directory is there; it and what belongs below it is made, unless that is switched off."""
        layout, storage_id = self._layout, self.storage.storage_id
        failure = f"unable to activate storage '{storage_id}' - directory"
        if layout.mount_point is not None and not os.path.ismount(layout.mount_point):
            raise PbstoreError(f"{failure} is expected to be a mount point but is not mounted: '{layout.mount_point}'")
        if self._makes("create-base-path"):
            self._make(layout.root)
        if not layout.root.is_dir():
            raise PbstoreError(f"{failure} '{layout.root}' does not exist or is unreachable")
        directories = [layout.directory(content) for content in self.storage.content if content != "rootdir"]
        for path in directories:
            if directories.count(path) > 1:
                raise PbstoreError(f"storage '{storage_id}' uses directory {path} for multiple content types")
            if self._makes("create-subdirs"):
                self._make(path)

    def usage(self) -> Usage:
        """How full the file system is, as ordinary users see it."""
        facts = os.statvfs(self._layout.root)
        used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
        return Usage(total=facts.f_blocks * facts.f_frsize, used=used, available=facts.f_bavail * facts.f_frsize)

    def volumes(self, content: Sequence[str], vmid: int | None = None) -> list[VolumeEntry]:
        """The files that are volumes."""
        found = []
        for kind in self.storage.content:
            if kind in content and kind in _PREFIXES:
                found += [self._file_entry(path, kind) for path in _entries(self._layout.directory(kind))]
        if {"images", "rootdir"} & set(content) & set(self.storage.content):
            found += self._image_entries(vmid)
        return [entry for entry in found if entry is not None and vmid in (None, entry.vmid)]

    def path(self, name: str) -> str:
        """The file."""
        return str(DirVolume.parse(name).path(self._layout))

    def vmid(self, name: str) -> int | None:
        """The guest."""
        return DirVolume.parse(name).vmid

    def content_type(self, name: str) -> str:
        """What it is."""
        return DirVolume.parse(name).content

    def free(self, name: str) -> None:
        """Remove a file with what lies beside it, or a directory with all that is in it."""
        volume = DirVolume.parse(name)
        path = volume.path(self._layout)
        if path.with_name(f"{path.name}.protected").exists():
            raise PbstoreError(f"can't remove protected volume '{VolumeId(self.storage.storage_id, name)}'")
        self._check_clones(path, name)
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except FileNotFoundError:
            raise NotFoundError(f"volume '{VolumeId(self.storage.storage_id, name)}' does not exist") from None
        if volume.content == "images" and not any(path.parent.iterdir()):
            path.parent.rmdir()
        for side_file in (f"{path.name}.notes", f"{path.name.partition('.')[0]}.log"):
            if volume.content == "backup":
                path.with_name(side_file).unlink(missing_ok=True)

    def size(self, name: str) -> VolumeSize:
        """Virtual size of an image, else that of the file."""
        volume = DirVolume.parse(name)
        facts = self._facts(volume.path(self._layout), volume)
        return VolumeSize(size=facts.size, used=facts.used, format=volume.format)

    def allocate(self, vmid: int, file_name: str | None, size_kib: int, image_format: str | None) -> str:
        """Make an image, or a directory for a container."""
        chosen = image_format or (file_name or "").rpartition(".")[2] or self.storage.text("format") or "raw"
        chosen = chosen if image_format or chosen in IMAGE_FORMATS else "raw"
        directory = self._layout.directory("images") / str(vmid)
        name = file_name or free_image_name(directory, vmid, chosen, self.storage.storage_id)
        volume = DirVolume.parse(f"{vmid}/{name}")
        if volume.format != chosen:
            raise FormatError(f"illegal name '{name}' - wrong extension for format ('{chosen}' expected)")
        make_directory(directory, mode=0o755)
        try:
            create_image(directory / name, chosen, size_kib, self.storage.text("preallocation"))
        except BaseException:
            if not any(directory.iterdir()):
                directory.rmdir()
            raise
        return f"{vmid}/{name}"

    def _check_clones(self, path: Path, name: str) -> None:
        """Return if no linked clone needs an image."""
        if not path.name.startswith("base-"):
            return
        for directory in _entries(self._layout.directory("images")):
            for other in _entries(directory):
                if other.suffix == ".qcow2" and image_facts(other, "qcow2").backing == path.resolve():
                    raise PbstoreError(f"base volume '{name}' is still in use by linked clones")

    def _makes(self, key: str) -> bool:
        value = self.storage.values.get(key, self.storage.values.get("mkdir", True))
        return bool(value)

    def _make(self, path: Path) -> None:
        try:
            make_directory(path, mode=0o755)
        except OSError as error:
            raise PbstoreError(
                f"unable to activate storage '{self.storage.storage_id}' - cannot make {path}: {error.strerror}"
            ) from None

    def _file_entry(self, path: Path, kind: str) -> VolumeEntry | None:
        name = f"{_PREFIXES[kind]}/{path.name}"
        try:
            volume, facts = DirVolume.parse(name), path.stat()
        except (FormatError, OSError):
            return None
        return VolumeEntry(
            volume=VolumeId(self.storage.storage_id, name),
            format=volume.format,
            content=volume.content,
            size=facts.st_size,
            vmid=volume.vmid,
            ctime=int(facts.st_ctime),
        )

    def _image_entries(self, vmid: int | None) -> list[VolumeEntry | None]:
        root = self._layout.directory("images")
        directories = [path for path in _entries(root) if path.name.isdecimal() and path.name.isascii()]
        wanted = [path for path in directories if vmid is None or path.name == str(vmid)]
        return [self._image_entry(path) for directory in wanted for path in _entries(directory)]

    def _image_entry(self, path: Path) -> VolumeEntry | None:
        name = f"{path.parent.name}/{path.name}"
        try:
            volume = DirVolume.parse(name)
            facts = self._facts(path, volume)
        except PbstoreError as error:
            if not isinstance(error, FormatError):
                self.log(f"{path}: {error}")
            return None
        return VolumeEntry(
            volume=VolumeId(self.storage.storage_id, name),
            format=volume.format,
            content="images",
            size=facts.size,
            vmid=volume.vmid,
            ctime=facts.ctime,
        )

    def _facts(self, path: Path, volume: DirVolume) -> ImageFacts:
        return image_facts(path, volume.format if volume.content == "images" else "raw")


def _entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []
