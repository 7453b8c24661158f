"""A storage host."""

from pathlib import Path

import pytest

from unit.pve.storage_site import StorageSite


@pytest.fixture
def site(tmp_path: Path) -> StorageSite:
    return StorageSite(tmp_path)
