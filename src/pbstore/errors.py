"""Every exception that pbstore raises: HTTP status and exit code are class facts, details are fields.

The text of an exception is one line that names the thing and, where there is one, the way out. Exceptions raised in
the compiled module are these classes too.
"""

from collections.abc import Mapping


def system_error_text(error: OSError) -> str:
    """Return what the system refused and for which file, as far as it is known."""
    reason = error.strerror or "input/output error"
    return f"{error.filename}: {reason}" if isinstance(error.filename, str) else reason


class PbstoreError(Exception):
    """Root of everything raised on purpose. `status` is for HTTP answers, `exit_code` for command lines."""

    status = 400
    exit_code = 255


class ParameterError(PbstoreError):
    """Parameters that do not fit their description; `errors` maps a parameter's name to the reason."""

    def __init__(self, errors: Mapping[str, str]):
        self.errors = dict(errors)
        if len(self.errors) == 1:
            ((name, reason),) = self.errors.items()
            text = f"parameter verification failed - '{name}': {reason}"
        else:
            lines = [f"- '{name}': {reason}" for name, reason in self.errors.items()]
            text = "\n".join(["parameter verification failed:", *lines])
        super().__init__(text)


class AuthenticationError(PbstoreError):
    """No credentials, or credentials that prove nothing."""

    status = 401


class TooManyFailuresError(PbstoreError):
    """Logins failed too often; the text says when the next one will be looked at."""

    status = 429


class PermissionDeniedError(PbstoreError):
    """A known caller without the privilege that the call needs."""

    status = 403

    def __init__(self, text: str = "permission check failed"):
        super().__init__(text)


class NotFoundError(PbstoreError):
    """The named thing does not exist and the protocol says so with 404."""

    status = 404


class UnsupportedError(PbstoreError):
    """Something that the protocol knows and this version does not do."""

    status = 501


class LockedError(PbstoreError):
    """Somebody else holds the lock; trying again later may work."""


class DatastoreError(PbstoreError):
    """Something that the state of a datastore does not allow: missing, existing, protected, in maintenance."""


class ConfigError(PbstoreError):
    """A configuration file that cannot be used as it is; names file and line."""


class FormatError(PbstoreError):
    """Bytes that are not what their format says."""


class IntegrityError(PbstoreError):
    """Well-formed data whose checksum, digest, signature or tag is wrong."""


class EncryptionKeyError(PbstoreError):
    """A key that is missing, is the wrong one, or cannot be opened."""


class ProtocolError(PbstoreError):
    """The other side broke the rules of the protocol."""


class ConnectionFailedError(PbstoreError):
    """The server cannot be reached, or the connection broke."""


class CertificateError(ConnectionFailedError):
    """The server's certificate is neither trusted nor the expected one; `fingerprint` is what the server showed."""

    def __init__(self, text: str, fingerprint: str):
        self.fingerprint = fingerprint
        super().__init__(text)


class ServerError(PbstoreError):
    """The server answered with an error; `status` is its HTTP status, the text is the server's own."""

    def __init__(self, text: str, status: int):
        self.status = status
        super().__init__(text)


class AbortedError(PbstoreError):
    """Stopped on request."""
