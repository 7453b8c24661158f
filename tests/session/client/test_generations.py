"""Trees that change from backup to backup: whatever is used again, each generation comes back as it was."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pbstore._core import CryptKey
from session.client.client_site import ClientSite
from session.client.split_site import keep
from tree_snapshot import tree_snapshot

pytestmark = pytest.mark.slow

KEY = CryptKey(bytes(range(32)))


@pytest.mark.parametrize("seed", range(3))
def test_many_generations_come_back(site: ClientSite, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    for number in range(150):
        write(tree / f"{'sub/' if number % 3 else ''}{number:03}", rng)
    key = KEY if seed % 2 else None
    kept = keep(site, tree, f"generations-{seed}", key=key)
    reused = 0
    for generation in range(6):
        for _ in range(rng.choice([0, 1, 3, 30])):
            rng.choice(CHANGES)(tree, rng)
        kept = keep(site, tree, f"generations-{seed}", kept, key)
        reused += kept.stats.injected_chunk_count
        target = tmp_path / f"back-{generation}"
        kept.restore(target, key)
        assert tree_snapshot(target) == tree_snapshot(tree), f"generation {generation}"
        shutil.rmtree(target)
    assert reused > 100


def write(path: Path, rng: random.Random) -> None:
    """New content of any length, often none and seldom much."""
    path.write_bytes(rng.randbytes(rng.choice([0, rng.randrange(200), rng.randrange(9000), rng.randrange(60_000)])))


def any_file(tree: Path, rng: random.Random) -> Path:
    return rng.choice(sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()))


def change(tree: Path, rng: random.Random) -> None:
    write(any_file(tree, rng), rng)


def append(tree: Path, rng: random.Random) -> None:
    with any_file(tree, rng).open("ab") as file:
        file.write(rng.randbytes(rng.randrange(5000)))


def add(tree: Path, rng: random.Random) -> None:
    write(rng.choice([tree, tree / "sub"]) / f"new-{rng.randrange(1000):03}", rng)


def remove(tree: Path, rng: random.Random) -> None:
    any_file(tree, rng).unlink()


def rename(tree: Path, rng: random.Random) -> None:
    any_file(tree, rng).rename(tree / f"moved-{rng.randrange(1000):03}")


def link(tree: Path, rng: random.Random) -> None:
    name = tree / f"link-{rng.randrange(1000):03}"
    if not name.exists():
        name.hardlink_to(any_file(tree, rng))


def replace_by_directory(tree: Path, rng: random.Random) -> None:
    path = any_file(tree, rng)
    path.unlink()
    path.mkdir()
    write(path / "inner", rng)


def set_mode(tree: Path, rng: random.Random) -> None:
    any_file(tree, rng).chmod(rng.choice([0o600, 0o640, 0o755]))


def set_time(tree: Path, rng: random.Random) -> None:
    os.utime(any_file(tree, rng), ns=(0, rng.randrange(10**18)))


CHANGES: list[Callable[[Path, random.Random], None]] = [
    change,
    append,
    add,
    remove,
    rename,
    link,
    replace_by_directory,
    set_mode,
    set_time,
]
