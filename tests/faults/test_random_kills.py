"""kill -9 at random moments of everything that writes: what is listed afterwards verifies, restores, and goes on.

    PBSTORE_KILL_MOMENTS=200 PBSTORE_KILL_SEED=7 pytest tests/faults/test_random_kills.py

The seed decides what is done and at which part of it the kill comes. Without the variables there are 30 moments of
another seed each time; it is printed, and part of what pytest shows of a failure.
"""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from disk_traces import held_locks, temporary_files
from faults.fault_site import STORE, FaultSite, wait_until
from pbstore.model.backup import Snapshot

MOMENTS = int(os.environ.get("PBSTORE_KILL_MOMENTS", "30"))
SEED = os.environ.get("PBSTORE_KILL_SEED") or str(random.randrange(10**6))  # noqa: S311
FIRST_GUESS_SECONDS = 0.3
MANY = 12

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 + 20 * MOMENTS)]

Place = tuple[str, str]
"""Namespace, `type/id/time`."""


class World:
    """What there should be: the content number of each snapshot, by `type/id/time`, wherever it lies."""

    def __init__(self, site: FaultSite, key: Path, chance: random.Random):
        self.site, self.key, self.chance = site, key, chance
        self.contents: dict[str, int] = {}
        self.durations: dict[str, float] = {}
        self.may_go: set[str] = set()
        self.group = ""

    # What can be done; each says what may be different afterwards

    def back_up(self, *, client_dies: bool = False) -> None:
        """Back up a group, in its turn an encrypted one."""
        site, name = self.site, self.chance.choice(["plain", "other", "secret"])
        site.change_sources()
        words = [*site.backup_words(name), *self.key_options(name)]
        self.group = f"host/{name}"
        if not client_dies:
            site.run(*words)
            return
        client = site.start(*words)
        time.sleep(self.chance.uniform(0, 1.5))
        client.kill()
        client.communicate(timeout=20)
        wait_until(lambda: not held_locks(site.server.roots.locks_dir))

    def kill_client(self) -> None:
        """Kill the client of a backup; the server goes on."""
        self.back_up(client_dies=True)

    def verify(self) -> None:
        """Start a verification of everything."""
        self.post("verify", {"ignore-verified": 0})
        time.sleep(self.durations.get("verify", FIRST_GUESS_SECONDS))

    def prune(self) -> None:
        """Keep two of each group."""
        self.may_go = {path for _, path in self.places() if path not in self.newest(2)}
        self.post("prune-datastore", {"keep-last": 2})
        time.sleep(self.durations.get("prune", FIRST_GUESS_SECONDS))

    def forget(self) -> None:
        """Remove a snapshot."""
        namespace, path = self.chance.choice(self.places())
        self.may_go = {path}
        self.call("DELETE", "snapshots", {**snapshot_of(path), "ns": namespace})

    def forget_group(self) -> None:
        """Remove a group."""
        namespace, path = self.chance.choice(self.places())
        group = path.rpartition("/")[0]
        self.may_go = {other for _, other in self.places() if other.startswith(f"{group}/")}
        self.call("DELETE", "groups", {**group_of(path), "ns": namespace})

    def change_notes(self) -> None:
        """Write notes of a snapshot and of its group."""
        namespace, path = self.chance.choice(self.places())
        notes = {"ns": namespace, "notes": f"written {self.chance.random()}"}
        self.call("PUT", "notes", {**snapshot_of(path), **notes})
        self.call("PUT", "group-notes", {**group_of(path), **notes})

    def protect(self) -> None:
        """Protect a snapshot and end that."""
        namespace, path = self.chance.choice(self.places())
        for protected in (1, 0):
            self.call("PUT", "protected", {**snapshot_of(path), "ns": namespace, "protected": protected})

    def make_and_remove_namespace(self) -> None:
        """Make a namespace with one below it, and remove both."""
        self.call("POST", "namespace", {"name": "short"})
        self.call("POST", "namespace", {"name": "lived", "parent": "short"})
        self.call("DELETE", "namespace", {"ns": "short", "delete-groups": 1})

    def move_group(self) -> None:
        """Move a group to the other namespace."""
        namespace, path = self.chance.choice(self.places())
        self.call("POST", "namespace", {"name": "aside"})
        target = "" if namespace else "aside"
        self.post("move-group", {**group_of(path), "ns": namespace, "target-ns": target})
        time.sleep(self.durations.get("move_group", FIRST_GUESS_SECONDS))

    def move_namespace(self) -> None:
        """Move everything that was set aside further on, and back the next time."""
        there = [name for name in ("aside", "further") if (self.site.store / "ns" / name).is_dir()]
        source = there[0] if there else "aside"
        target = "further" if source == "aside" else "aside"
        self.post("move-namespace", {"ns": source, "target-ns": target})
        time.sleep(self.durations.get("move_namespace", FIRST_GUESS_SECONDS))

    # Requests; the server may die at any moment of them

    def post(self, path: str, parameters: dict[str, object]) -> None:
        """Start a task."""
        self.call("POST", path, parameters)

    def call(self, method: str, path: str, parameters: dict[str, object]) -> None:
        """Make a request that may fail in any way."""
        sent = {name: value for name, value in parameters.items() if value != ""}
        try:
            self.site.request(method, f"{STORE}/{path}", sent)
        except OSError:  # killed before, or while it answered
            return

    # What there is

    def places(self) -> list[Place]:
        """The snapshots in the store."""
        found = []
        for namespace in ("", "aside", "further", "short"):
            base = self.site.store / "ns" / namespace if namespace else self.site.store
            found += [(namespace, str(path.relative_to(base))) for path in base.glob("host/*/*T*")]
        return sorted(found, key=lambda place: place[1])

    def newest(self, count: int) -> set[str]:
        """The `count` last snapshots of each group, wherever they are."""
        groups: dict[Place, list[str]] = {}
        for namespace, path in self.places():
            groups.setdefault((namespace, path.rpartition("/")[0]), []).append(path)
        return {path for paths in groups.values() for path in sorted(paths)[-count:]}

    def key_options(self, group: str) -> list[str | Path]:
        """Options of the client for a group."""
        return ["--keyfile", self.key] if group.endswith("secret") else []

    def check(self) -> None:
        """After a restart: everything is there that should be, and whole."""
        site, roots = self.site, self.site.server.roots
        assert temporary_files(site.store, roots.tasks_dir) == []
        assert site.active_tasks() == ""
        places = self.places()
        found = [path for _, path in places]
        assert len(found) == len(set(found)), "a snapshot is in two places"
        new = set(found) - self.contents.keys()
        assert len(new) <= 1
        assert set(self.contents) - set(found) <= self.may_go
        self.contents = {path: self.contents.get(path, site.content) for path in found}
        for namespace, path in places:
            base = site.store / "ns" / namespace if namespace else site.store
            assert (base / path / "index.json.blob").is_file()
        answer, log = site.run_task("verify", {"ignore-verified": 0})
        assert log.endswith(": TASK OK\n"), (answer, log)
        assert log.count(": verify main:") == len(places)
        self.may_go = set()

    def restore(self, places: list[Place]) -> None:
        """Compare snapshots with what they were made of."""
        for namespace, path in places:
            options = [*self.key_options(path.split("/")[1]), *(["--ns", namespace] if namespace else [])]
            self.site.assert_restorable(path, *options, content=self.contents[path])

    def back_up_again(self) -> None:
        """The next backup of the group that was killed works, upon the last one if there is any."""
        if not self.group:
            return
        site, name, group = self.site, self.group.split("/")[1], self.group
        last = max((path for ns, path in self.places() if not ns and path.startswith(f"{group}/")), default=None)
        site.change_sources()
        site.succeed(*site.backup_words(name), *self.key_options(name))
        log = site.server.task_logs("backup")[-1]
        if last is not None:
            assert f"register chunks in 'disk.img.fidx' from previous backup '{last}'." in log
        (new,) = {path for _, path in self.places()} - self.contents.keys()
        self.contents[new] = site.content
        self.group = ""


