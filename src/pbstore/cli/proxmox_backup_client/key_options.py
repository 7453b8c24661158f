"""Options that choose keys, the key password, and the loading of both."""

from pathlib import Path

from pbstore.api.schema import Enum, Integer, Parameter, String
from pbstore.cli.console import Console
from pbstore.client.key_choice import KeyOptions, choose_keys
from pbstore.client.keys import Keys, load_keys
from pbstore.client.places import ClientPlaces
from pbstore.client.secrets import read_secret
from pbstore.model.crypt_mode import CryptMode

MAX_DESCRIPTOR = (1 << 31) - 1

KEYFILE = Parameter(
    name="keyfile",
    schema=String(description="Path to encryption key. All data will be encrypted using this key.", convert=Path),
    optional=True,
)
KEYFD = Parameter(
    name="keyfd",
    schema=Integer(description="Pass an encryption key via an already opened file descriptor.", maximum=MAX_DESCRIPTOR),
    optional=True,
)
KEY = (
    KEYFILE,
    KEYFD,
    Parameter(
        name="crypt-mode",
        schema=Enum(
            description="Defines whether data is encrypted (using an AEAD cipher), only signed, or neither.",
            values=[mode.value for mode in (CryptMode.NONE, CryptMode.ENCRYPT, CryptMode.SIGN_ONLY)],
            convert=CryptMode,
        ),
        optional=True,
    ),
)
MASTER_KEY = (
    Parameter(
        name="master-pubkey-file",
        schema=String(
            description="Path to master public key. The encryption key used for a backup will be encrypted using "
            "this key and appended to the backup.",
            convert=Path,
        ),
        optional=True,
    ),
    Parameter(
        name="master-pubkey-fd",
        schema=Integer(
            description="Pass a master public key via an already opened file descriptor.", maximum=MAX_DESCRIPTOR
        ),
        optional=True,
    ),
)


def chosen_keys(console: Console, options: KeyOptions, *, for_backup: bool) -> Keys:
    """Choose and open the keys, and say which they are.

    Raises:
        EncryptionKeyError: a key file that cannot be used, or the wrong password.
        NoTerminalError: a password is needed, but there is none and nobody to ask.
    """
    choice = choose_keys(options, ClientPlaces.from_environment(console.environment))
    return load_keys(choice, lambda: key_password(console), console.info, for_backup=for_backup)


def key_password(console: Console) -> str:
    """The password of an existing key, from the environment or the terminal.

    Raises:
        NoTerminalError: neither has one.
    """
    secret = read_secret("PBS_ENCRYPTION_PASSWORD", console.environment, "encryption-password")
    return console.ask_password("Encryption Key Password: ") if secret is None else secret
