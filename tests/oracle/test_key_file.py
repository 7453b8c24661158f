"""Protected keys against the vectors of keys.md 8."""

from typing import Any

import pytest

from oracle.key_file import derived_key, protect, unprotect

KEY = bytes(range(32))
IV = bytes(range(0x40, 0x50))
SALT = "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU="


@pytest.mark.parametrize(
    ("kdf", "derived", "data"),
    [
        (
            {"Scrypt": {"n": 65536, "r": 8, "p": 1, "salt": SALT}},
            "ec1a3169737165e4b8c4e75fb58becefe0cf9f26e4a7821a67c5322be9204eb5",
            "QEFCQ0RFRkdISUpLTE1OT3GFAUJ63Mh06mVXQVgNbqVIMYqlJNFML4oyM1ECdyPAPeklKvLFYr0uIUpxPA+C8A==",
        ),
        (
            {"PBKDF2": {"iter": 65535, "salt": SALT}},
            "a28f0a43338c95b5e11054acb1585d29cbf7992d70a3101d7ad4764195ac585c",
            "QEFCQ0RFRkdISUpLTE1OTyIe5wvp21efPgW8bj3Y7EWSfHRCLexALqtvAWN9jIV6MsHoQCTpvlU6+uBzPKTvVA==",
        ),
    ],
)
def test_vectors(kdf: dict[str, Any], derived: str, data: str) -> None:
    assert derived_key(kdf, "secret pass").hex() == derived
    assert protect(KEY, kdf, "secret pass", IV) == data
    assert unprotect(data, kdf, "secret pass") == KEY