def group_of(path: str) -> dict[str, object]:
    """The parameters that name a group."""
    backup_type, backup_id, _ = path.split("/")
    return {"backup-type": backup_type, "backup-id": backup_id}


def snapshot_of(path: str) -> dict[str, object]:
    """The parameters that name a snapshot."""
    return {**group_of(path), "backup-time": Snapshot.parse(path).backup_time}


WITHOUT_SNAPSHOTS = ("back_up", "kill_client", "verify", "prune", "make_and_remove_namespace", "move_namespace")
WITH_SNAPSHOTS = ("forget", "forget_group", "change_notes", "protect", "move_group")
WEIGHTS = {"back_up": 6, "prune": 2}


def killed_during(world: World, name: str, part: float) -> bool:
    """Do something and kill the server at some part of it; whether it was still running then."""
    site = world.site
    action = getattr(world, name)
    is_over = threading.Event()
    was_early: list[bool] = []

    def kill() -> None:
        was_early.append(not is_over.wait(part * world.durations.get(name, FIRST_GUESS_SECONDS)))
        site.server.stop(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    begin = time.monotonic()
    if name != "kill_client":
        killer.start()
    action()
    if name == "kill_client":
        return True
    is_over.set()
    killer.join()
    if not was_early[0]:
        world.durations[name] = time.monotonic() - begin
    return was_early[0]


def test_random_moments(site: FaultSite, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)  # noqa: S311
    site.succeed("key", "create", tmp_path / "key.json", "--kdf", "none")
    world = World(site, tmp_path / "key.json", chance)
    for _ in range(2):
        world.group = f"host/{chance.choice(['plain', 'other', 'secret'])}"
        world.back_up_again()
    in_the_middle = 0
    for moment in range(MOMENTS):
        names = [*WITHOUT_SNAPSHOTS, *(WITH_SNAPSHOTS if world.places() else ())]
        name = "prune" if len(world.contents) > MANY else chance.choices(names, [WEIGHTS.get(n, 1) for n in names])[0]
        print(f"moment {moment}: {name}")
        in_the_middle += killed_during(world, name, chance.random())
        if name != "kill_client":
            assert held_locks(site.server.roots.locks_dir) == []
            site.server.start()
        world.check()
        places = world.places()
        world.restore(chance.sample(places, min(1, len(places))))
        world.back_up_again()
    world.restore(world.places())
    print(f"{in_the_middle} of {MOMENTS} kills came in the middle")
    assert in_the_middle > MOMENTS / 4
