"""Which archives a manifest lists: a split one is two files and one archive (manifest.md 4)."""

from collections.abc import Iterator
from dataclasses import dataclass

from pbstore.errors import IntegrityError, NotFoundError
from pbstore.format.manifest import Manifest, ManifestFile
from pbstore.model.archive_name import archive_name, split_names


@dataclass(frozen=True)
class SnapshotArchive:
    """An archive by its entries in the manifest; `payload` is the second one of a split archive."""

    entry: ManifestFile
    payload: ManifestFile | None = None

    @property
    def name(self) -> str:
        """As a user calls it."""
        name = archive_name(self.entry.filename)
        return name if self.payload is None else name.removesuffix(".mpxar") + ".pxar"

    @property
    def is_tree(self) -> bool:
        """Whether it can be unpacked."""
        return self.entry.filename.endswith((".pxar.didx", ".mpxar.didx"))


def find_archive(manifest: Manifest, file_name: str) -> SnapshotArchive:
    """The archive of that name; either part's name means all of a split one.

    Raises:
        NotFoundError: there is none, or only one part of it.
        IntegrityError: its parts do not belong together.
    """
    entry, names = manifest.find(file_name), split_names(file_name)
    if names is None or (entry is not None and entry.filename.endswith(".pxar.didx")):
        if entry is None:
            raise NotFoundError(f"manifest does not contain file '{file_name}'")
        return SnapshotArchive(entry)
    metadata, payload = manifest.find(names.metadata), manifest.find(names.payload)
    if metadata is None and payload is None:
        raise NotFoundError(f"manifest does not contain file '{file_name}'")
    if metadata is None or payload is None:
        missing = names.metadata if metadata is None else names.payload
        raise NotFoundError(f"manifest does not contain file '{missing}', a part of the split archive '{file_name}'")
    if metadata.crypt_mode is not payload.crypt_mode:
        raise IntegrityError(f"'{names.metadata}' and '{names.payload}' have different crypt modes")
    return SnapshotArchive(metadata, payload)


def archive_names(manifest: Manifest) -> Iterator[str]:
    """One file name for each archive, in the manifest's order."""
    seen = set()
    for file in manifest.files:
        names = None if file.filename.endswith(".pxar.didx") else split_names(file.filename)
        if names not in seen:
            yield file.filename
        if names is not None:
            seen.add(names)
