"""Where a storage of type `dir` keeps what, and how its volumes are called (pve-access-and-guests.md 3)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pbstore.errors import FormatError
from pbstore.pve.storage.storage import Storage

IMAGE_FORMATS = ("raw", "qcow2", "vmdk", "subvol")
DIRECTORIES = {
    "backup": "dump",
    "images": "images",
    "import": "import",
    "iso": "template/iso",
    "rootdir": "private",
    "snippets": "snippets",
    "vztmpl": "template/cache",
}
_FILE_NAMES = {
    "backup": re.compile(r"[^/\s]+\.(vma|tar)(\.(zst|gz|lzo|bz2|xz))?|[^/\s]+\.tgz"),
    "import": re.compile(r"[^/\s]+\.(ova|ovf|qcow2|raw|vmdk)"),
    "iso": re.compile(r"[^/]+\.(iso|img)", re.IGNORECASE),
    "snippets": re.compile(r"[^/]+"),
    "vztmpl": re.compile(r"[^/]+\.tar(\.(gz|xz|zst|bz2))?|[^/]+\.tgz"),
}
_IMAGE = re.compile(rf"[^/\s]+\.({'|'.join(IMAGE_FORMATS)})")
_BACKUP = re.compile(r"vzdump-(qemu|lxc)-([0-9]+)-")
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")


@dataclass(frozen=True, kw_only=True)
class DirVolume:
    """A volume: what it is, its format, its path below the storage. `base` is what a linked clone needs."""

    content: str
    format: str
    file_name: str
    vmid: int | None = None
    base: str | None = None

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read the name of a volume.

        Raises:
            FormatError: it is none.
        """
        parts = name.split("/")
        if len(parts) in (2, 4) and _NUMBER.fullmatch(parts[-2]) and (len(parts) == 2 or _NUMBER.fullmatch(parts[0])):
            base = "/".join(parts[:2]) if len(parts) == 4 else None
            return cls._image(parts[-1], int(parts[-2]), base)
        kind, slash, file_name = name.partition("/")
        pattern = _FILE_NAMES.get(kind)
        if not slash or pattern is None or not pattern.fullmatch(file_name) or file_name in (".", ".."):
            raise FormatError(f"unable to parse directory volume name '{name[:300]}'")
        backup = _BACKUP.match(file_name) if kind == "backup" else None
        extension = file_name.partition(".")[2] if kind == "backup" else file_name.rpartition(".")[2]
        return cls(content=kind, format=extension, file_name=file_name, vmid=int(backup[2]) if backup else None)

    @classmethod
    def _image(cls, file_name: str, vmid: int, base: str | None) -> Self:
        match = _IMAGE.fullmatch(file_name)
        if match is None:
            raise FormatError(f"unable to parse volume filename '{file_name[:300]}'")
        return cls(content="images", format=match[1], file_name=file_name, vmid=vmid, base=base)

    def path(self, layout: "DirLayout") -> Path:
        """Where it lies."""
        directory = layout.directory(self.content)
        return directory / str(self.vmid) / self.file_name if self.content == "images" else directory / self.file_name


@dataclass(frozen=True)
class DirLayout:
    """The directories of a storage."""

    storage: Storage

    @property
    def root(self) -> Path:
        """What the storage is."""
        return Path(self.storage.text("path") or "/")

    @property
    def mount_point(self) -> Path | None:
        """What has to be a mount point before the storage may be used."""
        text = self.storage.text("is_mountpoint") or "no"
        if text.startswith("/"):
            return Path(text)
        return self.root if text.lower() in ("1", "yes", "on", "true") else None

    def directory(self, content: str) -> Path:
        """Where volumes of a content type lie."""
        for part in (self.storage.text("content-dirs") or "").split(","):
            kind, _, path = part.partition("=")
            if kind == content and path:
                return self.root / path.lstrip("/")
        return self.root / DIRECTORIES[content]


def free_image_name(directory: Path, vmid: int, image_format: str, storage_id: str) -> str:
    """The first name for a new image of a guest that no image has, whatever its format.

    Raises:
        FormatError: there is none left.
    """
    prefix = "subvol" if image_format == "subvol" else "vm"
    taken = {path.stem.partition("-")[2] for path in directory.iterdir()} if directory.is_dir() else set()
    for number in range(1024):
        if f"{vmid}-disk-{number}" not in taken:
            return f"{prefix}-{vmid}-disk-{number}.{image_format}"
    raise FormatError(f"unable to allocate an image name for VM {vmid} in storage '{storage_id}'")
