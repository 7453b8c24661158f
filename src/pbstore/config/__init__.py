"""Configuration files: their grammar, their locks, their replacement; one module a file (config-files.md)."""
