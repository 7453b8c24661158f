"""Storages of a host: their configuration, their secrets, and what can be done with what is stored (pve-storage.md)."""
