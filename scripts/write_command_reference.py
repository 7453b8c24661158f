"""Write docs/reference/commands.md from the command descriptions; with --check only say whether it is up to date."""

import sys
from pathlib import Path

from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.cli.proxmox_backup_debug.main import PROGRAM as DEBUG
from pbstore.cli.proxmox_backup_manager.main import PROGRAM as MANAGER
from pbstore.cli.pxar.main import PROGRAM as PXAR
from pbstore.cli.reference import reference_page

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "commands.md"


def page() -> str:
    """The whole page: one chapter a program."""
    programs = (CLIENT, MANAGER, DEBUG, PXAR)
    return "\n".join(reference_page(program.name, program.description, program.commands) for program in programs)


def main() -> int:
    """Write or check the page."""
    if "--check" in sys.argv[1:]:
        if PAGE.read_text() == page():
            return 0
        print(f"{PAGE} is not what the commands say: run python {Path(__file__).name}", file=sys.stderr)
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
