"""The login with a password or, to renew it, with a ticket (auth.md 4)."""

from dataclasses import dataclass

from pbstore.access.clock import Clock
from pbstore.access.csrf import issue_csrf_token
from pbstore.access.pam_realm import REALM as PAM_REALM
from pbstore.access.pam_realm import PamRealm
from pbstore.access.tickets import check_ticket, is_ticket, issue_ticket
from pbstore.config.auth_key import AuthKey
from pbstore.config.shadow import ShadowFile
from pbstore.config.tfa_json import TfaFile
from pbstore.config.user_cfg import UserSource
from pbstore.errors import AuthenticationError
from pbstore.model.auth_id import AuthId, UserId

PBS_REALM = "pbs"


@dataclass(frozen=True)
class LoginResult:
    """What a client needs for its next calls."""

    user: UserId
    ticket: str
    csrf_token: str


class Login:
    """Checks logins against `user.cfg` and the realm's passwords."""

    def __init__(
        self,
        users: UserSource,
        shadow: ShadowFile,
        auth_key: AuthKey,
        csrf_key: bytes,
        clock: Clock,
        second_factors: TfaFile,
        pam: PamRealm,
    ):
        self._users = users
        self._shadow = shadow
        self._auth_key = auth_key
        self._csrf_key = csrf_key
        self._clock = clock
        self._second_factors = second_factors
        self._pam = pam

    def login(self, user: UserId, password: str, *, address: str, allow_renewal: bool = True) -> LoginResult:
        """Check the password, or with `allow_renewal` a ticket of the same user, and issue a new ticket.

        `address` is the IP address that the user comes from.

        Raises:
            AuthenticationError: refused; the text is for the log, a client is told less.
            ConfigError: the users or passwords cannot be read.
        """
        active = self._users.load().is_active(AuthId(user), self._clock())
        try:
            if allow_renewal and is_ticket(password):
                self._check_renewal(user, password)
            else:
                self._check_password(user, password, address, active=active)
                self._check_second_factor(user)
        except AuthenticationError:
            # The password is checked in any case: the time must not tell who is disabled or unknown.
            if active:
                raise
        if not active:
            raise AuthenticationError("user account disabled or expired.")
        return self._issue(user)

    def check_password(self, user: UserId, password: str, address: str) -> None:
        """Return if it is the user's password.

        Raises:
            AuthenticationError: it is not, or this server cannot check passwords of the user's realm.
        """
        self._check_password(user, password, address, active=True)

    def _check_password(self, user: UserId, password: str, address: str, *, active: bool) -> None:
        if user.realm == PAM_REALM:
            # Accounts of the system that are none here are not for guessing, nor to be locked by that.
            if not active:
                self._pam.refuse()
            self._pam.check_password(user.name, password, address)
            return
        # Other realms do the same work: the time must not tell who is where.
        valid = self._shadow.verify(user.name, password)
        if user.realm != PBS_REALM:
            raise AuthenticationError(f"realm '{user.realm}' is not available on this server")
        if not valid:
            raise AuthenticationError("invalid credentials")

    def _check_second_factor(self, user: UserId) -> None:
        """Refuse who has second factors: this version cannot ask for them, and must not skip them."""
        if self._second_factors.has_factors(user):
            raise AuthenticationError(
                "second factors are not available on this server: remove them or use an API token"
            )

    def _check_renewal(self, user: UserId, ticket: str) -> None:
        if check_ticket(self._auth_key, ticket, self._clock()) != user:
            raise AuthenticationError("ticket of another user")

    def _issue(self, user: UserId) -> LoginResult:
        now = self._clock()
        return LoginResult(user, issue_ticket(self._auth_key, user, now), issue_csrf_token(self._csrf_key, user, now))
