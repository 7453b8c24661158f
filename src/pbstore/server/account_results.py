"""What calls answer about accounts and rights (rest-api.md 3)."""

from pbstore.access.privileges import PRIVILEGES
from pbstore.access.roles import ROLES
from pbstore.api.result import Items, MapOf, Object, Text, always, perhaps
from pbstore.api.schema import Boolean, Enum, Integer
from pbstore.config.second_factors import FACTOR_LISTS, RECOVERY
from pbstore.server.account_parameters import ACCOUNT, NAMES

_USER_ID = Text(description="user id")
_ACCOUNT, _NAMES = (
    tuple(perhaps(parameter.name, parameter.schema) for parameter in parameters) for parameters in (ACCOUNT, NAMES)
)
_TOKEN_ID = always("tokenid", Text(description="user id, !, and the token's name"))
_LOCKS = (
    perhaps("totp-locked", Boolean(description="whether codes of an app are refused until an admin unlocks them")),
    perhaps("tfa-locked-until", Integer(description="until when all second factors are refused, seconds since 1970")),
)
TOKEN = Object(description="an API token", properties=(_TOKEN_ID, *_ACCOUNT))
TOKENS = Items(
    description="tokens of the user",
    item=Object(
        description="an API token",
        properties=(always("token-name", Text(description="the token's name")), *TOKEN.properties),
    ),
)
USER = Object(description="a user", properties=(always("userid", _USER_ID), *_ACCOUNT, *_NAMES, *_LOCKS))
USERS = Items(
    description="users",
    item=Object(
        description="a user",
        properties=(*USER.properties, perhaps("tokens", Items(description="API tokens", item=TOKEN))),
    ),
)
NEW_TOKEN = Object(
    description="the new token",
    properties=(_TOKEN_ID, always("value", Text(description="its secret, never shown again"))),
)
NEW_SECRET = Object(description="the new secret", properties=(always("secret", Text(description="never shown again")),))
FACTOR = Object(
    description="a second factor",
    properties=(
        always("type", Enum(description="its kind", values=(*FACTOR_LISTS, RECOVERY))),
        always("id", Text(description="its id")),
        always("created", Integer(description="seconds since 1970")),
        perhaps("description", Text(description="what its user calls it")),
        perhaps("enable", Boolean(description="false: it is not used")),
    ),
)
FACTORS = Items(description="second factors of the user", item=FACTOR)
FACTORS_OF_ALL = Items(
    description="users that have second factors",
    item=Object(
        description="a user",
        properties=(always("userid", _USER_ID), always("entries", FACTORS), *_LOCKS),
    ),
)
ACL_ENTRIES = Items(
    description="entries of the access control list",
    item=Object(
        description="an entry",
        properties=(
            always("path", Text(description="where it holds")),
            always("propagate", Boolean(description="whether it holds below the path, too")),
            always("roleid", Enum(description="the role", values=tuple(ROLES))),
            always("ugid", Text(description="user, API token or group")),
            always("ugid_type", Enum(description="what the id names", values=("user", "group"))),
        ),
    ),
)
ROLE_LIST = Items(
    description="roles",
    item=Object(
        description="a role",
        properties=(
            always("roleid", Text(description="name of the role")),
            always(
                "privs",
                Items(description="its privileges", item=Enum(description="a privilege", values=PRIVILEGES)),
            ),
            always("comment", Text(description="what it is for")),
        ),
    ),
)
PERMISSIONS = MapOf(
    description="paths",
    value=MapOf(
        description="privileges on the path",
        value=Boolean(description="whether the privilege holds below the path, too"),
    ),
)
REALM = Object(
    description="a realm",
    properties=(
        always("realm", Text(description="name of the realm")),
        always("type", Text(description="kind of the realm")),
        perhaps("comment", Text(description="what it is")),
        perhaps("default", Boolean(description="whether logins propose it")),
    ),
)
LOGIN = Object(
    description="the login",
    properties=(
        always("username", _USER_ID),
        perhaps("CSRFPreventionToken", Text(description="what changes have to send along with the ticket")),
        perhaps("ticket", Text(description="the ticket, valid for two hours")),
        perhaps("ticket-info", Text(description="the ticket without its signature; the ticket is a cookie")),
    ),
)
