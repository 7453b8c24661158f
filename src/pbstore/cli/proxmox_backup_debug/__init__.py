"""`proxmox-backup-debug`: looks at the files of a datastore, and saves what can be saved, without a server."""
