"""Names the file in what codecs say of its bytes: they know offsets, not where the bytes are from."""

from collections.abc import Iterator
from contextlib import contextmanager

from pbstore.errors import FormatError, IntegrityError


@contextmanager
def in_file(name: object) -> Iterator[None]:
    """Put the file's name or path in front of every error about damage that is raised inside.

    Raises:
        FormatError, IntegrityError: as inside, and now they name the file.
    """
    try:
        yield
    except (FormatError, IntegrityError) as error:
        raise type(error)(f"{name}: {error}") from None
