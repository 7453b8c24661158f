"""The trees of the worked archives, pxar.md 9."""

from oracle.pxar_node import Hardlink, Metadata, Node

SECONDS = 1_700_000_000
PRELUDE = b'{"exclude-patterns":"*.tmp\\n"}'


def a_file(content: bytes) -> Node:
    """A file as both examples have it."""
    return Node(Metadata(0o100644, uid=1000, gid=1000, mtime=(SECONDS, 5)), content)


def directory(mode: int, children: dict[bytes, Node | Hardlink]) -> Node:
    """A directory of root's."""
    return Node(Metadata(0o040000 | mode, mtime=(SECONDS, 0)), children=children)


def version_1() -> Node:
    """Example E1."""
    link = Node(Metadata(0o120777, mtime=(SECONDS, 0)), target=b"a.txt")
    children: dict[bytes, Node | Hardlink] = {
        b"a.txt": a_file(b"hello\n"),
        b"hard": Hardlink(b"a.txt"),
        b"link": link,
        b"sub": directory(0o700, {}),
    }
    return directory(0o755, children)


def version_2() -> Node:
    """Example E2."""
    return directory(0o755, {b"a.txt": a_file(b"hello\n"), b"empty": a_file(b"")})
