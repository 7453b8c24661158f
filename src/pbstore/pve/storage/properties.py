"""Every property that a storage can have here: what it is, and how its value is read (pve-storage.md 1)."""

from pbstore.api.schema import Parameter, Schema
from pbstore.errors import FormatError
from pbstore.pve.storage.names import FINGERPRINT, check_namespace, check_node, check_server, check_user
from pbstore.pve.storage.retention import canonical_retention
from pbstore.pve.value_types import Choice, Flag, Number, Text, Words

CONTENT_TYPES = ("backup", "images", "import", "iso", "rootdir", "snippets", "vztmpl")
NO_CONTENT = "none"
AUTOGEN = "autogen"
MAX_PASSWORD_LENGTH = 256


def check_content_type(text: str) -> str:
    """Return a content type.

    Raises:
        FormatError: nobody knows it.
    """
    if text not in (*CONTENT_TYPES, NO_CONTENT):
        raise FormatError(f"invalid content type '{text}'")
    return text


def _check_datastore(text: str) -> str:
    if "/" in text or any(character.isspace() for character in text):
        raise FormatError("value does not look like the name of a datastore")
    return text


def _check_content_dirs(text: str) -> str:
    for part in filter(None, text.split(",")):
        content, equals, path = part.partition("=")
        check_content_type(content)
        if not equals or not path or ".." in path.split("/") or len(path) >= 1023:
            raise FormatError(f"invalid override '{part}'")
    return text


def _optional(name: str, schema: Schema) -> Parameter:
    return Parameter(name=name, schema=schema, optional=True)


PROPERTIES = {
    parameter.name: parameter
    for parameter in (
        _optional("bwlimit", Text(description="Set I/O bandwidth limit for various operations (in KiB/s).")),
        _optional(
            "content",
            Words(description="Allowed content types. The value 'none' stands for nothing.", check=check_content_type),
        ),
        _optional(
            "content-dirs",
            Text(description="Overrides for default content type directories.", check=_check_content_dirs),
        ),
        _optional("create-base-path", Flag(description="Create the base directory if it doesn't exist.")),
        _optional("create-subdirs", Flag(description="Populate the directory with the default structure.")),
        _optional(
            "datastore",
            Text(description="Proxmox Backup Server datastore name.", minimum_length=1, check=_check_datastore),
        ),
        _optional("disable", Flag(description="Flag to disable the storage.")),
        _optional(
            "encryption-key",
            Text(
                description="Encryption key without passphrase; 'autogen' generates one. Commands take the name of a "
                "file with the key.",
                minimum_length=1,
            ),
        ),
        _optional("fingerprint", Text(description="Certificate SHA 256 fingerprint.", pattern=FINGERPRINT)),
        _optional("format", Choice(description="Default image format.", values=("qcow2", "raw", "subvol", "vmdk"))),
        _optional(
            "is_mountpoint",
            Text(
                description="Assume the given path is an externally managed mountpoint and consider the storage "
                "offline if it is not mounted. A boolean uses the storage's own path."
            ),
        ),
        _optional(
            "master-pubkey",
            Text(
                description="PEM-formatted public RSA key that the encryption key is encrypted with for each backup. "
                "Commands take the name of a file with it.",
                minimum_length=1,
            ),
        ),
        _optional(
            "max-protected-backups",
            Number(description="Maximal number of protected backups per guest. Use '-1' for unlimited.", minimum=-1),
        ),
        _optional("maxfiles", Number(description="Maximal number of backup files. Use 'prune-backups' instead.")),
        _optional("mkdir", Flag(description="Create the directory if it doesn't exist and populate it.")),
        _optional("namespace", Text(description="Namespace.", check=check_namespace)),
        _optional(
            "nodes", Words(description="List of nodes for which the storage configuration applies.", check=check_node)
        ),
        _optional(
            "password",
            Text(description="Password for accessing the storage.", maximum_length=MAX_PASSWORD_LENGTH),
        ),
        _optional(
            "path",
            Text(description="File system path.", minimum_length=1),
        ),
        _optional(
            "port", Number(description="Use this port instead of the default one (8007).", minimum=1, maximum=65535)
        ),
        _optional(
            "preallocation",
            Choice(
                description="Preallocation mode for raw and qcow2 images.",
                values=("off", "metadata", "falloc", "full"),
            ),
        ),
        _optional(
            "prune-backups",
            Text(
                description="The retention options, like 'keep-last=3,keep-daily=7' or 'keep-all=1'.",
                check=canonical_retention,
            ),
        ),
        _optional("server", Text(description="Server IP or DNS name.", minimum_length=1, check=check_server)),
        _optional("shared", Flag(description="Indicate that all nodes have the same content in this storage.")),
        _optional("snapshot-as-volume-chain", Flag(description="Snapshots are files of their own.")),
        _optional("username", Text(description="User or API token of the backup server.", check=check_user)),
    )
}
