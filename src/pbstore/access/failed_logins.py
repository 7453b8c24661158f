"""Limits on failed logins, besides the delay of each one (docs/design/access.md)."""

import threading
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Generic, TypeVar

from pbstore.access.clock import Clock
from pbstore.errors import AuthenticationError, TooManyFailuresError
from pbstore.model.auth_id import UserId

WINDOW_SECONDS = 300
MAX_OF_ONE_USER_FROM_ONE_ADDRESS = 10
"""Below the limit of an address: one wrong password in a configuration must not keep others there from logging in."""
MAX_FROM_ONE_ADDRESS = 60
MAX_OF_ONE_USER = 100
MAX_TRACKED = 4096
KeyT = TypeVar("KeyT", bound=Hashable)


class _Recent(Generic[KeyT]):
    """Times of failures within the window by key, at most `limit` of each; the longest unused keys are forgotten."""

    def __init__(self, limit: int):
        self.limit = limit
        self._times: OrderedDict[KeyT, deque[float]] = OrderedDict()

    def times(self, key: KeyT, now: float) -> deque[float]:
        """Return the failures that still count, oldest first; those of a future that a clock took back do not."""
        times = self._times.get(key, deque())
        while times and not 0 <= now - times[0] < WINDOW_SECONDS:
            times.popleft()
        return times

    def is_full(self, key: KeyT, now: float) -> bool:
        """Whether the limit is reached."""
        return len(self.times(key, now)) >= self.limit

    def note(self, key: KeyT, now: float) -> None:
        """Count a failure."""
        self._times.setdefault(key, deque(maxlen=self.limit)).append(now)
        self._times.move_to_end(key)
        while len(self._times) > MAX_TRACKED:
            self._times.popitem(last=False)

    def forget(self, key: KeyT) -> None:
        """Start anew."""
        self._times.pop(key, None)

    def __len__(self) -> int:
        return len(self._times)


class FailedLogins:
    """Who failed lately, and who has to wait for it.

    An address waits when it failed too often, as one user or altogether. When a user's login failed too often from
    all addresses together, each address that is among them waits, and no other: nobody can lock out a user who has
    not failed from where he is.
    """

    def __init__(self, clock: Clock):
        self._clock = clock
        self._lock = threading.Lock()
        self._pairs = _Recent[tuple[str, UserId]](MAX_OF_ONE_USER_FROM_ONE_ADDRESS)
        self._addresses = _Recent[str](MAX_FROM_ONE_ADDRESS)
        self._users = _Recent[UserId](MAX_OF_ONE_USER)

    @contextmanager
    def attempt(self, peer: str, user: UserId) -> Iterator[None]:
        """Let a login be checked within a `with` block, and count it if that raises `AuthenticationError`.

        `peer` is `ip:port` with an IPv6 address in brackets. Unknown users count like others, so that the answer
        does not tell who exists.

        Raises:
            TooManyFailuresError: the block is not entered; the text says for how long.
        """
        address = network_of(peer)
        with self._lock:
            self._check(address, user, self._clock())
        try:
            yield
        except AuthenticationError:
            now = self._clock()
            with self._lock:
                self._pairs.note((address, user), now)
                self._addresses.note(address, now)
                self._users.note(user, now)
            raise
        with self._lock:
            self._pairs.forget((address, user))

    @property
    def tracked_count(self) -> int:
        """How many addresses, users and pairs are remembered."""
        return len(self._pairs) + len(self._addresses) + len(self._users)

    def _check(self, address: str, user: UserId, now: float) -> None:
        pair = self._pairs.times((address, user), now)
        until = [now]
        if self._pairs.is_full((address, user), now):
            until.append(pair[0] + WINDOW_SECONDS)
        if self._addresses.is_full(address, now):
            until.append(self._addresses.times(address, now)[0] + WINDOW_SECONDS)
        if pair and self._users.is_full(user, now):
            until.append(min(self._users.times(user, now)[0], pair[-1]) + WINDOW_SECONDS)
        if max(until) > now:
            raise TooManyFailuresError(f"too many failed logins - try again in {ceil(max(until) - now)} seconds")


def address_of(peer: str) -> str:
    """Return the address of an `ip:port`, without the brackets of IPv6."""
    return peer.rpartition(":")[0].removeprefix("[").removesuffix("]")


def network_of(peer: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 network that an IPv6 host can choose from."""
    host = address_of(peer)
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), 64), strict=False))
