"""Paper keys: an encryption key or a master private key as a page to print, with QR codes to scan (keys.md 7)."""

import base64
import html
import io
from dataclasses import dataclass, field
from typing import Self

import segno

from pbstore.errors import EncryptionKeyError
from pbstore.format.key_file import KeyFile

BEGIN_LINE = "-----BEGIN PROXMOX BACKUP KEY-----"
END_LINE = "-----END PROXMOX BACKUP KEY-----"
PEM_KINDS = ("ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY")
MIN_PEM_LINES = 20
TEXT_BLOCK_LINES = 5
HTML_BLOCK_LINES = 20
HALF_BLOCKS = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}

HTML_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<title>Proxmox Backup Paperkey</title>
<style type="text/css">
  p {
    font-size: 12pt;
    font-family: monospace;
    white-space: pre-wrap;
    line-break: anywhere;
  }
</style>
</head>
<body>
"""
HTML_TAIL = "</body>\n</html>\n"


@dataclass(frozen=True)
class PaperKey:
    """What is printed: lines of the key file, or of the PEM file."""

    lines: tuple[str, ...] = field(repr=False)
    is_pem: bool

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a key file or the PEM file of a master private key.

        Raises:
            EncryptionKeyError: it is neither.
        """
        text = data.decode(errors="replace")
        if any(text.startswith(f"-----BEGIN {kind}-----\n") for kind in PEM_KINDS):
            return cls(_pem_lines(text), is_pem=True)
        try:
            return cls(tuple(KeyFile.parse(data).encode_pretty().decode().splitlines()), is_pem=False)
        except EncryptionKeyError:
            text = "Neither a PEM-formatted private key, nor a PBS key file."
            raise EncryptionKeyError(text) from None

    def text(self, subject: str | None = None) -> str:
        """Return the page for a terminal or a line printer."""
        head = "" if subject is None else f"Subject: {subject}\n\n"
        if self.is_pem:
            return head + "".join(self._text_block(start) for start in range(0, len(self.lines), TEXT_BLOCK_LINES))
        return head + "\n".join((BEGIN_LINE, *self.lines, END_LINE, _qr_text(self.lines), ""))

    def html(self, subject: str | None = None) -> str:
        """Return the page for a browser."""
        head = "" if subject is None else f"<p>Subject: {html.escape(subject)}</p>\n"
        if self.is_pem:
            blocks = "".join(self._html_block(start) for start in range(0, len(self.lines), HTML_BLOCK_LINES))
        else:
            blocks = _html_div("page-break-inside: avoid", (BEGIN_LINE, *self.lines, END_LINE), self.lines)
        return HTML_HEAD + head + blocks + HTML_TAIL

    def _text_block(self, start: int) -> str:
        block = self.lines[start : start + TEXT_BLOCK_LINES]
        numbered = (f"{number:2}: {line}\n" for number, line in enumerate(block, start))
        return "".join(numbered) + _qr_text(block) + "\n\f\n"

    def _html_block(self, start: int) -> str:
        block = self.lines[start : start + HTML_BLOCK_LINES]
        numbered = tuple(f"{number:02}: {line}" for number, line in enumerate(block, start))
        return _html_div("page-break-inside: avoid;page-break-after: always", numbered, block)


def _pem_lines(text: str) -> tuple[str, ...]:
    trimmed = text.strip()
    lines = tuple(line.rstrip() for line in trimmed.split("\n") if line.rstrip())
    if not any(trimmed.endswith(f"\n-----END {kind}-----") for kind in PEM_KINDS) or len(lines) < MIN_PEM_LINES:
        raise EncryptionKeyError("unexpected key format")
    return lines


def _html_div(style: str, shown: tuple[str, ...], coded: tuple[str, ...]) -> str:
    text = html.escape("\n".join(shown), quote=False)
    return (
        f'<div style="{style}">\n<p>\n{text}\n</p>\n<center>\n<img\nwidth="500pt" height="500pt"\n'
        f'src="data:image/svg+xml;base64,{_qr_svg(coded)}"/>\n</center>\n</div>\n'
    )


def _qr_code(lines: tuple[str, ...]) -> segno.QRCode:
    return segno.make_qr("\n".join(lines), error="m", mode="byte", encoding="utf-8", boost_error=False)


def _qr_text(lines: tuple[str, ...]) -> str:
    """Two modules a character, dark ones printed: read as light on the dark screen of a terminal, dark on paper."""
    rows = [list(row) for row in _qr_code(lines).matrix]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "".join("".join(HALF_BLOCKS[pair] for pair in zip(*rows, strict=True)) + "\n" for rows in pairs)


def _qr_svg(lines: tuple[str, ...]) -> str:
    file = io.BytesIO()
    # With a view box and without a size of its own, the symbol fills the place that the page has for it.
    _qr_code(lines).save(file, kind="svg", border=0, scale=1, light="white", omitsize=True)
    return base64.b64encode(file.getvalue()).decode().rstrip("=")
