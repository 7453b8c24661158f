"""Who sends a request: from its cookies and headers (auth.md 3)."""

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from pbstore.access.clock import Clock
from pbstore.access.csrf import check_csrf_token
from pbstore.access.tickets import check_ticket
from pbstore.access.token_check import TokenCheck
from pbstore.config.auth_key import AuthKey
from pbstore.config.user_cfg import UserSource
from pbstore.errors import AuthenticationError, FormatError
from pbstore.model.auth_id import AuthId

COOKIE_NAMES = ("__Host-PBSAuthCookie", "PBSAuthCookie")
CSRF_HEADER = "csrfpreventiontoken"
TOKEN_PREFIX = "PBSAPIToken"  # noqa: S105 - the name of the scheme
Headers = Sequence[tuple[str, str]]
"""Names in lower case, values as received."""


class Credentials:
    """Finds the caller of a request."""

    def __init__(self, users: UserSource, tokens: TokenCheck, auth_key: AuthKey, csrf_key: bytes, clock: Clock):
        self._users = users
        self._tokens = tokens
        self._auth_key = auth_key
        self._csrf_key = csrf_key
        self._clock = clock

    def authenticate(self, http_method: str, headers: Headers) -> AuthId:
        """Return the caller. A cookie is decisive: with a bad one the other header is not looked at.

        Raises:
            AuthenticationError: none, or none that proves anything; the text is the reason for client and log.
            ConfigError: the users or token secrets cannot be read.
        """
        ticket = ticket_of(headers)
        if ticket is not None:
            return self._by_ticket(ticket, http_method, headers)
        for value in _values(headers, "authorization"):
            if value.startswith((f"{TOKEN_PREFIX}=", f"{TOKEN_PREFIX} ")):
                return self._by_token(value[len(TOKEN_PREFIX) + 1 :])
        raise AuthenticationError("no authentication credentials provided.")

    def _by_ticket(self, ticket: str, http_method: str, headers: Headers) -> AuthId:
        user = check_ticket(self._auth_key, ticket, self._clock())
        auth_id = AuthId(user)
        if not self._users.load().is_active(auth_id, self._clock()):
            raise AuthenticationError("user account disabled or expired.")
        if http_method != "GET":
            token = next(_values(headers, CSRF_HEADER), None)
            if token is None:
                raise AuthenticationError("missing CSRF prevention token")
            check_csrf_token(self._csrf_key, token, user, self._clock())
        return auth_id

    def _by_token(self, text: str) -> AuthId:
        name, colon, secret = text.strip().partition(":")
        try:
            auth_id = AuthId.parse(name)
        except FormatError:
            auth_id = None
        if not colon or auth_id is None or not auth_id.is_token:
            raise AuthenticationError("failed to parse API token")
        # The secret is checked first in any case: the time must not tell which tokens exist.
        valid = self._tokens.is_secret(auth_id, unquote(secret))
        if not self._users.load().is_active(auth_id, self._clock()):
            raise AuthenticationError("user account or token disabled or expired.")
        if not valid:
            raise AuthenticationError("invalid API token secret")
        return auth_id


def ticket_of(headers: Headers) -> str | None:
    """Return the decoded ticket from the cookies; the `__Host-` one of all Cookie headers wins."""
    cookies: dict[str, str] = {}
    for value in _values(headers, "cookie"):
        for pair in value.split(";"):
            name, equals, content = pair.strip().partition("=")
            if equals and name in COOKIE_NAMES:
                cookies.setdefault(name, content)
    return next((unquote(cookies[name]) for name in COOKIE_NAMES if name in cookies), None)


def _values(headers: Headers, name: str) -> Iterator[str]:
    return (value for key, value in headers if key == name)
