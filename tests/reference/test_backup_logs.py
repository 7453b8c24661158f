"""The lines that a backup logs, against those of release 4.2.3 with the same sources and options."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backup_site import BackupSite
from command_runner import Runner
from local_zone import local_zone
from memory_directory import memory_directory
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.config.roots import Roots
from pbstore.datastore.creation import create_datastore
from unpack import unpack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="the sources belong to several users: run as root"),
]

RUN = re.compile(
    r"^\$ proxmox-backup-client (?P<words>backup .*?)\n--- stdout\n--- stderr\n(?P<log>.*?)--- exit (?P<code>\d+)$",
    re.DOTALL | re.MULTILINE,
)
FIRST_DAY = 1_780_300_800
PLACE = "/srv/fx42/src/"
# Captures whose sources are all in the fixtures. A dry run came between the fifth and the sixth of `modeswitch`.
CAPTURES = (
    "ct",
    "vm",
    "modeswitch",
    "encsplit-g1",
    "encsplit-g2",
    "encsplit-g3",
    "signsplit-g1",
    "signsplit-g2",
    "prot",
)

# Where ours reuses more on purpose (docs/design/change-detection.md).
REUSE_MORE = ("encsplit-g2", "encsplit-g3")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server_certificate: Roots) -> Iterator[BackupSite]:
    """A server with an empty store."""
    with memory_directory() as directory:
        create_datastore(directory / "main", [])
        made = BackupSite(tmp_path_factory.mktemp("logs"), directory / "main", server_certificate, Runner(CLIENT))
        yield made
        made.server.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def sources(fixtures_423: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generations of the trees, as `g1/etc` and so on, each with the images beside them."""
    if shutil.which("tar") is None:
        pytest.skip("GNU tar unpacks the trees: install tar")
    path = tmp_path_factory.mktemp("sources")
    options = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner", "--same-owner", "-xpJf"]
    archive = fixtures_423 / "trees" / "sources-g1-g2-g3.tar.xz"
    subprocess.run(["tar", "-C", path, *options, archive], check=True, stderr=subprocess.DEVNULL)
    images = unpack(fixtures_423 / "trees" / "images.tar.xz", tmp_path_factory.mktemp("images"))
    for generation in path.iterdir():
        for image in images.iterdir():
            (generation / image.name).symlink_to(image)
    return path


def plain(log: str) -> list[str]:
    """The log without times, speeds and compressed sizes; the lines of a split archive's parts in one order.

    Both parts are uploaded at once, and the original tells of them as they end.
    """
    log = re.sub(r" in \d+\.\d\d s \(average [^)]*\)", " in T", log)
    log = re.sub(r"\(compressed [^)]*\)", "(compressed C)", log)
    log = re.sub(r"^(Client name|Starting backup protocol|Duration|End Time): .*$", r"\1", log, flags=re.MULTILINE)
    lines = log.splitlines()
    part = re.compile(r"\S+\.[mp]pxar: ")
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and part.match(lines[end]):
            end += 1
        lines[start:end] = sorted(lines[start:end], key=lambda line: line.split()[0])
        start = max(end, start + 1)
    return lines


def without_reuse(lines: list[str]) -> list[str]:
    """The lines without what depends on how much was used again."""
    counted = (re.sub(r"\d[\d.]*( [KM]?i?B)?", "N", line) if line.startswith(" - ") else line for line in lines)
    return [line for line in counted if ".ppxar: " not in line]


class Replay:
    """Runs what the original ran."""

    def __init__(self, site: BackupSite, fixtures: Path, sources: Path):
        self.site = site
        self.fixtures = fixtures
        self.sources = sources

    def runs(self, name: str) -> list[tuple[str, str]]:
        """Command lines and logs of a capture."""
        found = RUN.findall((self.fixtures / "cli" / f"backup-{name}.txt").read_text())
        assert found
        assert all(code == "0" for _, _, code in found)
        return [(words, log) for words, log, _ in found]

    def check(self, words: str, log: str, compared: Callable[[list[str]], list[str]] = list) -> None:
        """Run it and compare what is left of the lines."""
        when = re.search(r"--backup-time (\d+)", words)
        day = 1 if when is None else (int(when[1]) - FIRST_DAY) // 86400 + 1
        moved = {
            PLACE: f"{self.sources}/g{day}/",
            "/srv/fx42/out/keys/": f"{self.fixtures}/keys/",
            "test@pbs@localhost:8007:fix42": self.site.environment["PBS_REPOSITORY"],
        }
        for old, new in moved.items():
            words, log = words.replace(old, new), log.replace(old, new)
        with local_zone("UTC"):
            found = self.site.succeed(*shlex.split(words)).stderr
        if when is None:
            found, log = (re.sub(r"(?m)^(Starting backup: host/[^/]*/).*", r"\1", text) for text in (found, log))
        assert compared(plain(found)) == compared(plain(log))


@pytest.fixture
def replay(site: BackupSite, fixtures_423: Path, sources: Path) -> Replay:
    return Replay(site, fixtures_423, sources)


@pytest.mark.parametrize("name", CAPTURES)
def test_the_log_has_the_originals_lines(replay: Replay, name: str) -> None:
    for number, (words, log) in enumerate(replay.runs(name)):
        if (name, number) == ("modeswitch", 5):
            replay.check(*replay.runs("dryrun")[0])
        replay.check(words, log, without_reuse if name in REUSE_MORE else list)


def test_pipes_are_told_of_alike(replay: Replay, sources: Path) -> None:
    capture = (replay.fixtures / "cli" / "backup-pipe.txt").read_text()
    runs = [(words, log) for words, log, code in RUN.findall(capture) if code == "0"]
    assert len(runs) == 3
    for number, (words, log) in enumerate(runs):
        day = int(words.partition("--backup-time ")[2].split()[0]) - FIRST_DAY
        generation = sources / f"g{day // 86400 + 1}"
        generation.mkdir(exist_ok=True)
        pipe = generation / "p"
        os.mkfifo(pipe)
        content = (sources / "g1" / ("pipe2.raw" if number == 1 else "pipe1.raw")).read_bytes()
        writer = threading.Thread(target=pipe.write_bytes, args=(content,))
        writer.start()
        replay.check(words.replace("/srv/fx42/p ", f"{PLACE}p "), log.replace("/srv/fx42/p'", f"{PLACE}p'"))
        writer.join()
