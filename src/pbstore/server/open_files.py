"""How many files the server may have open: each connection needs some."""

import resource


def allow_many_open_files() -> None:
    """Raise the soft limit, which is 1024 on most systems, to what the system allows anyway."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
