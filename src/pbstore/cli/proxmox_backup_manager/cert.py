"""`cert info` and `cert update`: what the server's certificate says, its fingerprint above all (cli-manager.md 1.1)."""

from datetime import datetime

from pbstore.api.schema import Boolean, Parameter
from pbstore.cli.command import Command, Group
from pbstore.cli.console import Console
from pbstore.cli.printable import printable
from pbstore.cli.proxmox_backup_manager.places import manager_roots
from pbstore.config.auth_key import load_or_create_auth_key
from pbstore.config.certificate import ensure_certificate, update_certificate
from pbstore.config.certificate_facts import certificate_facts
from pbstore.config.csrf_key import load_or_create_csrf_key
from pbstore.config.host_name import node_name, search_domain

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def info(console: Console) -> None:
    """Print the certificate's facts."""
    facts = certificate_facts(manager_roots(console).certificate)
    lines = [
        f"Subject: {facts.subject}",
        *(f"    {name}" for name in facts.alternative_names),
        f"Issuer: {facts.issuer}",
        "Validity:",
        f"    Not Before: {_time_text(facts.not_before)}",
        f"    Not After : {_time_text(facts.not_after)}",
        f"Fingerprint (sha256): {facts.fingerprint}",
        f"Public key type: {facts.key_type}",
        f"Public key bits: {facts.key_bits}",
    ]
    for line in lines:
        console.print(printable(line))


def update(console: Console, force: bool) -> None:
    """Make the keys and the certificate that are missing; with `force` a new certificate in any case."""
    roots = manager_roots(console)
    load_or_create_auth_key(roots)
    load_or_create_csrf_key(roots)
    if force:
        update_certificate(roots, node_name(), search_domain())
        console.info("a running server uses the new certificate after a restart")
    else:
        ensure_certificate(roots, node_name(), search_domain())


def _time_text(time: datetime) -> str:
    """As OpenSSL prints times: `Jun  5 14:24:36 2024 GMT`."""
    return f"{_MONTHS[time.month - 1]} {time.day:2} {time:%H:%M:%S} {time.year} GMT"


CERT = Group(
    commands={
        "info": Command(description="Display node certificate information.", run=info),
        "update": Command(
            description="Update node certificates and generate all needed files/directories.",
            run=update,
            parameters=(
                Parameter(
                    name="force",
                    schema=Boolean(description="Force generation of new SSL certificate."),
                    optional=True,
                    default=False,
                ),
            ),
        ),
    }
)
