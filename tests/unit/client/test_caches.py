"""The ticket cache, the fingerprint cache and the folders they lie in (protocol-transport.md 2)."""

import json
from pathlib import Path

import pytest

from pbstore.client.fingerprint_cache import FingerprintCache
from pbstore.client.places import ClientPlaces
from pbstore.client.ticket_cache import Ticket, TicketCache
from pbstore.errors import ConfigError
from pbstore.model.fingerprint import Fingerprint

TICKET = Ticket("PBS:u@pbs:65000000::x", "csrf")


def test_tickets_last_two_hours_less_a_minute(tmp_path: Path) -> None:
    now = 1_000_000.0
    cache = TicketCache(tmp_path / "tickets", clock=lambda: now)
    cache.store("h", "u@pbs", TICKET)
    assert (tmp_path / "tickets").stat().st_mode & 0o777 == 0o600
    now += 7139
    assert cache.load("h", "u@pbs") == TICKET
    assert cache.load("h", "other@pbs") is None
    assert cache.load("other", "u@pbs") is None
    now += 1
    assert cache.load("h", "u@pbs") is None
    cache.store("h2", "u@pbs", TICKET)
    assert list(json.loads((tmp_path / "tickets").read_text())) == ["h2"], "expired entries are dropped"


def test_logout_forgets_one_user(tmp_path: Path) -> None:
    cache = TicketCache(tmp_path / "tickets")
    cache.store("h", "a@pbs", TICKET)
    cache.store("h", "b@pbs", TICKET)
    cache.remove("h", "a@pbs")
    assert (cache.load("h", "a@pbs"), cache.load("h", "b@pbs")) == (None, TICKET)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"h": []}', '{"h": {"u@pbs": 3}}', '{"h": {"u@pbs": {"timestamp": "x"}}}', "[" * 100_000],
)
def test_a_broken_cache_counts_as_empty(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tickets"
    path.write_text(content)
    cache = TicketCache(path)
    assert cache.load("h", "u@pbs") is None
    cache.store("h", "u@pbs", TICKET)
    assert cache.load("h", "u@pbs") == TICKET


def test_without_a_runtime_folder_nothing_is_kept() -> None:
    cache = TicketCache(None)
    cache.store("h", "u@pbs", TICKET)
    assert cache.load("h", "u@pbs") is None


def test_tickets_are_not_kept_where_others_can_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    places = ClientPlaces.from_environment({"XDG_RUNTIME_DIR": str(tmp_path)})
    with pytest.raises(ConfigError, match="must have mode 0700"):
        places.place_runtime("tickets")
    tmp_path.chmod(0o700)
    assert places.place_runtime("tickets") == tmp_path / "proxmox-backup" / "tickets"


def test_fingerprints_are_replaced_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "fingerprints"
    first, second = Fingerprint(bytes(32)), Fingerprint(bytes(range(32)))
    path.write_text(f"a {first}\nbroken\none two three\nb nonsense\n")
    cache = FingerprintCache(path)
    assert cache.load("a") == first
    assert cache.load("b") is None
    assert cache.load("c") is None
    cache.store("a", second)
    cache.store("c", first)
    assert path.read_text() == f"a {second}\nb nonsense\nc {first}\n"


def test_configuration_is_found_in_the_own_folder_first(tmp_path: Path) -> None:
    own, system = tmp_path / "own", tmp_path / "system"
    places = ClientPlaces.from_environment({"XDG_CONFIG_HOME": str(own), "XDG_CONFIG_DIRS": f"relative:{system}"})
    assert places.find_config("k") is None
    (system / "proxmox-backup").mkdir(parents=True)
    (system / "proxmox-backup" / "k").touch()
    assert places.find_config("k") == system / "proxmox-backup" / "k"
    places.place_config("k").touch()
    assert places.find_config("k") == own / "proxmox-backup" / "k"
