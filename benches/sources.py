"""What is backed up: generated, so that every run of a bench sees the same bytes."""

import random
from pathlib import Path

MIB = 1 << 20


def write_image(path: Path, size_bytes: int) -> None:
    """Write an image like a used disk: of each 16 MiB 6 compress well, 6 do not at all, 4 are zeros."""
    generator = random.Random(1)
    words = [generator.randbytes(6).hex() for _ in range(4096)]
    with path.open("wb") as image:
        for index in range(size_bytes // MIB):
            place = index % 16
            if place < 6:
                image.write(" ".join(generator.choices(words, k=85_000)).encode()[:MIB])
            elif place < 12:
                image.write(generator.randbytes(MIB))
            else:
                image.write(bytes(MIB))


def write_tree(path: Path, size_bytes: int) -> int:
    """Write a tree of many small and a few large files; return the number of files."""
    generator = random.Random(2)
    words = [generator.randbytes(4).hex() for _ in range(4096)]
    written = count = 0
    while written < size_bytes:
        directory = path / f"d{count // 100:03}"
        directory.mkdir(parents=True, exist_ok=True)
        size = generator.choice((700, 3_000, 9_000, 20_000, 60_000, 400_000))
        if count % 400 == 399:
            size = 24 * MIB
        if count % 3 == 0:
            data = generator.randbytes(size)
        else:
            data = " ".join(generator.choices(words, k=size // 9 + 1)).encode()[:size]
        (directory / f"f{count:05}").write_bytes(data)
        written += size
        count += 1
    return count
