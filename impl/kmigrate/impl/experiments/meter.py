"""What the kernel does to memory, seen by the data caches of the cores that run it.

The kernel is not machine code, so no core executes its loads and stores; but what it keeps stands in the cluster's
memory, and every access to that is known. Each is put through the data cache of the core whose step it belongs to,
the same that the core's user code goes through. A core forgets its cache when another thread comes on it. What the
machine reads for itself, to know what can happen next, is no access of the kernel.

A kernel in Python has no branches and no instructions of its own; those cannot be counted.

Source: nanvix-facts 1 (caches); thesis 5 for what was counted on the real chip.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.placement import UAREA_FIELDS, Placement
from kmigrate.impl.kernel.structures import BOARD, THREAD, WORD_BYTES, size_of, uarea
from kmigrate.impl.system.cluster import Cluster


class ObservedSram(Sram):
    """A memory that says of each access through its methods where it is, how long, and whether it is a store."""

    __slots__ = ("tell",)

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self.tell: Callable[[int, int, bool], None] = lambda address, size, store: None

    def read(self, address: int, size: int) -> bytes:
        """Copy `size` bytes out. Raises OutOfMemoryBounds."""
        self.tell(address, size, False)
        return super().read(address, size)

    def word(self, address: int) -> int:
        """The 32-bit word at an address, unsigned. Raises OutOfMemoryBounds."""
        self.tell(address, WORD_BYTES, False)
        return super().word(address)

    def write(self, address: int, content: bytes) -> None:
        """Copy bytes in. Raises OutOfMemoryBounds."""
        super().write(address, content)
        self.tell(address, len(content), True)

    def set_word(self, address: int, value: int) -> None:
        """Write a 32-bit word, modulo 2**32. Raises OutOfMemoryBounds."""
        super().set_word(address, value)
        self.tell(address, WORD_BYTES, True)

    def fill(self, address: int, size: int, byte: int = 0) -> None:
        """Set `size` bytes to one value, 0..255. Raises OutOfMemoryBounds."""
        super().fill(address, size, byte)
        self.tell(address, size, True)


class Region(StrEnum):
    """What of a kernel's data an access goes to."""

    UAREA = "fields of the UArea"
    BOARDS = "system call boards"
    SYSTEM_THREADS = "system threads"
    PAGES = "kernel pages"
    REST = "the rest"


@dataclass(slots=True)
class Counts:
    """Loads and stores of words, and the misses among them."""

    loads: int = 0
    load_misses: int = 0
    stores: int = 0
    store_misses: int = 0


class Meter:
    """Counts the accesses of one cluster's kernel and the misses among them; its cores must have caches.

    counts  so far, by region
    """

    def __init__(self, cluster: Cluster) -> None:
        assert isinstance(cluster.memory, ObservedSram), "the cluster's memory says nothing of its accesses"
        self.counts = {region: Counts() for region in Region}
        self._regions = _regions(cluster.placement)
        self._cluster = cluster
        self._cores = cluster.cores
        self._scheduler = cluster.kernel.scheduler
        self._quiet = False
        self._threads = [self._scheduler.current(core).address for core in range(self._scheduler.cores)]
        cluster.memory.tell = self._seen
        arm = self._scheduler.notice
        self._scheduler.notice = lambda core: self._aside(arm, core)

    def _aside(self, action: Callable[[int], None], core: int) -> None:
        """Let the machine look at memory for itself."""
        with self._unseen():
            action(core)

    @contextmanager
    def _unseen(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _seen(self, address: int, size: int, store: bool) -> None:
        core = self._cluster.stepping
        if self._quiet or not size or core is None:
            return
        with self._unseen():
            thread = self._scheduler.current(core).address
            if thread != self._threads[core]:
                self._threads[core] = thread
                self._cores.cache_invalidate(core)
            before = self._cores.cache_counts(core)
            if store:
                self._cores.write(core, address, bytes(self._cluster.memory.data[address : address + size]))
            else:
                self._cores.read(core, address, size)
            after = self._cores.cache_counts(core)
        accesses = after.data_accesses - before.data_accesses
        misses = after.data_misses - before.data_misses
        counts = self.counts[self._region(address)]
        if store:
            counts.stores += accesses
            counts.store_misses += misses
        else:
            counts.loads += accesses
            counts.load_misses += misses

    def _region(self, address: int) -> Region:
        for begin, end, region in self._regions:
            if begin <= address < end:
                return region
        return Region.REST


def _regions(placement: Placement) -> tuple[tuple[int, int, Region], ...]:
    """Where each region stands: (address, end, region)."""
    layout = uarea(placement.slots)
    fields = ((placement.field(name), size_of(layout, name), Region.UAREA) for name in UAREA_FIELDS)
    cores = placement.geometry.cores
    others = (
        (placement.boards, cores * BOARD.itemsize, Region.BOARDS),
        (placement.system_threads, placement.system_thread_count * THREAD.itemsize, Region.SYSTEM_THREADS),
        (placement.kernel_page(0), placement.geometry.kernel_pages * placement.geometry.page_bytes, Region.PAGES),
    )
    return tuple((address, address + size, region) for address, size, region in (*fields, *others))
