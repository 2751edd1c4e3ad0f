"""How large what each state moves is on the real chip, and what a whole transfer comes to.

Source: thesis 5, equations 5.1 to 5.4; nanvix-facts 1 (kernel pages, frames), 7.6.
"""

from collections.abc import Mapping

from kmigrate.spec.vocabulary import Mstate

PIECE_BYTES = 4096
"""The most that one piece of a portal carries."""

ELEMENT_BYTES: Mapping[Mstate, int] = {
    Mstate.SECTIONS: 10608,
    Mstate.UAREA: 2112,
    Mstate.SYSBOARD: 1920,
    Mstate.PAGEDIR: 4096,
    Mstate.PAGETAB: 4096,
    Mstate.KSTACKSIDS: 160,
    Mstate.KSTACKSPHYS: 4096,
    Mstate.FRAMES_BITMAP: 16,
    Mstate.FRAMES_PHYS: 4096,
}
"""State → bytes of one of its elements; the size of SECTIONS is that of the programs of the experiments."""

MPPA256: Mapping[str, int] = {"system": 4, "pages": 36, "frames": 128, "parts": 3}
"""The parameters of a transfer that has the size of the real one: 40 kernel pages, 128 frames."""


def piece_bytes(state: Mstate, part: int) -> int:
    """The useful bytes of one piece of an element, counted from 0."""
    return min(PIECE_BYTES, ELEMENT_BYTES[state] - part * PIECE_BYTES)


def kernel_pages_used(threads: int, pages: int) -> int:
    """Kernel pages that a process has: two for each user thread, and one as page table for its first user page."""
    return 2 * threads + min(pages, 1)


def image_bytes(threads: int, pages: int) -> int:
    """Equation 5.4: bytes of the image of a process with so many user threads and dynamic pages."""
    return 23008 + 4096 * (kernel_pages_used(threads, pages) + pages)
