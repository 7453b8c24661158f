"""The check of API token secrets, quick for those seen before (version-4.md 12)."""

import hashlib
import hmac
import secrets
import threading

from pbstore.config.token_shadow import TokenShadowFile
from pbstore.model.auth_id import AuthId

MAX_CACHED = 1024
MAX_SECRET_LENGTH = 256


class TokenCheck:
    """Remembers verified secrets, as keyed digests, until `token.shadow` changes: a yescrypt check takes long."""

    def __init__(self, shadow: TokenShadowFile):
        self._shadow = shadow
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._verified: dict[AuthId, bytes] = {}
        self._stamp: tuple[int, int, int] | None = None

    def is_secret(self, auth_id: AuthId, secret: str) -> bool:
        """Return whether it is the token's secret.

        Raises:
            ConfigError: `token.shadow` cannot be used.
        """
        if len(secret) > MAX_SECRET_LENGTH:
            return False
        digest = hmac.new(self._key, f"{auth_id}\0{secret}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        # The stamp is taken before the file is read: a change in between empties the cache at the next check.
        stamp = self._shadow.stamp()
        with self._lock:
            if stamp != self._stamp:
                self._verified.clear()
                self._stamp = stamp
            known = self._verified.get(auth_id)
        if known is not None and hmac.compare_digest(known, digest):
            return True
        if not self._shadow.verify(auth_id, secret):
            return False
        with self._lock:
            if self._stamp == stamp:
                while len(self._verified) >= MAX_CACHED:
                    self._verified.pop(next(iter(self._verified)))
                self._verified[auth_id] = digest
        return True
