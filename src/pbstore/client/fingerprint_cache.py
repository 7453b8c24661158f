"""Certificates that the user has confirmed: lines `<server> <fingerprint>` (protocol-transport.md 2)."""

from pathlib import Path

from pbstore.client.replace_file import replace_file
from pbstore.errors import FormatError
from pbstore.model.fingerprint import Fingerprint


class FingerprintCache:
    """One fingerprint a server name; the port does not count."""

    def __init__(self, path: Path):
        self._path = path

    def load(self, server: str) -> Fingerprint | None:
        """The confirmed fingerprint; None when unknown or unreadable."""
        text = dict(self._lines()).get(server)
        try:
            return None if text is None else Fingerprint.parse(text)
        except FormatError:
            return None

    def store(self, server: str, fingerprint: Fingerprint) -> None:
        """Remember a fingerprint: the server's line is replaced, a new one goes to the end."""
        lines = dict(self._lines())
        lines[server] = str(fingerprint)
        data = "".join(f"{name} {text}\n" for name, text in lines.items())
        replace_file(self._path, data.encode())

    def _lines(self) -> list[tuple[str, str]]:
        try:
            text = self._path.read_text(errors="replace")
        except FileNotFoundError:
            return []
        fields = (line.split() for line in text.splitlines())
        return [(entry[0], entry[1]) for entry in fields if len(entry) == 2]
