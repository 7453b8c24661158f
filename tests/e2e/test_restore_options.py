"""What a restore may replace and leave out, as root and as an ordinary user."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from backup_site import BackupSite, newest
from e2e.split_backups import TIMES
from tree_snapshot import tree_snapshot

pytestmark = pytest.mark.slow

NOBODY, FRIENDS = 65534, 4321
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: owners and device nodes are its business")
MODES = pytest.mark.parametrize("mode", ["legacy", "data"])


class Restores:
    """A snapshot of a tree, restored again and again."""

    def __init__(self, site: BackupSite, tree: Path):
        self.site = site
        self.tree = tree
        self.snapshot = ""

    def back_up(self, mode: str) -> None:
        """Make the snapshot."""
        words = ("--backup-id", "options", "--backup-time", str(next(TIMES)), "--change-detection-mode", mode)
        self.site.succeed("backup", f"root.pxar:{self.tree}", *words)
        self.snapshot = newest(self.site.snapshots("host/options"))

    def to(self, target: Path, *options: str | Path) -> str:
        """Restore; the log."""
        return self.site.succeed("restore", self.snapshot, "root.pxar", target, *options).stderr

    def fails(self, target: Path, *options: str | Path) -> str:
        """A restore that must fail; the error."""
        return self.site.error("restore", self.snapshot, "root.pxar", target, *options)


@pytest.fixture
def restores(site: BackupSite, tree: Path) -> Restores:
    return Restores(site, tree)


@MODES
def test_existing_directories_are_filled_only_when_told(restores: Restores, tmp_path: Path, mode: str) -> None:
    restores.back_up(mode)
    target = tmp_path / "target"
    (target / "etc").mkdir(parents=True)
    (target / "etc" / "mine").write_text("mine")
    assert 'failed to create the directory "etc"' in restores.fails(target)
    restores.to(target, "--allow-existing-dirs")
    assert (target / "etc" / "mine").read_text() == "mine"
    (target / "etc" / "mine").unlink()
    (target / "etc").touch()
    os.utime(target / "etc", ns=(0, (restores.tree / "etc").stat().st_mtime_ns))
    assert tree_snapshot(target) == tree_snapshot(restores.tree)


@MODES
@pytest.mark.parametrize(
    ("option", "name", "others"),
    [
        ("--overwrite-files", "noise", ()),
        ("--overwrite-symlinks", "etc/link", ()),
        # Only what was restored before can be linked to.
        ("--overwrite-hardlinks", "etc/hosts", ()),
    ],
)
def test_each_kind_is_replaced_only_when_told(
    restores: Restores, tmp_path: Path, mode: str, option: str, name: str, others: tuple[str, ...]
) -> None:
    # "etc/hard" comes first in the archive, so that "etc/hosts" is the hard link.
    restores.back_up(mode)
    target = tmp_path / "target"
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    outside = tmp_path / "outside"
    outside.write_text("somebody else's")
    (target / name).hardlink_to(outside)
    wrong = {"--overwrite-files", "--overwrite-symlinks", "--overwrite-hardlinks"} - {option}
    for options in ((), *((one,) for one in wrong)):
        assert "File exists" in restores.fails(target, "--allow-existing-dirs", *options)
        assert (target / name).read_text() == "somebody else's"
        for left in ("etc/hard", "empty", "etc/name with \n line end", "etc/link", "noise", "etc/hosts"):
            path = target / left
            if left == name:
                continue
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
    restores.to(target, "--allow-existing-dirs", option)
    assert tree_snapshot(target) == tree_snapshot(restores.tree)
    assert outside.read_text() == "somebody else's"


def test_overwrite_is_all_of_them(restores: Restores, tmp_path: Path) -> None:
    restores.back_up("legacy")
    target = tmp_path / "target"
    restores.to(target)
    (target / "noise").write_text("changed")
    assert "File exists" in restores.fails(target)
    restores.to(target, "--overwrite")
    assert tree_snapshot(target) == tree_snapshot(restores.tree)


def test_a_directory_is_never_replaced(restores: Restores, tmp_path: Path) -> None:
    restores.back_up("legacy")
    target = tmp_path / "target"
    (target / "noise").mkdir(parents=True)
    (target / "noise" / "mine").write_text("mine")
    assert '"noise"' in restores.fails(target, "--overwrite")
    assert (target / "noise" / "mine").read_text() == "mine"


@is_root
@pytest.mark.root
@MODES
def test_metadata_can_be_left_alone(restores: Restores, tmp_path: Path, mode: str) -> None:
    path = restores.tree / "noise"
    os.chown(path, 1234, 2345)
    path.chmod(0o640)
    os.setxattr(path, "user.note", b"kept")
    subprocess.run(["setfacl", "-m", "u:77:rw", path], check=True)
    restores.back_up(mode)
    acl = "system.posix_acl_access"

    def facts(*options: str) -> tuple[int, int, int, set[str]]:
        target = tmp_path / ("target" + "".join(options))
        restores.to(target, *options)
        found = (target / "noise").stat()
        return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode), set(os.listxattr(target / "noise"))

    mode_bits = stat.S_IMODE(path.stat().st_mode)
    assert facts() == (1234, 2345, mode_bits, {"user.note", acl})
    assert facts("--ignore-ownership") == (0, 0, mode_bits, {"user.note", acl})
    assert facts("--ignore-xattrs") == (1234, 2345, mode_bits, {acl})
    assert facts("--ignore-acls") == (1234, 2345, mode_bits, {"user.note"})
    without_mode = facts("--ignore-permissions", "--ignore-acls")
    assert without_mode == (1234, 2345, 0o600, {"user.note"})


class TestOrdinaryUser:
    """A restore by somebody who may not do everything; in a process of its own."""

    pytestmark = [is_root, pytest.mark.root]  # noqa: RUF012 - as pytest documents it

    def run(self, restores: Restores, target: Path, *options: str) -> tuple[int, str]:
        command = restores.site.client.command("restore", restores.snapshot, "root.pxar", target, *options)
        runtime = target.parent / "runtime"
        runtime.mkdir(mode=0o700, exist_ok=True)
        os.chown(runtime, NOBODY, NOBODY)
        names = ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
        variables = restores.site.client.variables(restores.site.environment | dict.fromkeys(names, str(runtime)))
        become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", f"--groups={FRIENDS}")
        done = subprocess.run([*become, *command], env=variables, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    @pytest.fixture
    def open_target(self, tmp_path: Path) -> Path:
        """A place that everybody can get at."""
        place = tmp_path / "open"
        place.mkdir()
        os.chown(place, NOBODY, NOBODY)
        for directory in (place, *place.parents):
            if directory.stat().st_uid == 0 and directory != Path("/"):
                directory.chmod(directory.stat().st_mode | 0o055)
        return place / "target"

    def test_gets_what_is_allowed_and_one_line_for_what_is_not(self, restores: Restores, open_target: Path) -> None:
        for number in range(50):
            (restores.tree / f"of root {number}").write_text("x")
        (restores.tree / "shared").write_text("with friends")
        os.chown(restores.tree / "shared", 1234, FRIENDS)
        (restores.tree / "own").write_text("own")
        os.chown(restores.tree / "own", NOBODY, NOBODY)
        restores.back_up("legacy")
        code, log = self.run(restores, open_target)
        assert code == 0, log
        foreign = len(tree_snapshot(restores.tree)) - 2  # "own", and one of the two names of a file
        warnings = [line for line in log.splitlines() if line.startswith("warning")]
        assert warnings == [f"warning: the owner could not be restored for {foreign} entries: not permitted"]
        found = {name: (open_target / name).stat() for name in ("shared", "own", "of root 0")}
        assert {name: (facts.st_uid, facts.st_gid) for name, facts in found.items()} == {
            "shared": (NOBODY, FRIENDS),
            "own": (NOBODY, NOBODY),
            "of root 0": (NOBODY, NOBODY),
        }
        assert (open_target / "noise").read_bytes() == (restores.tree / "noise").read_bytes()

    def test_is_told_how_to_do_without_device_nodes(self, restores: Restores, open_target: Path) -> None:
        os.mknod(restores.tree / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        restores.back_up("legacy")
        code, log = self.run(restores, open_target)
        assert code == 255
        assert 'failed to create the device node (only root can; or leave device nodes out) "null"' in log
        code, log = self.run(restores, open_target, "--ignore-extract-device-errors", "--ignore-ownership")
        assert code == 0, log
        assert [line for line in log.splitlines() if line.startswith("warning")] == [
            'warning: failed to create the device node (only root can; or leave device nodes out) "null": '
            "Operation not permitted (os error 1)"
        ]
        assert not (open_target / "null").exists()


def test_files_and_images_are_replaced_only_when_told(site: BackupSite, image: Path, tmp_path: Path) -> None:
    (tmp_path / "vm.conf").write_text("cores: 2\n")
    archives = (f"disk.img:{image}", f"vm.conf:{tmp_path / 'vm.conf'}")
    site.succeed("backup", *archives, "--backup-id", "replaced")
    snapshot = newest(site.snapshots("host/replaced"))
    for name, original in (("disk.img", image), ("vm.conf", tmp_path / "vm.conf"), ("index.json", None)):
        target = tmp_path / "target"
        target.write_bytes(b"old" * 10_000_000)
        line = site.error("restore", snapshot, name, target)
        assert line == f"Error: unable to create target file '{target}' - File exists"
        site.succeed("restore", snapshot, name, target, "--overwrite")
        if original is not None:
            assert target.read_bytes() == original.read_bytes()


def test_holes_come_back_as_holes(site: BackupSite, tmp_path: Path) -> None:
    tree = tmp_path / "sparse"
    tree.mkdir()
    with (tree / "disk.img").open("wb") as file:
        file.seek(64 << 20)
        file.write(b"end")
    archives = (f"root.pxar:{tree}", f"disk.img:{tree / 'disk.img'}")
    site.succeed("backup", *archives, "--backup-id", "sparse")
    snapshot = newest(site.snapshots("host/sparse"))
    site.succeed("restore", snapshot, "disk.img", tmp_path / "out.img")
    site.succeed("restore", snapshot, "root.pxar", tmp_path / "out")
    for restored in (tmp_path / "out.img", tmp_path / "out" / "disk.img"):
        assert restored.read_bytes() == (tree / "disk.img").read_bytes()
        assert restored.stat().st_blocks * 512 < 8 << 20
