"""Entry point of `pbstore`: errors become one line on stderr and exit code 255."""

import os
import sys
from typing import NoReturn

import click

from pbstore import __version__
from pbstore.cli.pbstore.serve import serve
from pbstore.errors import PbstoreError

FAILURE = 255


@click.group()
@click.version_option(__version__, prog_name="pbstore")
def commands() -> None:
    """The backup server. Its programs for daily use are proxmox-backup-client and proxmox-backup-manager."""


commands.add_command(serve)


def main() -> NoReturn:
    """Run the command line of this process."""
    try:
        commands.main(prog_name="pbstore", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(FAILURE)
    except PbstoreError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
        _fail(f"{error.strerror or error}{where}", FAILURE)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", FAILURE)
    sys.exit(0)


def _fail(text: str, code: int) -> NoReturn:
    click.echo(f"Error: {text}", err=True)
    sys.exit(code)
