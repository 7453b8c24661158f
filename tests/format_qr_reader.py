"""Reads QR codes out of paper keys, with a decoder that is not the encoder."""

import base64
import re
import xml.etree.ElementTree as ElementTree

import zxingcpp

MODULE_PIXELS = 4
QUIET_MODULES = 4
HALVES = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


def modules_of_text(text: str) -> list[list[int]]:
    """Rows of a code drawn with half blocks, 1 = dark."""
    rows: list[list[int]] = []
    for line in text.splitlines():
        pairs = [HALVES[character] for character in line]
        rows += [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    return rows[: len(rows[0])]


def codes_of_text(page: str) -> list[str]:
    """Every block of half-block lines on a text page."""
    return re.findall(r"(?:^[ ▀▄█]{20,}\n)+", page, re.MULTILINE)


def svgs_of_html(page: str) -> list[bytes]:
    """Every SVG image of an HTML page."""
    texts = re.findall(r'src="data:image/svg\+xml;base64,([A-Za-z0-9+/]+)', page)
    return [base64.b64decode(text + "=" * (-len(text) % 4)) for text in texts]


def modules_of_qrencode_svg(svg: bytes) -> list[list[int]]:
    """Rows of a code as `qrencode` draws it: one rectangle a dark module."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own fixtures
    size = int(root.attrib["viewBox"].split()[2])
    rows = [[0] * size for _ in range(size)]
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        if rect.attrib["fill"] == "#000000":
            rows[int(rect.attrib["y"])][int(rect.attrib["x"])] = 1
    return rows


def modules_of_path_svg(svg: bytes) -> list[list[int]]:
    """Rows of a code as we draw it: one path, a horizontal stroke for each run of dark modules."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own page
    size = int(root.attrib["viewBox"].split()[2])
    assert "width" not in root.attrib, "an image with a size of its own need not fill the place that the page gives it"
    rows = [[0] * size for _ in range(size)]
    (path,) = [path.attrib["d"] for path in root.iter("{http://www.w3.org/2000/svg}path") if "stroke" in path.attrib]
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([-0-9. ]+)", path):
        values = [float(number) for number in numbers.split()]
        if command == "h":
            rows[int(y)][int(x) : int(x + values[0])] = [1] * int(values[0])
            x += values[0]
        else:
            x, y = (x + values[0], y + values[1]) if command == "m" else (values[0], values[1])
    return rows


def decode(modules: list[list[int]]) -> str:
    """Content of a code."""
    empty = [0] * len(modules[0])
    framed = [empty] * QUIET_MODULES + modules + [empty] * QUIET_MODULES
    lines = []
    for row in framed:
        cells = [0] * QUIET_MODULES + row + [0] * QUIET_MODULES
        lines += [b"".join((b"\x00" if cell else b"\xff") * MODULE_PIXELS for cell in cells)] * MODULE_PIXELS
    image = memoryview(b"".join(lines)).cast("B", (len(lines), len(lines[0])))
    (symbol,) = zxingcpp.read_barcodes(image)
    return str(symbol.text)
