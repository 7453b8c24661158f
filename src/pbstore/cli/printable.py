"""Text from elsewhere (servers, file names) made safe to show on a terminal."""


def printable(text: str) -> str:
    """Return the text with control and undecodable characters written as escapes."""
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def printable_lines(text: str) -> str:
    """As `printable`, but line ends stay."""
    return "\n".join(printable(line) for line in text.split("\n"))


def debug_quoted(text: str) -> str:
    """Return the text in double quotes with backslash escapes, as the original shows paths."""
    return '"' + printable(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _escape(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return f"\\u{{{ord(character):x}}}"
