"""Inputs that are almost right: examples with pieces cut out, doubled or replaced, and things that are never right."""

from collections.abc import Sequence

from hypothesis import strategies as st

# What parsers trip over: separators, escapes, digits and spaces beyond ASCII, halves of characters, long numbers.
_PIECES = (
    *(
        "",
        "\0",
        "\n",
        "\r",
        " ",
        "\t",
        "/",
        "//",
        "..",
        ".",
        ":",
        "::",
        "@",
        "!",
        "%",
        "%2",
        "%ff",
        "\\",
        "\\x",
        "\\ud800",
    ),
    *(
        "\\",
        "\\x",
        "\\ud800",
        '"',
        "'",
        ",",
        "=",
        "-",
        "#",
        "[",
        "]",
        "{",
        "}",
        "é",
        "\u0663",
        "\u00b2",
        "\u2028",
        "\udcff",
        "😀",
    ),
    *("0", "-1", "1e400", "null", "true", "[]", "{}", '""', "9" * 20, "9" * 400, "9" * 5000, "A" * 300),
)
_pieces = st.sampled_from(_PIECES) | st.text(max_size=3)
_edits = st.lists(st.tuples(st.integers(0, 1 << 12), st.integers(0, 12), _pieces), max_size=4)


def near_texts(*examples: str) -> st.SearchStrategy[str]:
    """Texts near these examples, and any text at all."""
    return st.builds(_edited, st.sampled_from(examples), _edits) | st.text(max_size=60)


def near_bytes(*examples: bytes) -> st.SearchStrategy[bytes]:
    """Bytes near these examples, and any bytes at all."""
    texts = [example.decode("latin-1") for example in examples]
    edited = st.builds(_edited, st.sampled_from(texts), _edits)
    return edited.map(_to_bytes) | st.binary(max_size=60)


def _edited(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    for place, length, piece in edits:
        start = place % (len(text) + 1)
        text = text[:start] + piece + text[start + length :]
    return text


def _to_bytes(text: str) -> bytes:
    return b"".join(
        character.encode("latin-1") if ord(character) < 256 else character.encode("utf-8", "surrogatepass")
        for character in text
    )
