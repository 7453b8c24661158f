"""A copy of /etc that only processes started through it see: users and services made there exist nowhere else.

In a mount namespace of its own, where the interpreter is made readable for every user, too.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ENTER = r"""
set -e
etc=$1 hold=$2 hidden=$3 needed=$4; shift 4
mount --bind "$etc" /etc
if [ -n "$hidden" ]; then
    mkdir -p "$hold"
    mount --bind "$needed" "$hold"
    mount -t tmpfs -o mode=755 tmpfs "$hidden"
    mkdir -p "$needed"
    mount --bind "$hold" "$needed"
fi
exec "$@"
"""


class PrivateSystem:
    """Everything below `directory`, which has to be there for every user."""

    def __init__(self, directory: Path):
        self.etc = directory / "etc"
        self._hold = directory / "interpreter"
        subprocess.run(["cp", "-a", "/etc", self.etc], check=True)
        # Without the service's own file PAM takes `other`, which every distribution sees differently.
        (self.etc / "pam.d" / "proxmox-backup-auth").write_text(
            "auth required pam_unix.so\naccount required pam_unix.so\npassword required pam_unix.so\n"
        )

    @property
    def wrapper(self) -> list[str]:
        """A command line that becomes the command behind it."""
        needed = Path(sys.base_prefix).resolve()
        hidden = next((parent for parent in reversed(needed.parents) if not parent.stat().st_mode & 0o001), "")
        script = ["sh", "-c", _ENTER, "sh", str(self.etc), str(self._hold), str(hidden), str(needed)]
        return ["unshare", "--mount", "--propagation", "private", *script]

    def run(self, *command: str, text: str = "") -> None:
        """Run a program of the system there."""
        subprocess.run([*self.wrapper, *command], input=text, check=True, text=True, capture_output=True)

    def add_user(self, name: str, password: str) -> None:
        """Make a user."""
        self.run("useradd", "--no-create-home", "--shell", "/usr/sbin/nologin", name)
        self.run("chpasswd", "--crypt-method", "SHA512", text=f"{name}:{password}\n")


def require_private_system() -> None:
    """Skip, saying what is missing."""
    if os.geteuid() != 0:
        pytest.skip("needs to be root: makes users of the system in a copy of /etc")
    for program in ("unshare", "useradd", "usermod", "chpasswd"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"needs {program}")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("needs the right to make a mount namespace (unshare --mount)")
