"""Inputs as text: lines of hex, and lines of comment that begin with `#`."""

from pathlib import Path

BYTES_PER_LINE = 32


def read_hex(path: Path) -> bytes:
    """The bytes that a file describes.

    Raises:
        ValueError: It has something else than hex and comments.
    """
    lines = path.read_text().splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith("#")))


def write_hex(path: Path, data: bytes, comment: str) -> None:
    """Describe bytes, with a comment of any number of lines in front."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines += [data[start : start + BYTES_PER_LINE].hex() for start in range(0, len(data), BYTES_PER_LINE)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
