"""What a migration moves and in which order: nine stretches of memory, and which of their parts are skipped.

Both ends walk the same list on their own. Whether a kernel page or a frame is moved is decided by the end's own
counters and bitmap at that moment; the receiver has just received them.

Source: thesis 4.5.1.2; nanvix-facts 7.6.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kmigrate.impl.kernel.frames import Frames
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.kpages import KernelPages
from kmigrate.impl.kernel.structures import BOARD, WORD_BYTES
from kmigrate.spec.vocabulary import Mstate

FIRST_PAGE_PUBLISHED = 3
"""The first kernel page that the published code moves: the stack of the dispatcher that moves it (H14)."""

_WORD_BITS = 32


@dataclass(frozen=True, slots=True)
class Part:
    """One state of a migration.

    lower, upper  the indices that its loop goes through, the upper one not included
    size          bytes of what one index moves
    address       where that stands; 0: this index is skipped
    """

    state: Mstate
    lower: int
    upper: int
    size: int
    address: Callable[[int], int]


def walk(kernel: Kernel, first_page: int = FIRST_PAGE_PUBLISHED) -> tuple[Part, ...]:
    """The nine parts of the process in a cluster, in the order of the states.

    first_page  the first kernel page that can be the process's
    """
    placement, geometry = kernel.placement, kernel.placement.geometry
    page = geometry.page_bytes

    def one(state: Mstate, address: int, size: int) -> Part:
        return Part(state, 0, 1, size, lambda index: address)

    return (
        one(Mstate.SECTIONS, placement.sections, geometry.user_bytes),
        one(Mstate.UAREA, placement.field("nthreads"), placement.uarea_bytes),
        one(Mstate.SYSBOARD, placement.boards + BOARD.itemsize, (geometry.cores - 1) * BOARD.itemsize),
        one(Mstate.PAGEDIR, placement.directory, page),
        one(Mstate.PAGETAB, placement.table, page),
        one(Mstate.KSTACKSIDS, placement.counters, geometry.kernel_pages * WORD_BYTES),
        Part(Mstate.KSTACKSPHYS, first_page, geometry.kernel_pages, page, _kernel_page(kernel.kernel_pages)),
        one(Mstate.FRAMES_BITMAP, placement.bitmap, -(-geometry.frames // _WORD_BITS) * WORD_BYTES),
        Part(Mstate.FRAMES_PHYS, 0, geometry.frames, page, _frame(kernel.frames)),
    )


def _kernel_page(pages: KernelPages) -> Callable[[int], int]:
    """The condition of KSTACKSPHYS (`mcond_kpage`)."""
    return lambda index: pages.address_of(index) if pages.references(index) else 0


def _frame(frames: Frames) -> Callable[[int], int]:
    """The condition of FRAMES_PHYS (`mcond_frames`)."""
    return lambda index: frames.address_of(frames.number_of(index)) if frames.taken(index) else 0
