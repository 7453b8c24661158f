"""Users, tokens, second factors and rights as calls and `--output-format json` show them (rest-api.md 3)."""

from collections.abc import Mapping
from typing import Any

from pbstore.config.acl_cfg import AclEntry
from pbstore.config.second_factors import SecondFactor, SecondFactors
from pbstore.config.user_cfg import TokenConfig, UserConfig


def user_item(config: UserConfig) -> dict[str, Any]:
    """Return what is set of a user."""
    names = ("comment", "email", "enable", "expire", "firstname", "lastname")
    return {"userid": str(config.user), **without_none({name: getattr(config, name) for name in names})}


def token_item(config: TokenConfig) -> dict[str, Any]:
    """Return what is set of a token, never its secret."""
    names = ("comment", "enable", "expire")
    return {"tokenid": str(config.auth_id), **without_none({name: getattr(config, name) for name in names})}


def named_token_item(config: TokenConfig) -> dict[str, Any]:
    """Return a token as the list of its user's tokens has it."""
    return {"token-name": config.auth_id.token_name, **token_item(config)}


def factor_item(factor: SecondFactor) -> dict[str, Any]:
    """Return what is known of a second factor; that it is enabled goes without saying."""
    item = {"type": factor.factor_type, "id": factor.factor_id, "created": factor.created}
    enable = None if factor.is_enabled else False
    return {**item, **without_none({"description": factor.description, "enable": enable})}


def factor_lock_item(factors: SecondFactors, now: float) -> dict[str, Any]:
    """Return which locks hold on somebody's second factors."""
    until = factors.locked_until if factors.is_locked(now) else None
    return without_none({"totp-locked": factors.totp_locked or None, "tfa-locked-until": until})


def acl_item(entry: AclEntry) -> dict[str, Any]:
    """Return an entry; what is a group is told by its type, not by an `@`."""
    return {
        "path": entry.path,
        "propagate": entry.propagate,
        "roleid": entry.role,
        "ugid": entry.ugid.removeprefix("@"),
        "ugid_type": "group" if entry.ugid.startswith("@") else "user",
    }


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not set."""
    return {name: value for name, value in values.items() if value is not None}
