"""Tables: borders, headers, ASCII, alignment, hostile text. Captured outputs of the original: `tests/reference`."""

import pytest

from pbstore.cli.table import Column, TableStyle, object_table, render_table
from pbstore.model.human_size import human_size, human_speed, human_time_span

COLUMNS = (Column(name="name"), Column(name="size", right=True))
ROWS: list[dict[str, object]] = [{"name": "a", "size": 10}, {"name": "long name", "size": None}]


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (
            TableStyle(),
            """\
┌───────────┬──────┐
│ name      │ size │
╞═══════════╪══════╡
│ a         │   10 │
├───────────┼──────┤
│ long name │      │
└───────────┴──────┘
""",
        ),
        (
            TableStyle(utf8=False),
            """\
+-----------+------+
| name      | size |
+===========+======+
| a         |   10 |
+-----------+------+
| long name |      |
+-----------+------+
""",
        ),
        (
            TableStyle(header=False),
            """\
┌───────────┬────┐
│ a         │ 10 │
├───────────┼────┤
│ long name │    │
└───────────┴────┘
""",
        ),
        (TableStyle(border=False), "name      size\na           10\nlong name\n"),
        (TableStyle(border=False, header=False), "a         10\nlong name\n"),
    ],
)
def test_styles(style: TableStyle, expected: str) -> None:
    assert render_table(COLUMNS, ROWS, style) == expected


def test_lines_are_cut_to_the_width_of_the_terminal() -> None:
    lines = render_table(COLUMNS, ROWS, TableStyle(width=8)).splitlines()
    assert {len(line) for line in lines} == {8}


def test_no_rows_print_nothing() -> None:
    assert render_table(COLUMNS, [], TableStyle()) == ""


def test_wide_characters_and_lines_in_a_cell_keep_the_border_straight() -> None:
    assert render_table((Column(name="n"),), [{"n": "日本\nx"}], TableStyle()) == (
        "┌──────┐\n│ n    │\n╞══════╡\n│ 日本 │\n│ x    │\n└──────┘\n"
    )


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in render_table((Column(name="n"),), [{"n": "\x1b[2J"}], TableStyle())


def test_objects_show_only_what_they_have() -> None:
    table = object_table(("b", "a", "c"), {"a": 1, "b": True, "d": 2}, TableStyle(border=False))
    assert table == "Name Value\nb    1\na    1\n"


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (542, "542 B"),
        (1024, "1 KiB"),
        (8706, "8.502 KiB"),
        (9438184, "9.001 MiB"),
        (4 << 20, "4 MiB"),
        (1 << 60, "1 EiB"),
        (1 << 64, "16 EiB"),
    ],
)
def test_sizes(size_bytes: int, text: str) -> None:
    assert human_size(size_bytes) == text


def test_speeds() -> None:
    assert human_speed(0, 0.03) == "0 B/s"
    assert human_speed(1 << 20, 2) == "512 KiB/s"
    assert human_speed(1, 0) == "0 B/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "<0.1s"),
        (0.21, "0.2s"),
        (60, "1m"),
        (63.44, "1m 3.4s"),
        (7500, "2h 5m"),
        (5.0, "5s"),
        (694861, "1w 1d 1h 1m 1s"),
    ],
)
def test_time_spans(seconds: float, text: str) -> None:
    assert human_time_span(seconds) == text
