"""What the client's manual says besides its commands: variables, files, exit codes."""

from pbstore.cli.manual import Chapter, Entry

ENVIRONMENT = Chapter(
    "Environment",
    (
        Entry("PBS_REPOSITORY", "Default repository: [[auth-id@]server[:port]:]datastore."),
        Entry(
            "PBS_SERVER, PBS_PORT, PBS_DATASTORE, PBS_AUTH_ID",
            "Parts of the repository, used when it is named neither by --repository nor by PBS_REPOSITORY, and to fill "
            "what --server, --port, --datastore and --auth-id leave out.",
        ),
        Entry("PBS_NAMESPACE", "Namespace, where --ns is left out."),
        Entry("PBS_PASSWORD", "Password of the user, or secret of the API token; the first line counts."),
        Entry("PBS_PASSWORD_FD", "Number of an open file descriptor to read it from."),
        Entry("PBS_PASSWORD_FILE", "File to read it from."),
        Entry("PBS_PASSWORD_CMD", "Command that prints it, run without a shell."),
        Entry(
            "PBS_ENCRYPTION_PASSWORD",
            "Password of the encryption key; PBS_ENCRYPTION_PASSWORD_FD, _FILE and _CMD as above.",
        ),
        Entry("PBS_FINGERPRINT", "SHA-256 of the server's certificate, where no authority vouches for it."),
        Entry("ALL_PROXY", "HTTP proxy for all connections: [http://][user:password@]host[:port]."),
        Entry(
            "CREDENTIALS_DIRECTORY",
            "Directory of systemd credentials: proxmox-backup-client.repository, .password, .encryption-password and "
            ".fingerprint are used where the variables are not set.",
        ),
        Entry("PBS_LOG", "Which messages are shown: off, error, warn, info, debug or trace. Default: info."),
        Entry("PROXMOX_OUTPUT_FORMAT", "Default of --output-format: text, json or json-pretty."),
        Entry("PROXMOX_OUTPUT_NO_BORDER, PROXMOX_OUTPUT_NO_HEADER", "If set, tables have no border or no header."),
        Entry("NO_COLOR", "If set, nothing is coloured, not even on a terminal."),
    ),
)
FILES = Chapter(
    "Files",
    (
        Entry("$XDG_CONFIG_HOME/proxmox-backup/encryption-key.json", "Default encryption key."),
        Entry("$XDG_CONFIG_HOME/proxmox-backup/master-public.pem", "Default master public key."),
        Entry("$XDG_CONFIG_HOME/proxmox-backup/fingerprints", "Certificates that were confirmed: server, fingerprint."),
        Entry("$XDG_CACHE_HOME/proxmox-backup/repo-list", "Repositories that were used, for completion."),
        Entry("$XDG_RUNTIME_DIR/proxmox-backup/tickets", "Tickets of this login session; they hold for two hours."),
        Entry("/etc/xdg/proxmox-backup/", "Where both default keys are looked for after the user's own."),
    ),
)
EXIT_STATUS = Chapter(
    "Exit status",
    (
        Entry("0", "Success; a backup that had to warn of single files has succeeded."),
        Entry("1", "A backup with --fail-on-warning is complete, but there were warnings."),
        Entry("255", "Any failure; the reason is the last line on standard error."),
    ),
)
MANUAL = (ENVIRONMENT, FILES, EXIT_STATUS)
