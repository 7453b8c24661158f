"""Parameters that name a group or a snapshot, with what completion proposes for them."""

from pbstore.api.schema import Parameter, String
from pbstore.cli.proxmox_backup_client.completions import complete_groups, complete_snapshots
from pbstore.model.backup import BackupGroup, Snapshot

GROUP = Parameter(name="group", schema=String(description="Backup group: <type>/<id>.", convert=BackupGroup.parse))
GROUP_COMPLETION = {"group": complete_groups}
SNAPSHOT = Parameter(
    name="snapshot", schema=String(description="Snapshot path: <type>/<id>/<time>.", convert=Snapshot.parse)
)
SNAPSHOT_COMPLETION = {"snapshot": complete_snapshots}
