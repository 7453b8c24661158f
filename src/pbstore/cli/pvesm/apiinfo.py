"""`pvesm apiinfo`: which version of the original's storage interface this corresponds to."""

from pbstore.cli.command import Command
from pbstore.cli.console import Console

API_VERSION = 15
API_AGE = 6


def run(console: Console) -> None:
    """Print version and age."""
    console.print(f"APIVER {API_VERSION}")
    console.print(f"APIAGE {API_AGE}")


COMMAND = Command(description="Returns APIVER and APIAGE.", run=run)
