"""`key`: encryption keys, master keys and their paper copies (keys.md 5)."""

from pbstore.cli.command import Group
from pbstore.cli.proxmox_backup_client.key import (
    change_passphrase,
    create,
    create_master_key,
    import_master_pubkey,
    import_with_master_key,
    paperkey,
    show,
    show_master_pubkey,
)

KEY = Group(
    commands={
        "change-passphrase": change_passphrase.COMMAND,
        "create": create.COMMAND,
        "create-master-key": create_master_key.COMMAND,
        "import-master-pubkey": import_master_pubkey.COMMAND,
        "import-with-master-key": import_with_master_key.COMMAND,
        "paperkey": paperkey.COMMAND,
        "show": show.COMMAND,
        "show-master-pubkey": show_master_pubkey.COMMAND,
    }
)
