"""Archives that the original programs made, listed by `pxar list` as they list them, character by character."""

import lzma
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_runner import Outcome, Runner
from pbstore.cli.pxar.main import PROGRAM

DEBUG = {"PXAR_LOG": "debug"}


@pytest.fixture
def pxar(pytestconfig: pytest.Config) -> Runner:
    """`pxar`."""
    return Runner(PROGRAM, installed=pytestconfig.getoption("--installed"))


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone that the original's listings were made in."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def text(path: Path) -> str:
    return (lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()).decode()


def check(outcome: Outcome, expected: str) -> None:
    """The entries are results; what the original says of the archive between them are log lines."""
    lines = expected.splitlines()
    assert outcome.exit_code == 0
    assert outcome.stdout.splitlines() == [line for line in lines if '"' in line]
    assert outcome.stderr.splitlines() == [line for line in lines if '"' not in line]


@pytest.mark.parametrize("name", ["no-meta", "default"])
def test_archives_of_324(name: str, pxar: Runner, default_archive: Path, fixtures_323: Path) -> None:
    directory = fixtures_323 / "pxar"
    archive = default_archive if name == "default" else directory / f"{name}.pxar"
    check(pxar("list", archive, environment=DEBUG), text(directory / f"{name}.list-debug.txt"))


def test_recorded_patterns_of_324(pxar: Runner, fixtures_323: Path) -> None:
    directory = fixtures_323 / "pxar"
    outcome = pxar("list", directory / "exclude-opt.pxar")
    check(outcome, text(directory / "exclude-opt.list.txt"))
    assert outcome.stdout.splitlines()[-1] == '"/.pxarexclude-cli"'


@pytest.mark.parametrize("name", ["v1", "split", "excl"])
def test_archives_of_423(name: str, pxar: Runner, fixtures_423: Path) -> None:
    directory = fixtures_423 / "pxar"
    archive = directory / ("v1.pxar" if name == "v1" else f"{name}.mpxar")
    payload = () if name == "v1" else ("--payload-input", directory / f"{name}.ppxar")
    check(pxar("list", archive, *payload), text(directory / f"{name}.list.stdout"))
    check(pxar("list", archive, *payload, environment=DEBUG), text(directory / f"{name}.list-debug.txt"))
    # The original does not list a split archive without its payload.
    check(pxar("list", archive), text(directory / f"{name}.list.stdout"))


@pytest.mark.parametrize("generation", [1, 2, 3])
@pytest.mark.parametrize("tree", ["split-g{}-etc", "split-g{}-tree", "encsplit-g{}-enc"])
def test_metadata_streams_of_backups(
    generation: int, tree: str, pxar: Runner, fixtures_423: Path, tmp_path: Path
) -> None:
    items, name = fixtures_423 / "items", tree.format(generation)
    archive = tmp_path / "a.mpxar"
    archive.write_bytes(lzma.decompress((items / f"{name}.mpxar.xz").read_bytes()))
    (listing,) = items.glob(f"{name}.list.txt*")
    (long_listing,) = items.glob(f"{name}.list-debug.txt*")
    check(pxar("list", archive), text(listing))
    check(pxar("list", archive, environment=DEBUG), text(long_listing))


def test_streams_that_do_not_belong_together(pxar: Runner, fixtures_423: Path) -> None:
    directory = fixtures_423 / "pxar"
    outcome = pxar("list", directory / "split.mpxar", "--payload-input", directory / "excl.ppxar")
    assert outcome.exit_code == 255
    # The original's listing goes one file further, and says less.
    assert text(directory / "split.list.stdout").startswith(outcome.stdout)
    assert "damaged payload stream at byte 178" in outcome.stderr
    outcome = pxar("list", directory / "split.ppxar")
    assert (outcome.exit_code, outcome.stdout) == (255, "")
    assert "834c68c2194a4ed2: this is the payload of a split archive" in outcome.stderr
