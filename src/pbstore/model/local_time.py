"""Times as the original prints them: like C's `%c` in the C locale, in local time."""

import time


def local_time_text(seconds: float) -> str:
    """`Mon Nov 23 04:06:39 2026`; seconds that no calendar has are printed as a number."""
    try:
        return time.asctime(time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return str(seconds)
