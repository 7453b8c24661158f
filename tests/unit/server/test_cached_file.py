"""Configuration that other programs edit is noticed."""

from pathlib import Path

import pytest

from pbstore.errors import ConfigError
from pbstore.server.cached_file import CachedFile


class Counter:
    def __init__(self, path: Path):
        self.path = path
        self.reads = 0

    def __call__(self) -> str | None:
        self.reads += 1
        text = self.path.read_text() if self.path.exists() else None
        if text == "bad":
            raise ConfigError(f"{self.path}:1: bad")
        return text


def test_an_unchanged_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "user.cfg"
    path.write_text("a")
    reader = Counter(path)
    cached = CachedFile(path, reader)
    assert (cached.load(), cached.load()) == ("a", "a")
    assert reader.reads == 1


def test_a_replaced_file_is_noticed_even_with_the_same_size(tmp_path: Path) -> None:
    path = tmp_path / "user.cfg"
    path.write_text("a")
    cached = CachedFile(path, Counter(path))
    assert cached.load() == "a"
    (tmp_path / "new").write_text("b")
    (tmp_path / "new").replace(path)
    assert cached.load() == "b"


def test_a_missing_file_is_a_value_too(tmp_path: Path) -> None:
    path = tmp_path / "user.cfg"
    reader = Counter(path)
    cached = CachedFile(path, reader)
    assert (cached.load(), cached.load()) == (None, None)
    assert reader.reads == 1
    path.write_text("a")
    assert cached.load() == "a"
    path.unlink()
    assert cached.load() is None


def test_a_broken_file_is_an_error_each_time_until_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "user.cfg"
    path.write_text("a")
    cached = CachedFile(path, Counter(path))
    assert cached.load() == "a"
    path.write_text("bad")
    for _ in range(2):
        with pytest.raises(ConfigError):
            cached.load()
    path.write_text("good")
    assert cached.load() == "good"
