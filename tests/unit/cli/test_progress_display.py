"""What is shown of a running transfer, and when."""

from types import SimpleNamespace

import pytest

from pbstore import _core
from pbstore.cli.progress_display import RESTORE_LINES, UPLOAD_LINES, LineDisplay, ProgressLines, SpeedMeter, state_text

MIB = 1 << 20


def counters(**values: int | None) -> _core.Progress:
    """Counters with these values; the real ones are only written by transfers."""
    zeros = {"processed_bytes": 0, "uploaded_bytes": 0, "reused_bytes": 0, "entry_count": 0, "total_bytes": None}
    return SimpleNamespace(**{**zeros, **values})  # type: ignore[return-value]


class Clock:
    """A clock that stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def times_of_lines(lines: ProgressLines, seconds: int) -> list[int]:
    """When lines come while one transfer runs."""
    clock = Clock()
    came: list[int] = []
    display = LineDisplay(lines, lambda text: came.append(int(clock.now)), clock)
    running = ("x.img", counters(processed_bytes=1))
    for second in range(seconds):
        clock.now = float(second)
        display.show(running)
    return came


def test_an_upload_has_a_line_a_minute() -> None:
    assert times_of_lines(UPLOAD_LINES, 200) == [60, 120, 180]


def test_a_restore_has_lines_at_growing_intervals() -> None:
    assert times_of_lines(RESTORE_LINES, 260) == [5, 15, 35, 75, 135, 195, 255]


def test_every_transfer_begins_anew() -> None:
    clock = Clock()
    came: list[tuple[float, str]] = []
    display = LineDisplay(RESTORE_LINES, lambda text: came.append((clock.now, text)), clock)
    first, second = ("a", counters(processed_bytes=1)), ("b", counters(processed_bytes=2))
    for now, running in ((0.0, first), (4.0, first), (4.5, None), (5.5, second), (9.0, second), (11.0, second)):
        clock.now = now
        display.show(running)
    assert came == [(11.0, "progress (2 B in 6s, 0 B/s)")]


@pytest.mark.parametrize(
    ("lines", "values", "seconds", "text"),
    [
        (UPLOAD_LINES, {"processed_bytes": 1536 * MIB}, 60, "processed 1.5 GiB in 1m"),
        (
            UPLOAD_LINES,
            {"processed_bytes": 1536 * MIB, "uploaded_bytes": 300 * MIB},
            60.04,
            "processed 1.5 GiB in 1m, uploaded 300 MiB",
        ),
        (
            RESTORE_LINES,
            {"processed_bytes": 30 * MIB, "total_bytes": 90 * MIB},
            5.01,
            "progress 33% (30 MiB of 90 MiB in 5s, 5.988 MiB/s)",
        ),
        (RESTORE_LINES, {"processed_bytes": 10 * MIB}, 5, "progress (10 MiB in 5s, 2 MiB/s)"),
    ],
)
def test_lines_are_those_of_the_original(
    lines: ProgressLines, values: dict[str, int], seconds: float, text: str
) -> None:
    assert lines.text(counters(**values), seconds) == text


@pytest.mark.parametrize(
    ("values", "speed", "text"),
    [
        ({}, 0.0, "0 B, 0 B/s"),
        ({"processed_bytes": 5 * MIB, "entry_count": 17}, 2.0 * MIB, "5 MiB, 2 MiB/s, 17 entries"),
        (
            {"processed_bytes": 10 * MIB, "total_bytes": 130 * MIB, "reused_bytes": 9 * MIB},
            2.0 * MIB,
            "10 MiB of 130 MiB, 2 MiB/s, 1m left, 90% reused",
        ),
        ({"processed_bytes": 10, "total_bytes": 10}, 5.0, "10 B of 10 B, 5 B/s"),
    ],
)
def test_a_terminal_shows_all_that_is_known(values: dict[str, int], speed: float, text: str) -> None:
    assert state_text(counters(**values), speed) == text


def test_the_speed_is_that_of_the_last_seconds() -> None:
    meter = SpeedMeter()
    assert meter.add(0.0, 0) == 0.0
    assert meter.add(1.0, 100) == 100.0
    for second in range(2, 30):
        speed = meter.add(float(second), 100)
    assert speed == 0.0
