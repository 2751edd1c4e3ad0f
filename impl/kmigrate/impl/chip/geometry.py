"""The measures of a chip, as data: the MPPA-256, and a tiny one for campaigns.

Source: nanvix-facts 1. The real numbers are those of `MPPA256`.
"""

from dataclasses import dataclass

from kmigrate.impl.errors import BadGeometry

SYSTEM_KERNEL_PAGES = 4
"""Kernel pages 0 to 3 are the stacks of the master and of the dispatcher in every cluster."""

PIECE_BYTES = 4096
"""Most data bytes in one portal piece."""

MANIFEST_ROOM_BYTES = 128
"""Bytes that the last piece of the user sections leaves free for the hardened protocol's manifest."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """One chip. All memory measures are bytes and hold for each compute cluster.

    name           what it is called in run files
    clusters       compute clusters, 1..16
    cores          cores of a compute cluster, core 0 being the master's, 2..16
    memory_bytes   size of a cluster's memory
    kernel_base    where the kernel image starts
    kernel_bytes   size of the kernel image, user sections included; the kernel pages follow it
    kernel_pages   pages of the kernel pool, the four system pages included
    frames         user page frames; they follow the kernel pages
    page_bytes     page, frame, page directory and page table, a power of two, 64..4096
    user_bytes     size of the user sections
    Raises         BadGeometry
    """

    name: str
    clusters: int
    cores: int
    memory_bytes: int
    kernel_base: int
    kernel_bytes: int
    kernel_pages: int
    frames: int
    page_bytes: int
    user_bytes: int

    def __post_init__(self) -> None:
        self._between("clusters", 1, 16)
        self._between("cores", 2, 16)
        self._between("kernel_base", 0, self.memory_bytes)
        self._between("kernel_pages", SYSTEM_KERNEL_PAGES + 3, 255)
        self._between("frames", 1, 255)
        self._between("page_bytes", 64, PIECE_BYTES)
        self._between("user_bytes", 64, 1 << 20)
        if self.page_bytes & (self.page_bytes - 1):
            raise BadGeometry("page_bytes", self.page_bytes, "it must be a power of two")
        free = -self.user_bytes % PIECE_BYTES
        if free < MANIFEST_ROOM_BYTES:
            raise BadGeometry(
                "user_bytes",
                self.user_bytes,
                f"its last piece must leave {MANIFEST_ROOM_BYTES} bytes for the manifest, not {free}",
            )
        if self.frames_end > self.memory_bytes:
            raise BadGeometry(
                "memory_bytes", self.memory_bytes, f"kernel, kernel pages and frames end at {self.frames_end}"
            )

    def _between(self, field: str, low: int, high: int) -> None:
        value: int = getattr(self, field)
        if not low <= value <= high:
            raise BadGeometry(field, value, f"it must be in {low}..{high}")

    @property
    def kernel_pool(self) -> int:
        """Address of kernel page 0."""
        return self.kernel_base + self.kernel_bytes

    @property
    def frames_base(self) -> int:
        """Address of frame 0."""
        return self.kernel_pool + self.kernel_pages * self.page_bytes

    @property
    def frames_end(self) -> int:
        """First address behind the frames."""
        return self.frames_base + self.frames * self.page_bytes


MPPA256 = Geometry(
    name="mppa256",
    clusters=16,
    cores=16,
    memory_bytes=0x200000,
    kernel_base=0x008000,
    kernel_bytes=0x0F0000,
    kernel_pages=40,
    frames=128,
    page_bytes=4096,
    user_bytes=10608,
)
"""Kalray MPPA-256 as Nanvix uses it: 2 MB, kernel pool at 0xF8000, frames at 0x120000."""

TINY = Geometry(
    name="tiny",
    clusters=4,
    cores=3,
    memory_bytes=0x2400,
    kernel_base=0,
    kernel_bytes=0x1000,
    kernel_pages=14,
    frames=4,
    page_bytes=256,
    user_bytes=512,
)
"""For campaigns: room for four processes of the counter program on four clusters of 9 KB."""

GEOMETRIES: dict[str, Geometry] = {geometry.name: geometry for geometry in (MPPA256, TINY)}
"""The known geometries by name."""
