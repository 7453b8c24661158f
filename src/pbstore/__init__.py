"""A complete backup system that speaks Proxmox Backup Server's protocols and formats."""

__version__ = "0.1.0"
