"""What can be backed up, what the log says of it, and what is refused."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backup_site import BackupSite, newest
from pbstore.format.master_key import create_master_key

pytestmark = pytest.mark.slow


def restored(site: BackupSite, group: str, name: str, *options: str | Path) -> bytes:
    """The newest archive of that name."""
    return site.succeed("restore", newest(site.snapshots(f"host/{group}")), name, "-", *options).raw_stdout


@contextmanager
def fed_pipe(path: Path, data: bytes) -> Iterator[Path]:
    """A named pipe that somebody writes to once it is opened."""
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(data,))
    writer.start()
    yield path
    writer.join()


@pytest.mark.parametrize("size", [1, 4 << 20, (9 << 20) + 17])
def test_a_named_pipe_is_an_image(site: BackupSite, tmp_path: Path, size: int) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    with fed_pipe(tmp_path / "pipe", data) as pipe:
        site.succeed("backup", f"drive.img:{pipe}", "--backup-id", f"pipe-{size}")
    assert restored(site, f"pipe-{size}", "drive.img") == data


def test_an_empty_pipe_is_refused_and_leaves_nothing(site: BackupSite, tmp_path: Path) -> None:
    with fed_pipe(tmp_path / "pipe", b"") as pipe:
        assert "nothing to back up" in site.error("backup", f"drive.img:{pipe}", "--backup-id", "empty-pipe")
    assert site.has_no_snapshots("host/empty-pipe")


def test_standard_input_is_an_image(site: BackupSite) -> None:
    data = b"from standard input " * 300_000
    command = site.client.command("backup", "drive.img:/dev/stdin", "--backup-id", "stdin")
    variables = site.client.variables(site.environment)
    done = subprocess.run(command, env=variables, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert restored(site, "stdin", "drive.img") == data


def test_archives_go_up_in_the_given_order_and_the_log_says_so(
    site: BackupSite, tree: Path, image: Path, tmp_path: Path
) -> None:
    (tmp_path / "vm.conf").write_text("cores: 2\n")
    (tmp_path / "task.log").write_text("it went well\n")
    sources = (
        f"task.log:{tmp_path / 'task.log'}",
        f"disk.img:{image}",
        f"vm.conf:{tmp_path / 'vm.conf'}",
        f"root.pxar:{tree}",
    )
    log = site.succeed("backup", *sources, "--backup-id", "ordered", "--backup-type", "host").stderr
    place = site.environment["PBS_REPOSITORY"]
    heads = [line for line in log.splitlines() if line.startswith(("Upload", "No previous", "Duration", "End Time"))]
    assert heads[:-3] == [
        "No previous manifest available.",
        f"Upload log file '{tmp_path / 'task.log'}' to '{place}' as task.log.blob",
        f"Upload image '{image}' to '{place}' as disk.img.fidx",
        f"Upload config file '{tmp_path / 'vm.conf'}' to '{place}' as vm.conf.blob",
        f"Upload directory '{tree}' to '{place}' as root.pxar.didx",
    ]
    assert [line.split()[0] for line in heads[-3:]] == ["Uploaded", "Duration:", "End"]
    assert "Summary" not in log  # only on a terminal: the lines are those of the original
    assert restored(site, "ordered", "task.log") == b"it went well\n"


@pytest.mark.parametrize("mode", ["legacy", "metadata"])
def test_a_dry_run_says_what_it_would_do_and_does_nothing(site: BackupSite, tree: Path, image: Path, mode: str) -> None:
    sources = (f"root.pxar:{tree}", f"disk.img:{image}")
    before = site.chunk_count()
    words = ("--backup-id", f"dry-{mode}", "--dry-run", "--change-detection-mode", mode)
    log = site.succeed("backup", *sources, *words).stderr
    place = site.environment["PBS_REPOSITORY"]
    assert log.splitlines()[-3:] == [
        f"Would upload directory '{tree}' to '{place}' as root.pxar.didx",
        f"Would upload image '{image}' to '{place}' as disk.img.fidx",
        "dry-run: no upload happened",
    ]
    assert site.chunk_count() == before
    assert site.has_no_snapshots(f"host/dry-{mode}")


def test_a_small_chunk_size_is_for_trees_and_does_not_harm_images(site: BackupSite, tree: Path, image: Path) -> None:
    (tree / "random").write_bytes(os.urandom(3_000_000))
    sources = (f"root.pxar:{tree}", f"disk.img:{image}")
    before = site.chunk_count()
    site.succeed("backup", *sources, "--backup-id", "small-chunks", "--chunk-size", "64")
    # 3 MB in chunks of 64 KiB, and an image of three.
    assert site.chunk_count() - before > 20
    assert restored(site, "small-chunks", "disk.img") == image.read_bytes()


class TestKeyInside:
    """A key that lies in the backup that it encrypts."""

    WARNING = "WARNING: the encryption key"

    def log(self, site: BackupSite, root: Path, *options: str | Path) -> str:
        return site.succeed("backup", f"root.pxar:{root}", "--backup-id", f"key-{root.parent.name}", *options).stderr

    @pytest.fixture
    def key_inside(self, site: BackupSite, tree: Path) -> Path:
        path = tree / "etc" / "key.json"
        site.succeed("key", "create", path, "--kdf", "none")
        return path

    def test_is_warned_of(self, site: BackupSite, tree: Path, key_inside: Path) -> None:
        line = f"{self.WARNING} '{key_inside}' lies in '{tree}', whose backup it encrypts: "
        assert line in self.log(site, tree, "--keyfile", key_inside)

    def test_is_fine_if_excluded(self, site: BackupSite, tree: Path, key_inside: Path) -> None:
        assert self.WARNING not in self.log(site, tree, "--keyfile", key_inside, "--exclude", "/etc/*.json")

    def test_is_fine_if_nothing_is_encrypted(self, site: BackupSite, tree: Path, key_inside: Path) -> None:
        assert self.WARNING not in self.log(site, tree, "--keyfile", key_inside, "--crypt-mode", "sign-only")

    def test_is_fine_if_a_master_key_opens_it(self, site: BackupSite, tree: Path, key_inside: Path) -> None:
        master = tree.parent / "master.pem"
        master.write_bytes(create_master_key("master-password")[0])
        assert self.WARNING not in self.log(site, tree, "--keyfile", key_inside, "--master-pubkey-file", master)

    def test_is_fine_elsewhere(self, site: BackupSite, tree: Path, key: Path) -> None:
        assert self.WARNING not in self.log(site, tree, "--keyfile", key)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--all-file-systems", "--include-dev", "/"), "option 'all-file-systems' conflicts with option 'include-dev'"),
        (("--include-dev", "/no/such"), "unable to access '/no/such' of --include-dev - No such file or directory"),
        (("--chunk-size", "100"), "--chunk-size is 100: must be a power of two"),
        (("--rate", "0"), "--rate is 0: nothing could pass"),
        (("--crypt-mode", "encrypt"), "--crypt-mode without --keyfile and no default key file available"),
        (("--entries-max", "2"), "more than 2 directory entries at once"),
    ],
)
def test_what_does_not_go_together_is_refused(
    site: BackupSite, tree: Path, options: tuple[str, ...], message: str
) -> None:
    assert message in site.error("backup", f"root.pxar:{tree}", "--backup-id", "refused", *options)
    assert site.has_no_snapshots("host/refused")


def test_a_rate_needs_a_size(site: BackupSite, tree: Path) -> None:
    outcome = site.run("backup", f"root.pxar:{tree}", "--rate", "fast")
    assert outcome.exit_code == 255
    assert outcome.stderr.startswith("Error: parameter verification failed - 'rate': not a size: 'fast'")


def test_limits_leave_the_bytes_alone(site: BackupSite, tree: Path, image: Path, key: Path) -> None:
    limits = ("--rate", "40 MB", "--burst", "1MiB", "--keyfile", key)
    for time in (1_780_300_800, 1_780_300_801):
        sources = (f"root.pxar:{tree}", f"disk.img:{image}", "--backup-id", "limited", "--backup-time", str(time))
        site.succeed("backup", *sources, "--change-detection-mode", "metadata", *limits)
    assert restored(site, "limited", "disk.img", *limits) == image.read_bytes()


def test_a_burst_alone_is_said_to_do_nothing(site: BackupSite, image: Path) -> None:
    log = site.succeed("backup", f"disk.img:{image}", "--backup-id", "burst", "--burst", "1MB").stderr
    assert "warning: --burst has no effect without --rate" in log


def test_a_log_that_nobody_reads_stops_no_backup(site: BackupSite, tree: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        site.client.command("backup", f"root.pxar:{tree}", "--backup-id", "unread"),
        env=site.client.variables(site.environment),
        stdin=subprocess.DEVNULL,
        stderr=writing,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 0
    (snapshot,) = site.snapshots("host/unread")
    assert (snapshot / "index.json.blob").exists()
