"""`datastore`: which stores there are, making, changing and removing them."""

from pbstore.cli.command import Group
from pbstore.cli.proxmox_backup_manager.datastore.create import CREATE
from pbstore.cli.proxmox_backup_manager.datastore.remove import REMOVE
from pbstore.cli.proxmox_backup_manager.datastore.show import LIST, SHOW
from pbstore.cli.proxmox_backup_manager.datastore.update import UPDATE

DATASTORE = Group(
    commands={"create": CREATE, "list": LIST, "remove": REMOVE, "show": SHOW, "update": UPDATE},
)
