"""`key create-master-key`: an RSA key pair that can recover encryption keys."""

from pathlib import Path

from pbstore.cli.command import Command
from pbstore.cli.console import Console
from pbstore.cli.prompt import NoTerminalError
from pbstore.client.replace_file import replace_file
from pbstore.format.master_key import generate_master_key, protected_pair

PUBLIC = Path("master-public.pem")
PRIVATE = Path("master-private.pem")


def run(console: Console) -> None:
    """Make the pair in the current directory; the private half is protected by a password."""
    if not console.is_interactive:
        raise NoTerminalError("unable to create master key - no tty")
    console.print("Generating 4096-bit RSA key..")
    private = generate_master_key()
    numbers = private.public_key().public_numbers()
    console.print(f"Modulus: {numbers.n:X}")
    console.print(f"Exponent: {numbers.e}\n")
    pair = protected_pair(private, console.ask_new_password("Master Key Password: "))
    console.print(f"Writing public master key to {PUBLIC}")
    replace_file(PUBLIC, pair.public_pem, mode=0o644)
    console.print(f"Writing private master key to {PRIVATE}")
    replace_file(PRIVATE, pair.private_pem)


COMMAND = Command(
    description="Create an RSA public/private key pair used to put an encrypted version of the symmetric backup "
    "encryption key onto the backup server along with each backup.",
    run=run,
)
