"""The backup server: one application behind the compiled front."""
