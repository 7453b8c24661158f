"""Sizes as people write them."""

import pytest

from pbstore.errors import FormatError
from pbstore.model.byte_size import parse_byte_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("512 B", 512),
        ("10MB", 10_000_000),
        ("10 MiB", 10 << 20),
        ("1.5 MB", 1_500_000),
        ("0.5KiB", 512),
        ("2k", 2000),
        ("2Ki", 2048),
        ("3G", 3_000_000_000),
        ("1tib", 1 << 40),
        ("1.9999B", 1),
        ("15EiB", 15 << 60),
    ],
)
def test_every_form_is_read(text: str, size: int) -> None:
    assert parse_byte_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        *("", "B", "MB", "-1", "+1", "1.", ".5", "1,5MB", "1e3", "10  MB", "10MBB", "1 XB", "16EiB", "9" * 30, "1\n"),
        "\N{ARABIC-INDIC DIGIT ONE}",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_byte_size(text)
