"""Where the configuration lies that the manager works on."""

from pathlib import Path

from pbstore.cli.console import Console
from pbstore.config.roots import Roots


def manager_roots(console: Console) -> Roots:
    """The product's directories, below `PBSTORE_ROOT` if that is set; what is missing is made.

    Raises:
        OSError: a directory cannot be made.
    """
    root = console.environment.get("PBSTORE_ROOT")
    roots = Roots.below(Path(root)) if root else Roots.system()
    roots.prepare()
    return roots
