"""SipHash-2-4 with 64-bit result, as its authors describe it, and the hash of names in pxar archives (pxar.md 5)."""

MASK = (1 << 64) - 1


def rotated(value: int, bits: int) -> int:
    """Rotate 64 bits to the left."""
    return (value << bits | value >> (64 - bits)) & MASK


def sip_round(v: list[int]) -> None:
    """Mix the state once."""
    v[0] = (v[0] + v[1]) & MASK
    v[2] = (v[2] + v[3]) & MASK
    v[1] = rotated(v[1], 13) ^ v[0]
    v[3] = rotated(v[3], 16) ^ v[2]
    v[0] = rotated(v[0], 32)
    v[2] = (v[2] + v[1]) & MASK
    v[0] = (v[0] + v[3]) & MASK
    v[1] = rotated(v[1], 17) ^ v[2]
    v[3] = rotated(v[3], 21) ^ v[0]
    v[2] = rotated(v[2], 32)


def siphash(k0: int, k1: int, message: bytes) -> int:
    """Two rounds for each word, four at the end."""
    v = [
        k0 ^ int.from_bytes(b"somepseu", "big"),
        k1 ^ int.from_bytes(b"dorandom", "big"),
        k0 ^ int.from_bytes(b"lygenera", "big"),
        k1 ^ int.from_bytes(b"tedbytes", "big"),
    ]
    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) & 0xFF])
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start : start + 8], "little")
        v[3] ^= word
        for _ in range(2):
            sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(4):
        sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def name_hash(name: bytes) -> int:
    """What goodbye tables know a name by."""
    return siphash(0x83AC3F1CFBB450DB, 0xAA4F1B6879369FBD, name)
