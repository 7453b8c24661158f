"""Backup specifications and the checks of what lies at their paths (cli-client.md 3)."""

import os
from pathlib import Path

import pytest

from pbstore.client.backup_source import BackupSource, SourceKind, check_sources
from pbstore.errors import FormatError, PbstoreError


@pytest.mark.parametrize(
    ("text", "kind", "path", "file_name"),
    [
        ("root.pxar:/", SourceKind.TREE, "/", "root.pxar.didx"),
        ("a-b_c.img:/dev/x:y", SourceKind.IMAGE, "/dev/x:y", "a-b_c.img.fidx"),
        ("vm.conf:x", SourceKind.CONFIG, "x", "vm.conf.blob"),
        ("l.log:x", SourceKind.LOG, "x", "l.log.blob"),
    ],
)
def test_parts(text: str, kind: SourceKind, path: str, file_name: str) -> None:
    source = BackupSource.parse(text)
    assert (source.kind, source.path, source.file_name) == (kind, Path(path), file_name)


@pytest.mark.parametrize("text", ["", "x.foo:/etc", "x.pxar", "x.pxar:", "a/b.pxar:/etc", ".pxar:/x", "a.b.pxar:/x"])
def test_what_is_no_specification(text: str) -> None:
    with pytest.raises(FormatError, match="unable to parse backup source specification"):
        BackupSource.parse(text)


def test_checks(tmp_path: Path) -> None:
    (tmp_path / "full").write_bytes(b"x")
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for text in ("a.pxar:.", "a.img:full", "b.img:pipe", "a.conf:full", "b.conf:empty"):
        name, _, path = text.partition(":")
        BackupSource.parse(f"{name}:{tmp_path / path}").check()
    refused = {
        "a.pxar:full": "got unexpected file type (expected directory)",
        "a.img:.": "got unexpected file type (expected file, block device or pipe)",
        "a.img:empty": f"got zero-sized file '{tmp_path / 'empty'}'",
        "a.conf:pipe": "got unexpected file type (expected regular file)",
        "a.conf:gone": f"unable to access '{tmp_path / 'gone'}' - No such file or directory",
    }
    for text, message in refused.items():
        name, _, path = text.partition(":")
        with pytest.raises(PbstoreError) as caught:
            BackupSource.parse(f"{name}:{tmp_path / path}").check()
        assert str(caught.value) == message


def test_no_two_sources_have_one_target(tmp_path: Path) -> None:
    source = BackupSource.parse(f"tree.pxar:{tmp_path}")
    with pytest.raises(PbstoreError, match=r"^got target twice: 'tree\.pxar'$"):
        check_sources([source, source])
