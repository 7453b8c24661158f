"""Sizes, speeds and time spans as the original prints them."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def human_size(size_bytes: float) -> str:
    """Binary unit, at most three decimals, no trailing zeros: `12.345 MiB`, `8 KiB`, `542 B`."""
    value, unit = float(size_bytes), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.3f}".rstrip("0").rstrip(".") + f" {_UNITS[unit]}"


def human_speed(size_bytes: float, seconds: float) -> str:
    """Bytes per second as a size: `189.31 MiB/s`; `0 B/s` when nothing was moved."""
    speed = size_bytes / seconds if seconds > 0 else 0.0
    return f"{human_size(speed if speed >= 1024 else int(speed))}/s"


def human_time_span(seconds: float) -> str:
    """`<0.1s`, `0.2s`, `1m 3.4s`, `2h 5m`."""
    if seconds < 0.1:
        return "<0.1s"
    tenths = round(seconds * 10)
    parts = []
    for unit, length in (("w", 6048000), ("d", 864000), ("h", 36000), ("m", 600)):
        count, tenths = divmod(tenths, length)
        if count:
            parts.append(f"{count}{unit}")
    if tenths or not parts:
        parts.append(f"{tenths / 10:.1f}".removesuffix(".0") + "s")
    return " ".join(parts)
