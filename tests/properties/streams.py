"""Data to cut or to seal: stretches of noise, of one byte, and of text that repeats itself."""

import random

from hypothesis import strategies as st

LONGEST = 3000


def stretch(kind: str, length: int, seed: int) -> bytes:
    """One stretch."""
    if kind == "noise":
        return random.Random(seed).randbytes(length)  # noqa: S311 - to be repeatable is the point
    if kind == "constant":
        return bytes([seed % 256]) * length
    return (b"record %d\n" % seed * (length // 8 + 1))[:length]


stretches = st.builds(
    stretch, st.sampled_from(["noise", "constant", "text"]), st.integers(0, LONGEST), st.integers(0, 2**32)
)
streams = st.lists(stretches, max_size=6).map(b"".join)
