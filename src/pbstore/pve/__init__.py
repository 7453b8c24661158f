"""The storage host: what a virtualization host knows of its storages and guests. Knows no terminal and no server."""
