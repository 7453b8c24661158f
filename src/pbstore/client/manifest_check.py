"""What a client checks before it trusts a manifest that a server sent (manifest.md 2, reader-protocol.md 3)."""

from pbstore import _core
from pbstore.client.keys import Keys
from pbstore.errors import EncryptionKeyError
from pbstore.format.damaged_file import in_file
from pbstore.format.manifest import MANIFEST_FILE_NAME, Manifest

MAX_MANIFEST_BYTES = 16 * 1024 * 1024


def parse_manifest(blob: bytes, keys: Keys) -> Manifest:
    """Open a manifest blob; with a key, a signed manifest must be signed with that key.

    Raises:
        FormatError: no blob, or no manifest in it.
        IntegrityError: wrong CRC or wrong signature.
        EncryptionKeyError: signed with another key.
    """
    with in_file(MANIFEST_FILE_NAME):
        manifest = Manifest.parse(_core.open_blob(blob, max_bytes=MAX_MANIFEST_BYTES))
    if keys.key is not None and manifest.signature is not None:
        own, made_with = keys.fingerprint, manifest.key_fingerprint
        if made_with is not None and own is not None and made_with != own:
            raise EncryptionKeyError(
                "wrong key - unable to verify signature since manifest's key "
                f"{made_with.short_id} does not match provided key {own.short_id}"
            )
        manifest.check_signature(keys.key)
    return manifest


def check_key(manifest: Manifest, keys: Keys) -> None:
    """Return if the key at hand is the one that the manifest was made with.

    Raises:
        EncryptionKeyError: no key, or another one.
    """
    made_with, own = manifest.key_fingerprint, keys.fingerprint
    if made_with is None or made_with == own:
        return
    if own is None:
        raise EncryptionKeyError(f"missing key - manifest was created with key {made_with.short_id}")
    raise EncryptionKeyError(
        f"wrong key - manifest's key {made_with.short_id} does not match provided key {own.short_id}"
    )
