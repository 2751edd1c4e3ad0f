"""Where the kernel's structures stand in a cluster's memory: with the UArea, or scattered as before it.

With the UArea all that belongs to the process's threads lies together and travels in one piece. The kernel
without it keeps the same structures apart, each on lines of its own, in an order that has nothing to do with
their use; what a migration moves is then not one stretch of memory.

Source: thesis 4.3.2; nanvix-facts 1, 3, 5, 6. The addresses inside the kernel image are assumed, in the real order.
"""

from dataclasses import dataclass

from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.errors import BadGeometry
from kmigrate.impl.kernel.structures import BOARD, LINE_BYTES, THREAD, WORD_BYTES, offset_of, padded, size_of, uarea

MASTER_CORE = 0
"""The core of the master and of the dispatcher."""

SYSTEM_THREADS_BESIDE_IDLE = 2
"""Master and dispatcher; each core has an idle thread besides."""

UAREA_FIELDS = (
    "nthreads",
    "next_tid",
    "retval_slot",
    "threads",
    "joinconds",
    "retvals",
    "freezing",
    "scheduling",
    "ustacks",
    "kstacks",
    "sysboard",
)

_SCATTERED_ORDER = (
    "kstacks",
    "next_tid",
    "joinconds",
    "freezing",
    "threads",
    "sysboard",
    "scheduling",
    "retvals",
    "nthreads",
    "ustacks",
    "retval_slot",
)


def thread_slots(geometry: Geometry) -> int:
    """User threads that a cluster has room for (THREAD_MAX): 18 on the MPPA-256 (nanvix-facts 3.1)."""
    return geometry.kernel_pages // 2 - SYSTEM_THREADS_BESIDE_IDLE


@dataclass(frozen=True, slots=True)
class Placement:
    """Addresses in a cluster of one geometry.

    together        whether the fields of the UArea lie together
    slots           user threads that there is room for
    fields          address of each field of the UArea, in the order of UAREA_FIELDS
    boards          address of board 0, the master core's own; those of the other cores follow
    system_threads  address of the table of system threads: master, dispatcher, the idle threads by core
    stubs           address of a line of code to which start routines and signal handlers return
    counters        address of the kernel pages' reference counts
    bitmap          address of the frame bitmap
    directory       address of the root page directory
    table           address of the kernel's page table
    sections        address of the user sections
    """

    geometry: Geometry
    together: bool
    slots: int
    fields: tuple[int, ...]
    boards: int
    system_threads: int
    stubs: int
    counters: int
    bitmap: int
    directory: int
    table: int
    sections: int

    @classmethod
    def of(cls, geometry: Geometry, *, together: bool = True) -> "Placement":
        """Place everything below the user sections, which begin a page and end before the kernel pool.

        together  with the UArea; False for the kernel that was built without it
        Raises    BadGeometry if the kernel image is too small.
        """
        page = geometry.page_bytes
        slots = thread_slots(geometry)
        layout = uarea(slots)
        sections = (geometry.kernel_pool - geometry.user_bytes) & -page
        table = sections - page
        directory = table - page
        bitmap = (directory - -(-geometry.frames // 32) * WORD_BYTES) & -LINE_BYTES
        counters = (bitmap - geometry.kernel_pages * WORD_BYTES) & -LINE_BYTES
        end = counters
        if together:
            end = (end - layout.itemsize) & -LINE_BYTES
            at = {name: end + offset_of(layout, name) for name in UAREA_FIELDS}
        else:
            at = {}
            for name in _SCATTERED_ORDER:
                end -= padded(size_of(layout, name)) + LINE_BYTES
                at[name] = end
        boards = end - geometry.cores * BOARD.itemsize
        system_threads = boards - (geometry.cores + SYSTEM_THREADS_BESIDE_IDLE) * THREAD.itemsize
        stubs = system_threads - LINE_BYTES
        if stubs < geometry.kernel_base:
            needed = geometry.kernel_pool - stubs
            raise BadGeometry("kernel_bytes", geometry.kernel_bytes, f"the kernel's structures need {needed}")
        fields = tuple(at[name] for name in UAREA_FIELDS)
        return cls(
            geometry=geometry,
            together=together,
            slots=slots,
            fields=fields,
            boards=boards,
            system_threads=system_threads,
            stubs=stubs,
            counters=counters,
            bitmap=bitmap,
            directory=directory,
            table=table,
            sections=sections,
        )

    def field(self, name: str) -> int:
        """Address of a field of the UArea."""
        return self.fields[UAREA_FIELDS.index(name)]

    @property
    def uarea_bytes(self) -> int:
        """Size of the UArea; 2,112 on the MPPA-256."""
        return uarea(self.slots).itemsize

    @property
    def system_thread_count(self) -> int:
        """System threads, which have the tids 0, 1, ...; the first user thread has the next one."""
        return self.geometry.cores + SYSTEM_THREADS_BESIDE_IDLE

    def kernel_page(self, index: int) -> int:
        """Address of a kernel page."""
        return self.geometry.kernel_pool + index * self.geometry.page_bytes

    def frame(self, index: int) -> int:
        """Address of a user page frame."""
        return self.geometry.frames_base + index * self.geometry.page_bytes
