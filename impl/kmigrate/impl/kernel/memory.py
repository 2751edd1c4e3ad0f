"""The calls on frames and user pages.

Source: nanvix-facts 3.3, 3.5; nanvix-behaviours, page frames and user pages.
"""

from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.frames import Frames
from kmigrate.impl.kernel.paging import Paging
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.syscall import Call


class MemoryCalls:
    """What user code may ask of its cluster's memory. All these calls are remote."""

    def __init__(self, placement: Placement, frames: Frames, paging: Paging) -> None:
        self._directory = placement.directory
        self._page = placement.geometry.page_bytes
        self._frames = frames
        self._paging = paging

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.remote[Call.FRAME_ALLOC] = lambda core, arguments: self._frames.allocate()
        calls.remote[Call.FRAME_FREE] = self._free_frame
        calls.remote[Call.PAGE_ALLOC] = self._allocate_page
        calls.remote[Call.PAGE_FREE] = self._free_page
        calls.remote[Call.PAGE_LINK] = self._link_page

    def _free_frame(self, core: int, arguments: tuple[int, ...]) -> int:
        """Argument: the number of the frame."""
        self._frames.free(arguments[0])
        return 0

    def _allocate_page(self, core: int, arguments: tuple[int, ...]) -> int:
        """Argument: the address of the page."""
        self._paging.allocate(self._directory, arguments[0])
        return 0

    def _free_page(self, core: int, arguments: tuple[int, ...]) -> int:
        """Argument: the address of the page."""
        if arguments[0] % self._page:
            raise Refused(Errno.EINVAL, f"{arguments[0]:#x} is not the start of a page")
        self._paging.free(self._directory, arguments[0])
        return 0

    def _link_page(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the address of a page, and the second address at which it is to be seen."""
        self._paging.link(self._directory, arguments[0], arguments[1])
        return 0
