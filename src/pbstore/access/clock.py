"""The time as a parameter, so that tests need neither sleep nor lie."""

from collections.abc import Callable

Clock = Callable[[], float]
"""Returns seconds since 1970, as `time.time` does."""
