"""A storage of type `pbs`: where its server is, who asks, and with which keys (pve-storage.md 1, 4, 7)."""

from dataclasses import dataclass

from pbstore.client.keys import Keys
from pbstore.client.repository import DEFAULT_AUTH_ID, DEFAULT_PORT, server_name_of
from pbstore.client.server import Server
from pbstore.client.small_file import keys_of
from pbstore.client.unattended import Entrance, list_datastores, open_server
from pbstore.errors import AuthenticationError, ConfigError, EncryptionKeyError, PbstoreError
from pbstore.model.auth_id import AuthId
from pbstore.model.fingerprint import Fingerprint
from pbstore.model.namespace import Namespace
from pbstore.pve.host import Host
from pbstore.pve.storage.secret_changes import KEY, MASTER_KEY
from pbstore.pve.storage.secrets import StorageSecrets
from pbstore.pve.storage.storage import Storage


@dataclass(frozen=True)
class BackupServer:
    """What a storage says about its server."""

    host: Host
    storage: Storage

    @property
    def secrets(self) -> StorageSecrets:
        """Its password and keys."""
        return StorageSecrets(self.host, self.storage.storage_id)

    @property
    def namespace(self) -> Namespace:
        """Where on the datastore everything happens."""
        return Namespace.parse(self.storage.text("namespace") or "")

    @property
    def datastore(self) -> str:
        """The datastore's name.

        Raises:
            ConfigError: there is none.
        """
        return self._required("datastore")

    @property
    def user(self) -> AuthId:
        """Whom to sign in as."""
        text = self.storage.text("username")
        return AuthId.parse(text) if text else DEFAULT_AUTH_ID

    @property
    def repository(self) -> str:
        """The client's name of the datastore: `user@server[:port]:datastore`; the port only where it is another one."""
        port = self.storage.number("port") or DEFAULT_PORT
        shown = "" if port == DEFAULT_PORT else f":{port}"
        return f"{self.user}@{server_name_of(self._required('server'))}{shown}:{self.datastore}"

    def open(self) -> Server:
        """Sign in.

        Raises:
            PbstoreError: there is no password, or the server cannot be used.
        """
        return open_server(self._entrance(), self.datastore)

    def check_datastore(self) -> None:
        """Return if the user can see the datastore.

        Raises:
            PbstoreError: it cannot; the text begins with the storage's id.
        """
        storage_id = self.storage.storage_id
        try:
            found = list_datastores(self._entrance())
        except PbstoreError as error:
            raise PbstoreError(f"{storage_id}: error fetching datastores - {error}") from None
        if not any(row.get("store") == self.datastore for row in found):
            raise PbstoreError(
                f"{storage_id}: Cannot find datastore '{self.datastore}', check permissions and existence!"
            )

    def keys(self) -> Keys:
        """The encryption key, opened; nothing if the storage has none.

        Raises:
            EncryptionKeyError: it should have one, or what is there is none.
        """
        self.check_keys()
        return keys_of(self.secrets.read_key())

    def check_keys(self) -> None:
        """Return if the keys that the configuration names are there.

        Raises:
            EncryptionKeyError: one is missing.
        """
        key = self.storage.text(KEY)
        if key is not None and not self.secrets.key_path.exists():
            raise EncryptionKeyError(
                f"encryption configured ('{key}') but no encryption key file found! "
                f"Put a copy of the key back to {self.secrets.key_path}"
            )
        if self.storage.text(MASTER_KEY) is not None and not self.secrets.master_key_path.exists():
            raise EncryptionKeyError("master public key configured but no key file found!")

    def _entrance(self) -> Entrance:
        password = self.secrets.read_password()
        if password is None:
            raise AuthenticationError(
                f"no password stored for '{self.user}': set one with 'pvesm set {self.storage.storage_id} --password'"
            )
        fingerprint = self.storage.text("fingerprint")
        return Entrance(
            host=self._required("server"),
            port=self.storage.number("port") or DEFAULT_PORT,
            user=self.user,
            password=password,
            fingerprint=Fingerprint.parse(fingerprint) if fingerprint else None,
        )

    def _required(self, key: str) -> str:
        value = self.storage.text(key)
        if not value:
            raise ConfigError(f"no {key} given")
        return value
