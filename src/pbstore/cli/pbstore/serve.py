"""`pbstore serve`: run the server until a signal ends it."""

import logging
import os
from pathlib import Path

import click

from pbstore.cli.pbstore.end_signal import end_signal
from pbstore.cli.pbstore.listen_address import DEFAULT_HOST, DEFAULT_PORT, parse_listen_address, url_of
from pbstore.config.roots import Roots
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
def serve(listen: str, grace_seconds: float) -> None:
    """Run the backup server.

    The first start makes configuration directories, keys and a certificate. PBSTORE_ROOT=DIR moves everything below
    DIR. SIGTERM and SIGINT end it in order.
    """
    logging.basicConfig(format="%(levelname)s: %(message)s")
    host, port = parse_listen_address(listen)
    with end_signal() as end, start_server(_roots(), host, port, grace_seconds=grace_seconds) as server:
        click.echo(f"listening on {url_of(*server.address)} fingerprint {server.fingerprint}")
        end.wait()


def _roots() -> Roots:
    root = os.environ.get("PBSTORE_ROOT")
    pve = os.environ.get("PBSTORE_PVE_DIR")
    pve_dir = Path(pve) if pve else None
    return Roots.below(Path(root), pve=pve_dir) if root else Roots(Path("/"), pve_dir)
