"""`proxmox-backup-manager`: edits the server's configuration files, with or without a running server."""
