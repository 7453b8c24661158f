"""`pvesm`: the storages of a host, one module a command."""
