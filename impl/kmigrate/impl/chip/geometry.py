"""The measures of a chip, as data: the MPPA-256, and a tiny one for campaigns.

Source: nanvix-facts 1. The real numbers are those of `MPPA256`.
"""

from dataclasses import dataclass, replace

from kmigrate.impl.errors import BadGeometry

SYSTEM_KERNEL_PAGES = 4
"""Kernel pages 0 to 3 are the stacks of the master and of the dispatcher in every cluster."""

PIECE_BYTES = 4096
"""Most data bytes in one portal piece."""

MANIFEST_ROOM_BYTES = 128
"""Bytes that the last piece of the user sections leaves free for the hardened protocol's manifest."""


def _power_of_two(field: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high or value & (value - 1):
        raise BadGeometry(field, value, f"it must be a power of two in {low}..{high}")


@dataclass(frozen=True, slots=True)
class Cache:
    """The measures of one cache of a core.

    size_bytes  all its lines together
    line_bytes  a power of two, 16..256
    ways        lines of a set; two is assumed, the sources read do not say
    Raises      BadGeometry
    """

    size_bytes: int
    line_bytes: int = 64
    ways: int = 2

    def __post_init__(self) -> None:
        _power_of_two("line_bytes", self.line_bytes, 16, 256)
        _power_of_two("ways", self.ways, 1, 16)
        _power_of_two("size_bytes", self.size_bytes, self.line_bytes * self.ways, 1 << 20)

    @property
    def sets(self) -> int:
        """Sets of lines."""
        return self.size_bytes // (self.line_bytes * self.ways)


@dataclass(frozen=True, slots=True)
class Torus:
    """The measures of the network: compute clusters on a two-dimensional torus, nodes of I/O clusters beside it.

    columns, rows         of compute clusters
    io_clusters           0..2; the first hangs on row 0, the second on the last row
    io_nodes              nodes of each I/O cluster, node k on column k, 1..columns
    hop_cycles            cycles that a message's head needs for one link (assumed)
    link_bytes_per_cycle  what a link carries in one cycle (assumed)
    Raises                BadGeometry
    """

    columns: int
    rows: int
    io_clusters: int
    io_nodes: int
    hop_cycles: int = 7
    link_bytes_per_cycle: int = 4

    def __post_init__(self) -> None:
        for field, low, high in (
            ("columns", 1, 8),
            ("rows", 1, 8),
            ("io_clusters", 0, 2),
            ("io_nodes", 1, self.columns),
            ("hop_cycles", 1, 1 << 20),
            ("link_bytes_per_cycle", 1, 1 << 10),
        ):
            value: int = getattr(self, field)
            if not low <= value <= high:
                raise BadGeometry(field, value, f"it must be in {low}..{high}")

    @property
    def first_compute(self) -> int:
        """Node number of compute cluster 0; the I/O clusters' nodes come first."""
        return self.io_clusters * self.io_nodes

    @property
    def nodes(self) -> int:
        """Nodes in all."""
        return self.first_compute + self.columns * self.rows


@dataclass(frozen=True, slots=True)
class IoCluster:
    """What an I/O cluster has other than a compute cluster.

    cores         core 0 being the master's, 2..16
    kernel_pages  pages of the kernel pool, the four system pages included
    caches        of each core, one for data and one for instructions
    """

    cores: int
    kernel_pages: int
    caches: Cache


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
    user_base      where the virtual addresses of user pages start; there are as many as frames
    hertz          cycles per second
    tlb_entries    entries of a core's TLB, two ways, a power of two
    data_cache     of each core, write-through
    instruction_cache  of each core, with lines and ways like those of the data cache
    torus          the network
    io             the measures of the I/O cluster that has a kernel; None: it is like a compute cluster
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
    user_base: int = 0x80000000
    hertz: int = 400_000_000
    tlb_entries: int = 128
    data_cache: Cache = Cache(8192)
    instruction_cache: Cache = Cache(8192)
    torus: Torus = Torus(columns=4, rows=4, io_clusters=2, io_nodes=4)
    io: IoCluster | None = None

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
        self._hardware()
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
        try:
            _ = self.of_io
        except BadGeometry as bad:
            raise BadGeometry(f"io: {bad.field}", bad.value, bad.needed) from None

    def _hardware(self) -> None:
        """Check what the cores, the MMU, the caches and the network need of each other."""
        self._between("hertz", 1, 1 << 40)
        _power_of_two("tlb_entries", self.tlb_entries, 2, 1024)
        if self.memory_bytes % self.page_bytes:
            raise BadGeometry("memory_bytes", self.memory_bytes, f"it must be whole pages of {self.page_bytes}")
        data, instructions = self.data_cache, self.instruction_cache
        if (instructions.line_bytes, instructions.ways) != (data.line_bytes, data.ways):
            raise BadGeometry(
                "instruction_cache.line_bytes",
                instructions.line_bytes,
                f"lines and ways must be those of the data cache, {data.line_bytes} and {data.ways}",
            )
        if data.line_bytes > self.page_bytes:
            raise BadGeometry("data_cache.line_bytes", data.line_bytes, f"a page has only {self.page_bytes}")
        if self.user_base % self.page_bytes or not self.memory_bytes <= self.user_base < self.virtual_bytes:
            raise BadGeometry(
                "user_base",
                self.user_base,
                f"it must start a page in {self.memory_bytes:#x}..{self.virtual_bytes - 1:#x}, "
                "behind the memory and within reach of the directory",
            )
        if self.torus.columns * self.torus.rows < self.clusters:
            raise BadGeometry(
                "clusters", self.clusters, f"the torus has room for {self.torus.columns * self.torus.rows}"
            )

    def _between(self, field: str, low: int, high: int) -> None:
        value: int = getattr(self, field)
        if not low <= value <= high:
            raise BadGeometry(field, value, f"it must be in {low}..{high}")

    @property
    def of_io(self) -> "Geometry":
        """The same chip with the measures of its I/O cluster in the places of those of a compute cluster.

        Where the kernel stands and how much memory it has are those of a compute cluster (assumed), so one ELF file
        runs on both.
        """
        if self.io is None:
            return self
        io = self.io
        return replace(
            self,
            cores=io.cores,
            kernel_pages=io.kernel_pages,
            data_cache=io.caches,
            instruction_cache=io.caches,
            io=None,
        )

    @property
    def kernel_pool(self) -> int:
        """Address of kernel page 0."""
        return self.kernel_base + self.kernel_bytes

    @property
    def entries(self) -> int:
        """Entries of 4 bytes in a page directory and in a page table, each of which fills a page."""
        return self.page_bytes // 4

    @property
    def virtual_bytes(self) -> int:
        """Virtual addresses that a page directory reaches: 4 GB with pages of 4,096 bytes."""
        return self.entries * self.entries * self.page_bytes

    @property
    def user_end(self) -> int:
        """First virtual address behind the user pages (UBASE_VIRT + UMEM_SIZE)."""
        return self.user_base + self.frames * self.page_bytes

    def is_user(self, address: int, size_bytes: int) -> bool:
        """Whether bytes at virtual addresses lie among the user pages: the kernel's check of user addresses."""
        return self.user_base <= address and 0 <= size_bytes <= self.user_end - address

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
    io=IoCluster(cores=4, kernel_pages=16, caches=Cache(32768)),
)
"""Kalray MPPA-256 as Nanvix uses it: 2 MB, kernel pool at 0xF8000, frames at 0x120000.

An I/O cluster has 4 cores, 16 kernel pages and so 6 user threads.
"""

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
    user_base=0x80000,
    tlb_entries=8,
    data_cache=Cache(256),
    instruction_cache=Cache(256),
    torus=Torus(columns=2, rows=2, io_clusters=1, io_nodes=1),
)
"""For campaigns: room for four processes of the counter program on four clusters of 9 KB."""

GEOMETRIES: dict[str, Geometry] = {geometry.name: geometry for geometry in (MPPA256, TINY)}
"""The known geometries by name."""
