"""Limits of the front from the environment: `PBSTORE_LIMITS="connections=8000 idle=300"` (docs/design/front.md)."""

from pbstore.errors import ConfigError


def parse_front_limits(text: str) -> dict[str, float]:
    """Return names and values; whether the front knows the names is its own business.

    Raises:
        ConfigError: not a list of NAME=NUMBER.
    """
    limits: dict[str, float] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        try:
            limits[name] = float(value)
        except ValueError:
            raise ConfigError(f"invalid PBSTORE_LIMITS: '{word}' is not NAME=NUMBER, like connections=8000") from None
    return limits
