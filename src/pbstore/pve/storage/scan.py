"""Looking at a backup server that no storage stands for yet (pve-storage.md 6)."""

from typing import Any

from pbstore.client.unattended import Entrance, list_datastores
from pbstore.errors import PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.fingerprint import Fingerprint


def scan_backup_server(
    server: str, port: int, username: str, password: str, fingerprint: str | None
) -> list[dict[str, Any]]:
    """The datastores that the user may see, as the server lists them.

    Raises:
        PbstoreError: the server cannot be reached or refuses.
    """
    entrance = Entrance(
        host=server,
        port=port,
        user=AuthId.parse(username),
        password=password,
        fingerprint=Fingerprint.parse(fingerprint) if fingerprint else None,
    )
    try:
        return list_datastores(entrance)
    except PbstoreError as error:
        raise PbstoreError(f"error fetching datastores - {error}") from None
