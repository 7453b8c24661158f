"""Write what is made from the command descriptions: docs/reference/commands.md, manual pages, shell completion.

With --check only say whether all of it is up to date. The files below wheel-data become part of the package.
"""

import sys
from pathlib import Path

import pbstore
from pbstore.cli.man_page import man_page
from pbstore.cli.proxmox_backup_client.main import PROGRAM as CLIENT
from pbstore.cli.proxmox_backup_debug.main import PROGRAM as DEBUG
from pbstore.cli.proxmox_backup_manager.main import PROGRAM as MANAGER
from pbstore.cli.pvesm.main import PROGRAM as PVESM
from pbstore.cli.pxar.main import PROGRAM as PXAR
from pbstore.cli.reference import reference_page
from pbstore.cli.shell_completion import bash_completion, zsh_completion

ROOT = Path(__file__).parents[1]
SHARE = ROOT / "wheel-data" / "data" / "share"
PROGRAMS = (CLIENT, MANAGER, DEBUG, PXAR, PVESM)


def reference() -> str:
    """The whole page: one chapter a program."""
    return "\n".join(reference_page(program.name, program.description, program.commands) for program in PROGRAMS)


def files() -> dict[Path, str]:
    """Every file and its content."""
    made = {ROOT / "docs" / "reference" / "commands.md": reference()}
    for program in PROGRAMS:
        name = program.name
        made[SHARE / "man" / "man1" / f"{name}.1"] = man_page(program, pbstore.__version__)
        made[SHARE / "bash-completion" / "completions" / name] = bash_completion(name)
        made[SHARE / "zsh" / "site-functions" / f"_{name}"] = zsh_completion(name)
    return made


def main() -> int:
    """Write or check the files."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path} is not what the commands say: run python {Path(__file__).name}", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
