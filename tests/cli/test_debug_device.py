"""`inspect device`: datastores on file systems, found without leaving a trace."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_runner import Runner


def lay_out(root: Path) -> list[str]:
    """Make three datastores below a directory, and what only looks like one; the relative paths of the three."""
    stores = ["backup/of a/host", "deep/ns/x", "main"]
    for name in stores:
        (root / name / ".chunks").mkdir(parents=True)
        (root / name / ".lock").touch()
    (root / "no-lock" / ".chunks").mkdir(parents=True)
    (root / "no-chunks").mkdir()
    (root / "no-chunks" / ".lock").touch()
    (root / "main" / "inner" / ".chunks").mkdir(parents=True)
    (root / "main" / "inner" / ".lock").touch()
    (root / "link").symlink_to("main")
    return stores


def report(stores: list[str]) -> str:
    return "".join([f"Device contains {len(stores)} stores\n", *(f'  "{store}"\n' for store in stores)])


def test_directories_are_searched(debug: Runner, tmp_path: Path) -> None:
    stores = lay_out(tmp_path)
    outcome = debug("inspect", "device", tmp_path)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, report(stores), "")
    assert debug("inspect", "device", tmp_path / "main").stdout == report(["."])
    assert debug("inspect", "device", tmp_path / "no-lock").stdout == report([])
    outcome = debug("inspect", "device", tmp_path, "--output-format", "json")
    assert outcome.stdout == '["backup/of a/host","deep/ns/x","main"]\n'


@pytest.mark.slow
def test_no_depth_is_too_deep(debug: Runner, tmp_path: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1100):
            Path("d").mkdir()
            os.chdir("d")
        os.chdir(here)
        assert debug("inspect", "device", tmp_path).stdout == report([])
    finally:
        os.chdir(here)
        # What removes temporary directories does not go that deep.
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/dev/null", "/dev/null is no block device, disk image or directory"),
        ("nowhere", "nowhere does not exist"),
    ],
)
def test_other_things_are_no_devices(
    debug: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = debug("inspect", "device", name)
    assert (outcome.exit_code, outcome.stderr) == (255, f"Error: {reason}\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may mount: run as another user")
def test_only_root_mounts(debug: Runner, tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(bytes(4096))
    outcome = debug("inspect", "device", image)
    assert outcome.stderr.startswith(f"Error: mounting {image} needs root: ")


def run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def can_mount() -> bool:
    """Whether a file can be attached to a loop device and mounted here."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None or shutil.which("losetup") is None:
        return False
    return subprocess.run(["losetup", "--find"], capture_output=True, check=False).returncode == 0


needs_mounts = [
    pytest.mark.root,
    pytest.mark.skipif(not can_mount(), reason="needs loop devices and mkfs.ext4: run as root where both are there"),
]


@pytest.fixture
def image(tmp_path: Path) -> tuple[Path, list[str]]:
    """An ext4 file system in a file, with datastores on it."""
    content, path = tmp_path / "content", tmp_path / "image"
    content.mkdir()
    stores = lay_out(content)
    with path.open("wb") as file:
        file.truncate(16 << 20)
    run("mkfs.ext4", "-q", "-d", content, path)
    return path, stores


@pytest.fixture
def device(image: tuple[Path, list[str]]) -> Iterator[Path]:
    """The same as a block device."""
    name = run("losetup", "--find", "--show", image[0])
    yield Path(name)
    run("losetup", "--detach", name)


class TestMounts:
    """What takes root."""

    pytestmark = needs_mounts

    def test_a_device_is_searched_and_neither_written_nor_seen_mounted(
        self, debug: Runner, image: tuple[Path, list[str]], device: Path
    ) -> None:
        before, mounts = image[0].read_bytes(), Path("/proc/self/mountinfo").read_text()
        outcome = debug("inspect", "device", device)
        assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, report(image[1]), "")
        assert Path("/proc/self/mountinfo").read_text() == mounts
        run("blockdev", "--flushbufs", device)
        assert image[0].read_bytes() == before

    def test_a_journal_is_not_replayed(self, debug: Runner, image: tuple[Path, list[str]], device: Path) -> None:
        # What a file system looks like that was not unmounted: its journal is to be replayed.
        run("debugfs", "-w", "-R", "feature needs_recovery", device)
        run("blockdev", "--flushbufs", device)
        before = image[0].read_bytes()
        assert debug("inspect", "device", device).stdout == report(image[1])
        run("blockdev", "--flushbufs", device)
        assert image[0].read_bytes() == before

    def test_an_image_is_searched(self, debug: Runner, image: tuple[Path, list[str]]) -> None:
        outcome = debug("inspect", "device", image[0])
        assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, report(image[1]), "")
        assert str(image[0]) not in run("losetup", "--list", "--output", "BACK-FILE")

    @pytest.mark.parametrize("options", ["rw", "ro"])
    def test_a_device_that_is_in_use_is_searched(
        self, debug: Runner, image: tuple[Path, list[str]], device: Path, tmp_path: Path, options: str
    ) -> None:
        place, part = tmp_path / "place", tmp_path / "part"
        place.mkdir()
        part.mkdir()
        run("mount", "-o", options, device, place)
        try:
            assert debug("inspect", "device", device).stdout == report(image[1])
            # As removable datastores are: only a part of the file system is mounted anywhere.
            run("mount", "--bind", place / "main", part)
        finally:
            run("umount", place)
        try:
            assert debug("inspect", "device", device).stdout == report(image[1])
            assert os.access(part, os.W_OK) is (options == "rw")
        finally:
            run("umount", part)

    def test_what_holds_no_file_system_is_refused_in_one_line(self, debug: Runner, tmp_path: Path) -> None:
        image = tmp_path / "image"
        image.write_bytes(bytes(1 << 20))
        outcome = debug("inspect", "device", image)
        assert (outcome.exit_code, outcome.stdout) == (255, "")
        assert outcome.stderr.startswith(f"Error: cannot mount {image}: ")
        assert outcome.stderr.count("\n") == 1
        assert "pbstore-device" not in outcome.stderr
