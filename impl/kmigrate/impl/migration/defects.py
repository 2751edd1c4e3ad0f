"""Defects that can be built into a machine, so that tests show that a judge would notice them.

Each is one named point in a daemon or in a portal; none is a copy of either.
"""

from enum import Enum


class Defect(Enum):
    """What is done wrong; the value is the name in run files."""

    COMMIT_WITHOUT_ACKNOWLEDGEMENT = "commit-without-acknowledgement"
    """Hardened: the source takes its own COM for the answer CYES."""
    THAW_AFTER_COMMIT = "thaw-after-commit"
    """Hardened: on CYES the source thaws and keeps its copy instead of discarding it."""
    PERMISSION_COUNTED_TWICE = "permission-counted-twice"
    """Both: one permission lets two pieces go; the second overwrites the first in the landing buffer."""
