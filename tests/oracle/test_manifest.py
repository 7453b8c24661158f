"""Manifests against the vectors of manifest.md 7."""

import hashlib
import json
from typing import Any

import pytest

from oracle.digest import fingerprint_text
from oracle.manifest import canonical, signature, text

SIGNED = (
    '{"backup-id":"100","backup-time":1704164645,"backup-type":"vm","files":[{"crypt-mode":"encrypt","csum":'
    '"c8f97c712320613991f39507b92b54d92085daf3d0b44dc6264b60a9c6da2fc1","filename":"drive-scsi0.img.fidx","size":'
    '9437184},{"crypt-mode":"encrypt","csum":"55a38f10a4079c76ce00f9302eaf4f3e651f6c20a81f78487dc9bb8680675511",'
    '"filename":"qemu-server.conf.blob","size":55}]}'
)


def test_first_vector() -> None:
    assert len(SIGNED) == 365
    manifest = json.loads(SIGNED)
    assert canonical(manifest) == SIGNED
    expected = "9f8c05da7e3b7809f1c8c81f39c478e0ff65ac25907a1683a844b1631c6a1a3f"
    assert signature(manifest, bytes(range(32))) == expected


@pytest.mark.parametrize("unprotected", [{}, {"notes": "anything", "more": [None]}])
def test_second_vector(unprotected: dict[str, Any]) -> None:
    key = hashlib.scrypt(b"test", salt=b"", n=65536, r=8, p=1, maxmem=1 << 27, dklen=32)
    assert key.hex() == "28cdb1a3bef39396c3860e00d448fe7a0efd8244486ab6feb30457681d31597e"
    files = [
        {"filename": "test1.img.fidx", "size": 200, "csum": "01" * 32, "crypt-mode": "encrypt"},
        {"filename": "abc.blob", "size": 200, "csum": "02" * 32, "crypt-mode": "none"},
    ]
    manifest = {"backup-type": "host", "backup-id": "elsa", "backup-time": 1593179765, "files": files}
    expected = "d7b446fb7db081662081d4b40fedd858a1d6307a5aff4ecff7d5bf4fd35679e9"
    assert signature(manifest | {"signature": None, "unprotected": unprotected}, key) == expected
    assert len(fingerprint_text(key)) == 95


def test_escapes() -> None:
    assert canonical({"b": '\x00\x1f\b\t\n\f\r"\\/\x7fé', "a": [True, -5, {}]}) == (
        '{"a":[true,-5,{}],"b":"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/\x7fé"}'
    )
    with pytest.raises(ValueError, match="None"):
        canonical({"a": None})


def test_pretty_text() -> None:
    assert text({"b": [], "a": {"ä": 1}}) == '{\n  "a": {\n    "ä": 1\n  },\n  "b": []\n}'.encode()
