"""`proxmox-backup-client`: one module a command."""
