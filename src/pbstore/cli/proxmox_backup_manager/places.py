"""Where the configuration lies that the manager works on."""

from pathlib import Path

from pbstore.cli.console import Console
from pbstore.config.roots import Roots


def manager_roots(console: Console) -> Roots:
    """The product's directories, below `PBSTORE_ROOT` if that is set; what is missing is made.

    Raises:
        OSError: a directory cannot be made.
    """
    roots = existing_roots(console)
    roots.prepare()
    return roots


def existing_roots(console: Console) -> Roots:
    """The same directories, of which nothing is made: completion leaves no traces."""
    root = console.environment.get("PBSTORE_ROOT")
    return Roots.below(Path(root)) if root else Roots.system()
