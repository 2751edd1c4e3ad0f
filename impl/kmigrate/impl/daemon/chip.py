"""What a daemon asks of the cores when memory has changed under them.

Source: nanvix-facts 1, 7.7.
"""

from typing import Protocol


class Chip(Protocol):
    """The caches and TLBs of a cluster's cores; scripts as user code have none."""

    def cache_invalidate(self, core: int) -> None:
        """Forget all lines of a core's data cache."""

    def cache_invalidate_instructions(self, core: int) -> None:
        """Forget all lines of a core's instruction cache."""

    def tlb_flush(self, core: int) -> None:
        """Write a core's software copy into its TLB once more."""
