"""Paper keys: layout, and that what is scanned is what was printed."""

import json

import pytest

from format_qr_reader import codes_of_text, decode, modules_of_text
from pbstore.errors import EncryptionKeyError
from pbstore.format.key_file import KeyFile
from pbstore.format.paper_key import BEGIN_LINE, END_LINE, PaperKey

PEM_LINES = [
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    *("QUJD" * 16 for _ in range(21)),
    "-----END ENCRYPTED PRIVATE KEY-----",
]
PEM = "\n".join(PEM_LINES).encode() + b"\n"


def test_key_file_as_text_and_code() -> None:
    key_file = KeyFile.create(bytes(range(32)))
    page = PaperKey.parse(key_file.encode()).text("from <me>")
    head, rest = page.split(f"{BEGIN_LINE}\n")
    lines, code = rest.split(f"\n{END_LINE}\n")
    assert head == "Subject: from <me>\n\n"
    assert KeyFile.parse(lines.encode()) == key_file
    assert page.endswith("\n\n")
    assert decode(modules_of_text(code.rstrip("\n"))) == lines


def test_pem_text_has_a_code_for_five_lines() -> None:
    page = PaperKey.parse(PEM).text()
    blocks = page.split("\f\n")
    assert blocks.pop() == ""
    assert page.startswith(f" 0: {PEM_LINES[0]}\n 1: ")
    assert f"\n22: {PEM_LINES[22]}\n" in page
    scanned = [decode(modules_of_text(code)) for code in codes_of_text(page)]
    assert scanned == ["\n".join(PEM_LINES[start : start + 5]) for start in range(0, 23, 5)]
    assert all(block.endswith("\n\n") for block in blocks)


def test_pem_html_has_pages_of_twenty_lines() -> None:
    page = PaperKey.parse(PEM).html("a <b> & c")
    assert "<p>Subject: a &lt;b&gt; &amp; c</p>" in page
    assert (page.count("<img"), page.count("page-break-after")) == (2, 2)
    assert f"\n00: {PEM_LINES[0]}\n01: " in page


def test_markup_in_a_hint_is_escaped() -> None:
    raw = {**json.loads(KeyFile.create(bytes(32)).encode()), "hint": "</p><script>"}
    assert "<script>" not in PaperKey.parse(json.dumps(raw).encode()).html()


@pytest.mark.parametrize(
    "data",
    [
        "\n".join([PEM_LINES[0], *PEM_LINES[1:18], PEM_LINES[-1]]).encode(),
        "\n".join(PEM_LINES[:-1]).encode(),
    ],
)
def test_broken_pem_files_are_refused(data: bytes) -> None:
    with pytest.raises(EncryptionKeyError, match="unexpected key format"):
        PaperKey.parse(data)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{}", b"-----BEGIN CERTIFICATE-----\n"])
def test_what_is_no_key(data: bytes) -> None:
    with pytest.raises(EncryptionKeyError, match="Neither"):
        PaperKey.parse(data)


def test_no_key_material_is_shown() -> None:
    assert "data" not in repr(PaperKey.parse(KeyFile.create(bytes(32)).encode()))
