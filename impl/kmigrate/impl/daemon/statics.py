"""Where a daemon's own buffers stand in its cluster's memory: in the kernel image, which no migration moves.

Source: nanvix-facts 7.1. The addresses are ours: below the stubs, above which the kernel's structures begin.
"""

from kmigrate.impl.daemon.errors import NoRoom
from kmigrate.impl.kernel.placement import Placement

_ALIGNMENT = 16


class Statics:
    """Takes buffers from the upper end of what the kernel image has left."""

    def __init__(self, placement: Placement) -> None:
        self._first = placement.geometry.kernel_base
        self._top = placement.stubs
        self._end = placement.stubs

    def take(self, size: int) -> int:
        """The address of a new buffer; never 0. Raises NoRoom."""
        address = self._end - size & -_ALIGNMENT
        if address <= self._first:
            raise NoRoom(self._top - self._end + size, self._top - self._first)
        self._end = address
        return address
