"""Which second factors users have (rest-api.md 3)."""

from collections.abc import Mapping
from typing import Any

from pbstore.access.account_items import factor_item, factor_lock_item
from pbstore.access.privileges import SYS_AUDIT
from pbstore.api.method import Call, method
from pbstore.api.permission import ANYBODY, known_caller
from pbstore.api.result import Result
from pbstore.api.schema import Parameter, String
from pbstore.config.second_factors import SecondFactors
from pbstore.config.tfa_json import TfaFile
from pbstore.errors import NotFoundError
from pbstore.model.auth_id import AuthId, UserId
from pbstore.server.account_parameters import USER_ID
from pbstore.server.account_results import FACTOR, FACTORS, FACTORS_OF_ALL
from pbstore.server.account_right import CHANGE_USER, USERS_PATH
from pbstore.server.registry import Registry

PATH = "/access/tfa/{userid}"
FACTOR_ID = Parameter(name="id", schema=String(description="Id of a second factor.", maximum_length=256))


@method("GET", "/access/tfa", permission=ANYBODY, result=Result(data=FACTORS_OF_ALL))
def list_all(call: Call[Registry]) -> list[dict[str, Any]]:
    """Users that have second factors, or only the calling one if it may not see others."""
    caller, now = known_caller(call.caller), call.state.clock()
    sees_all = SYS_AUDIT in call.rights.privileges(caller, USERS_PATH)
    return [
        {"userid": str(user), "entries": _entries(factors), **factor_lock_item(factors, now)}
        for user, factors in _factors(call).items()
        if sees_all or AuthId(user) == caller
    ]


@method("GET", PATH, permission=CHANGE_USER, parameters=(USER_ID,), result=Result(data=FACTORS))
def list_of_user(call: Call[Registry], *, userid: UserId) -> list[dict[str, Any]]:
    """The second factors of a user."""
    return _of_user(call, userid)


@method(
    "GET",
    f"{PATH}/{{id}}",
    permission=CHANGE_USER,
    parameters=(USER_ID, FACTOR_ID),
    result=Result(data=FACTOR),
)
def show(call: Call[Registry], *, userid: UserId, id: str) -> dict[str, Any]:
    """One second factor."""
    found = next((item for item in _of_user(call, userid) if item["id"] == id), None)
    if found is None:
        raise NotFoundError(f"no such tfa entry: {userid}/{id}")
    return found


def _factors(call: Call[Registry]) -> Mapping[UserId, SecondFactors]:
    return TfaFile(call.state.roots).load()


def _of_user(call: Call[Registry], user: UserId) -> list[dict[str, Any]]:
    return _entries(_factors(call).get(user, SecondFactors()))


def _entries(factors: SecondFactors) -> list[dict[str, Any]]:
    return [factor_item(factor) for factor in factors.entries]


METHODS = (list_all, list_of_user, show)
