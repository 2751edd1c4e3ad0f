"""Where everything that belongs to a process stands in a cluster's memory, and how large it is.

Sizes and the fields of the UArea are the real ones; the addresses inside the kernel image are assumed, in the
real order (boards and tables before the user sections).

Source: nanvix-facts 1, 3.3, 5, 6, 7.6. The UArea has 18 thread slots in every geometry.
"""

from dataclasses import dataclass

from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES, Geometry
from kmigrate.impl.errors import BadGeometry

WORD_BYTES = 4
THREAD_SLOTS = 18
"""User threads that the UArea has room for (THREAD_MAX)."""

UAREA_BYTES = 2112
UAREA_NTHREADS = 0
UAREA_NEXT_TID = 4
UAREA_RETVAL_SLOT = 8
UAREA_THREADS = 64
UAREA_JOINCOND = 1216
UAREA_RETVALS = 1648
UAREA_FREEZING = 1904
UAREA_SCHEDULING = 1908
UAREA_USTACKS = 1920
UAREA_KSTACKS = 1992
UAREA_SYSBOARD = 2064

THREAD_BYTES = 64
JOINCOND_BYTES = 24
RETVALS = 32
RETVAL_BYTES = 8
BOARD_BYTES = 128
"""One system call board (nanvix-facts 3.3)."""

THREAD_NEXT = 4
"""Offset of the queue link in a thread; this and the following order is that of nanvix-facts 3.1."""
THREAD_TID = 8
THREAD_COREID = 12
THREAD_STATE = 16
THREAD_AFFINITY = 20
THREAD_AGE = 24
THREAD_ARG = 32
THREAD_START = 36
THREAD_CONTEXT = 40


@dataclass(frozen=True, slots=True)
class Layout:
    """Addresses and sizes in a cluster of one geometry.

    Raises  BadGeometry if the kernel image is too small for them.
    """

    geometry: Geometry
    boards: int
    boards_bytes: int
    directory: int
    table: int
    counters: int
    counters_bytes: int
    bitmap: int
    bitmap_bytes: int
    uarea: int
    sections: int

    @classmethod
    def of(cls, geometry: Geometry) -> "Layout":
        """Derive the layout: boards, UArea, counters, bitmap, tables, then the user sections, up to the pool."""
        page = geometry.page_bytes
        boards_bytes = (geometry.cores - 1) * BOARD_BYTES
        counters_bytes = geometry.kernel_pages * WORD_BYTES
        bitmap_bytes = -(-geometry.frames // 32) * WORD_BYTES
        sections = (geometry.kernel_pool - geometry.user_bytes) & -page
        table = sections - page
        directory = table - page
        bitmap = (directory - bitmap_bytes) & -64
        counters = (bitmap - counters_bytes) & -64
        uarea = (counters - UAREA_BYTES) & -64
        boards = (uarea - boards_bytes) & -64
        if boards < geometry.kernel_base:
            raise BadGeometry(
                "kernel_bytes",
                geometry.kernel_bytes,
                f"what belongs to a process alone needs {geometry.kernel_pool - boards}",
            )
        return cls(
            geometry,
            boards,
            boards_bytes,
            directory,
            table,
            counters,
            counters_bytes,
            bitmap,
            bitmap_bytes,
            uarea,
            sections,
        )

    @property
    def freezing(self) -> int:
        """Address of the word that says whether the cluster's user threads are frozen."""
        return self.uarea + UAREA_FREEZING

    def kernel_page(self, index: int) -> int:
        """Address of a kernel page."""
        return self.geometry.kernel_pool + index * self.geometry.page_bytes

    def frame(self, index: int) -> int:
        """Address of a user page frame."""
        return self.geometry.frames_base + index * self.geometry.page_bytes

    @property
    def kernel_pages(self) -> range:
        """The kernel pages that a process may hold.

        The real code starts at 3, the dispatcher's stack (H14); here 0 to 3 belong to the system and stay.
        """
        return range(SYSTEM_KERNEL_PAGES, self.geometry.kernel_pages)
