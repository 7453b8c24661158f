"""What tests of split archives share: the kinds of their fixtures, and backup times."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

# Backs up the tree in a mode, with more options; the log.
Backup = Callable[..., str]
# Restores the newest snapshot, with more options, and compares it with the tree.
Check = Callable[..., None]
# The directories of the group's snapshots, oldest first.
Snapshots = Callable[[], list[Path]]
# Each later than the one before, and long ago.
TIMES = count(1_700_000_000, 60)
