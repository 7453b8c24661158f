"""`pbstore serve`: run the server until a signal ends it."""

import logging
import os
from contextlib import ExitStack
from pathlib import Path

import click

from pbstore.cli.pbstore.end_signal import end_signal
from pbstore.cli.pbstore.front_limits import parse_front_limits
from pbstore.cli.pbstore.listen_address import DEFAULT_HOST, DEFAULT_PORT, parse_listen_address, url_of
from pbstore.config.roots import Roots
from pbstore.server import privileges
from pbstore.server.start import start_server


@click.command()
@click.option(
    "--listen",
    default=f"[{DEFAULT_HOST}]:{DEFAULT_PORT}",
    show_default=True,
    metavar="ADDR:PORT",
    help="Where to listen; port 0 takes any free one.",
)
@click.option(
    "--grace",
    "grace_seconds",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0, 86400),
    help="Seconds that running sessions get to end, when the server is told to stop.",
)
@click.option(
    "--give-up-root/--stay-root",
    default=None,
    help="Whether a server that is started as root goes on as user 'backup', beside a small helper that stays root "
    "and checks passwords of the realm pam. Default: yes, but with PBSTORE_ROOT no.",
)
def serve(listen: str, grace_seconds: float, give_up_root: bool | None) -> None:
    """Run the backup server.

    The first start makes configuration directories, keys and a certificate. PBSTORE_ROOT=DIR moves everything below
    DIR. PBSTORE_LIMITS="NAME=NUMBER ..." sets limits on what clients may do. SIGTERM and SIGINT end it in order.
    """
    logging.basicConfig(format="%(levelname)s: %(message)s")
    host, port = parse_listen_address(listen)
    root = os.environ.get("PBSTORE_ROOT")
    roots = _roots(root)
    limits = parse_front_limits(os.environ.get("PBSTORE_LIMITS", ""))
    gives_up = give_up_root if give_up_root is not None else os.geteuid() == 0 and not root
    with ExitStack() as stack:
        end = stack.enter_context(end_signal())
        helper = stack.enter_context(privileges.give_up_root(roots)) if gives_up else None
        started = start_server(roots, host, port, grace_seconds=grace_seconds, limits=limits, pam_helper=helper)
        server = stack.enter_context(started)
        click.echo(f"listening on {url_of(*server.address)} fingerprint {server.fingerprint}")
        end.wait()


def _roots(root: str | None) -> Roots:
    pve = os.environ.get("PBSTORE_PVE_DIR")
    pve_dir = Path(pve) if pve else None
    return Roots.below(Path(root), pve=pve_dir) if root else Roots(Path("/"), pve_dir)
