"""Notice a key that is kept only in the backup that it encrypts, where nobody can get at it any more."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pbstore import _core
from pbstore.client.backup import TreeOptions
from pbstore.client.backup_source import BackupSource, SourceKind
from pbstore.client.keys import Keys


def keys_in_backup(keys: Keys, sources: Sequence[BackupSource], options: TreeOptions) -> Iterator[str]:
    """A warning for each source that contains the file of its own key; none if the holder of a master key can help."""
    if keys.path is None or keys.sealing_key is None or keys.sealed_for_master is not None:
        return
    key_file = keys.path.resolve()
    for source in sources:
        if _contains(source, key_file, options):
            yield (
                f"WARNING: the encryption key '{keys.path}' lies in '{source.path}', whose backup it encrypts: "
                "keep a copy elsewhere (key paperkey), or nobody can restore this backup when the machine is lost"
            )


def _contains(source: BackupSource, key_file: Path, options: TreeOptions) -> bool:
    root = source.path.resolve()
    if source.kind is not SourceKind.TREE or not key_file.is_relative_to(root):
        return False
    device = key_file.stat().st_dev
    if device != root.stat().st_dev and device not in options.include_devices and not options.all_file_systems:
        return False
    return not _core.TreeOptions(exclude=options.exclude).excludes_file(str(key_file.relative_to(root)))
