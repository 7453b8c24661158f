"""Second factors of a user as `tfa.json` has them: what they are called, not their secrets (config-files.md 6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

RECOVERY = "recovery"
FACTOR_LISTS = ("totp", "webauthn", "u2f", "yubico")
LOCKS = ("totp-locked", "tfa-locked-until")


@dataclass(frozen=True, kw_only=True)
class SecondFactor:
    """One factor; all recovery codes together are one. `created` is seconds since 1970."""

    factor_type: str
    factor_id: str
    created: int
    description: str | None = None
    is_enabled: bool = True


@dataclass(frozen=True)
class SecondFactors:
    """The factors of one user. After too many failures some cannot be used until an admin or a time ends that."""

    entries: tuple[SecondFactor, ...] = ()
    totp_locked: bool = False
    locked_until: int | None = None

    def is_locked(self, now: float) -> bool:
        """Whether all factors are locked at that time."""
        return self.locked_until is not None and self.locked_until > now


def parse_second_factors(values: Mapping[str, Any]) -> SecondFactors:
    """Read what the file has of one user.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the values have another form.
    """
    until = values.get("tfa-locked-until")
    return SecondFactors(
        tuple(_entries(values)), bool(values.get("totp-locked")), None if until is None else int(until)
    )


def remove_factor(values: dict[str, Any], factor_id: str) -> bool:
    """Take one factor out of what the file has of one user; return whether it was there.

    Raises:
        AttributeError, KeyError, TypeError: the values have another form.
    """
    if factor_id == RECOVERY:
        return values.pop(RECOVERY, None) is not None
    for name in FACTOR_LISTS:
        old = values.get(name) or []
        kept = [entry for entry in old if entry["id"] != factor_id]
        if len(kept) < len(old):
            values[name] = kept
            if not kept:
                del values[name]
            return True
    return False


def _entries(values: Mapping[str, Any]) -> Iterator[SecondFactor]:
    for name in FACTOR_LISTS:
        for entry in values.get(name) or []:
            yield SecondFactor(
                factor_type=name,
                factor_id=str(entry["id"]),
                created=int(entry.get("created", 0)),
                description=entry.get("description"),
                is_enabled=bool(entry.get("enable", True)),
            )
    if recovery := values.get(RECOVERY):
        yield SecondFactor(factor_type=RECOVERY, factor_id=RECOVERY, created=int(recovery.get("created", 0)))
