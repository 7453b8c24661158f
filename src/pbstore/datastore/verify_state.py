"""What the last verification left in a manifest, and which snapshots a new one is for (datastore-layout.md 7)."""

from dataclasses import dataclass
from typing import Self

from pbstore.errors import FormatError
from pbstore.format.manifest import Manifest
from pbstore.model.upid import Upid

_KEY = "verify_state"
_STATES = {"ok": True, "failed": False}
_DAY_SECONDS = 86400


@dataclass(frozen=True)
class VerifyState:
    """The result of a verification; `upid` is the text of its task."""

    is_ok: bool
    upid: str

    @classmethod
    def of(cls, manifest: Manifest) -> Self | None:
        """Return what a manifest says; None when it says nothing, or nothing that can be understood."""
        value = manifest.unprotected.get(_KEY)
        if not isinstance(value, dict) or not isinstance(value.get("upid"), str):
            return None
        is_ok = _STATES.get(str(value.get("state")))
        return None if is_ok is None else cls(is_ok, value["upid"])

    def to_json(self) -> dict[str, str]:
        """Return the object as manifests and lists have it."""
        return {"state": "ok" if self.is_ok else "failed", "upid": self.upid}

    def write_to(self, manifest: Manifest) -> None:
        """Put it into the unprotected part."""
        manifest.unprotected[_KEY] = self.to_json()

    def age_days(self, now: float) -> int | None:
        """Whole days since the task began; None when its id cannot be read."""
        try:
            return int((now - Upid.parse(self.upid).start_time) // _DAY_SECONDS)
        except FormatError:
            return None


@dataclass(frozen=True, kw_only=True)
class VerifyFilter:
    """Leaves out what was verified, well or not, unless that is more than `outdated_after` days ago."""

    ignore_verified: bool = True
    outdated_after: int | None = None

    def wants(self, state: VerifyState | None, now: float) -> bool:
        """Whether a snapshot with this state is to be verified."""
        if state is None or not self.ignore_verified:
            return True
        age = state.age_days(now)
        return age is None or (self.outdated_after is not None and age > self.outdated_after)
