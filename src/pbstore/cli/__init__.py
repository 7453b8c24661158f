"""Command lines: the only place for argv, environment, printing and exit codes."""
