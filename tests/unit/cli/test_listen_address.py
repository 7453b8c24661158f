"""Where to listen, as people write it."""

import pytest

from pbstore.cli.pbstore.listen_address import parse_listen_address, url_of
from pbstore.errors import FormatError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8007", ("127.0.0.1", 8007)),
        ("[::]:8007", ("::", 8007)),
        ("[::1]:0", ("::1", 0)),
        (":9000", ("::", 9000)),
        ("9000", ("::", 9000)),
        ("localhost", ("localhost", 8007)),
        ("[::1]", ("::1", 8007)),
    ],
)
def test_forms(text: str, address: tuple[str, int]) -> None:
    assert parse_listen_address(text) == address


@pytest.mark.parametrize("text", ["127.0.0.1:x", "127.0.0.1:70000", "::1:8007", "a:-1", "a:", "a:\N{SUPERSCRIPT TWO}"])
def test_mistakes(text: str) -> None:
    with pytest.raises(FormatError, match="invalid listen address"):
        parse_listen_address(text)


def test_url() -> None:
    assert url_of("127.0.0.1", 8007) == "https://127.0.0.1:8007/"
    assert url_of("::", 8007) == "https://[::]:8007/"
