"""The backup client as a library: no terminal, no environment, no exit codes."""
