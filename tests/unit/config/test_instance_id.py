"""The id of an installation: the machine's, as the original makes it, or one of its own."""

from pathlib import Path

import pytest

from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.instance_id import instance_id
from pbstore.config.roots import Roots
from pbstore.errors import ConfigError


def test_the_vector_of_the_specification(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "machine-id").write_text("00112233445566778899aabbccddeeff\n")
    assert instance_id(Roots.below(tmp_path)) == "103fff45076141bf80eb1177afdc7807"


def test_servers_below_directories_are_different_ones(tmp_path: Path) -> None:
    ids = []
    for name in ("a", "b"):
        roots = Roots.below(tmp_path / name)
        roots.prepare()
        load_or_create_auth_key(roots)
        ids.append(instance_id(roots))
        assert instance_id(roots) == ids[-1]
        assert len(bytes.fromhex(ids[-1])) == 16
    assert ids[0] != ids[1]


@pytest.mark.parametrize("text", ["", "uninitialized\n"])
def test_without_any_identity(tmp_path: Path, text: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "machine-id").write_text(text)
    with pytest.raises(ConfigError, match=r"authkey\.pub"):
        instance_id(Roots.below(tmp_path))
