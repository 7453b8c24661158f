"""The root helper of a server that runs as an ordinary user: what it may be asked, and how (docs/design/process.md)."""
