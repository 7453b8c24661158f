"""`--keyfile`: here no default key is looked for, for the files at hand may be anybody's."""

from pathlib import Path

from pbstore.api.schema import Parameter, String
from pbstore.cli.console import Console
from pbstore.cli.proxmox_backup_client.key_options import key_password
from pbstore.format.crypt_key import CryptKey, load_crypt_key

KEYFILE = Parameter(
    name="keyfile",
    schema=String(description="Path to the encryption key.", convert=Path),
    optional=True,
)


def given_key(console: Console, keyfile: Path | None) -> CryptKey | None:
    """The key of the option, opened with the password of the environment or the terminal.

    Raises:
        EncryptionKeyError: it cannot be read, is no key file, or the password is wrong.
        NoTerminalError: a password is needed, but there is none and nobody to ask.
    """
    return None if keyfile is None else load_crypt_key(keyfile, lambda: key_password(console))
