"""Realms: the list for login forms, and what can be said about the built-in ones (rest-api.md 3, version-4.md 12)."""

from dataclasses import replace

from pbstore.access.privileges import REALM_ALLOCATE, SYS_AUDIT
from pbstore.api.method import Call, Method, Reply, method
from pbstore.api.permission import WORLD, Privilege
from pbstore.api.result import Items, Result
from pbstore.api.schema import Boolean, Parameter
from pbstore.config.domains_cfg import BUILT_IN_COMMENTS, DomainsFile, RealmConfig
from pbstore.server.account_parameters import COMMENT, delete_list
from pbstore.server.account_results import REALM
from pbstore.server.parameters import DIGEST, DIGEST_BESIDE
from pbstore.server.registry import Registry

REALMS_PATH = "/access/domains"
DEFAULT = Parameter(name="default", schema=Boolean(description="propose this realm at the login"), optional=True)
DELETABLE = ("comment", "default")


@method(
    "GET",
    "/access/domains",
    permission=WORLD,
    result=Result(data=Items(description="realms", item=REALM), beside=DIGEST_BESIDE),
)
def list_realms(call: Call[Registry]) -> Reply:
    """List the realms."""
    cfg = DomainsFile(call.state.roots).load()
    return Reply([_item(realm) for realm in cfg.realms.values()], {"digest": cfg.digest})


def _built_in(name: str) -> tuple[Method, Method]:
    @method(
        "GET",
        f"/config/access/{name}",
        permission=Privilege(REALMS_PATH, (SYS_AUDIT,)),
        result=Result(data=REALM, beside=DIGEST_BESIDE),
    )
    def show(call: Call[Registry]) -> Reply:
        """A built-in realm."""
        cfg = DomainsFile(call.state.roots).load()
        return Reply(_item(cfg.realms[name]), {"digest": cfg.digest})

    @method(
        "PUT",
        f"/config/access/{name}",
        permission=Privilege(REALMS_PATH, (REALM_ALLOCATE,)),
        parameters=(COMMENT, DEFAULT, delete_list(DELETABLE), DIGEST),
    )
    def update(
        call: Call[Registry],
        *,
        comment: str | None,
        default: bool | None,
        delete: list[str] | None,
        digest: str | None,
    ) -> None:
        """Change comment and default of a built-in realm."""
        deleted = delete or ()
        with DomainsFile(call.state.roots).edit(digest) as edit:
            realm = edit.current.realms[name]
            if comment is not None or "comment" in deleted:
                realm = replace(realm, comment=(comment or "").strip() or None)
            if default is not None or "default" in deleted:
                realm = replace(realm, is_default=bool(default))
            edit.put_built_in(realm)

    return show, update


def _item(config: RealmConfig) -> dict[str, object]:
    item: dict[str, object] = {"realm": config.realm, "type": config.realm_type}
    if config.comment is not None:
        item["comment"] = config.comment
    if config.is_default:
        item["default"] = True
    return item


METHODS = (list_realms, *(part for name in BUILT_IN_COMMENTS for part in _built_in(name)))
