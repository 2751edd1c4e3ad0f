"""A process as bytes in a cluster's memory: the nine sections that a migration moves.

Source: thesis 4.4; nanvix-facts 5, 7.6. Which kernel pages and frames belong to the process is what the
counters and the bitmap in the same memory say. The word `freezing` lies inside the UArea but belongs to the
cluster: it is read as 0, never installed and not part of the digest (H21; deviation from the code).
"""

from hashlib import blake2b

from kmigrate.impl.chip.geometry import PIECE_BYTES, SYSTEM_KERNEL_PAGES
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.errors import BadSectionSize
from kmigrate.impl.kernel.layout import UAREA_BYTES, UAREA_FREEZING, WORD_BYTES, Layout
from kmigrate.spec.vocabulary import DATA_STATES, Mstate

DIGEST_BYTES = 32
"""Size of a container's digest."""

IDENTITY = 0x4B4D0000
"""The first word of the user sections is this plus the number of the process, 0..65535 (ours)."""

Span = tuple[int, int]
"""Address and size in bytes."""

_NOT_FROZEN = bytes(WORD_BYTES)


def spans(
    layout: Layout, mstate: Mstate, kernel_pages: tuple[int, ...], frames: tuple[int, ...]
) -> tuple[Span, ...]:
    """The stretches of memory that make up a section of a process with these pages.

    A list without pages is one stretch of no bytes, so that every section moves at least one piece.
    """
    page = layout.geometry.page_bytes
    match mstate:
        case Mstate.SECTIONS:
            return ((layout.sections, layout.geometry.user_bytes),)
        case Mstate.UAREA:
            return ((layout.uarea, UAREA_BYTES),)
        case Mstate.SYSBOARD:
            return ((layout.boards, layout.boards_bytes),)
        case Mstate.PAGEDIR:
            return ((layout.directory, page),)
        case Mstate.PAGETAB:
            return ((layout.table, page),)
        case Mstate.KSTACKSIDS:
            return ((layout.counters, layout.counters_bytes),)
        case Mstate.KSTACKSPHYS:
            return tuple((layout.kernel_page(i), page) for i in kernel_pages) or ((layout.kernel_page(0), 0),)
        case Mstate.FRAMES_BITMAP:
            return ((layout.bitmap, layout.bitmap_bytes),)
        case Mstate.FRAMES_PHYS:
            return tuple((layout.frame(i), page) for i in frames) or ((layout.frame(0), 0),)
        case Mstate.FINISH:
            return ()


def cut(stretches: tuple[Span, ...]) -> tuple[Span, ...]:
    """Cut stretches of memory into pieces of at most 4,096 bytes."""
    pieces: list[Span] = []
    for address, size in stretches:
        done = 0
        while size - done > PIECE_BYTES:
            pieces.append((address + done, PIECE_BYTES))
            done += PIECE_BYTES
        pieces.append((address + done, size - done))
    return tuple(pieces)


class Container:
    """The place of a process in one cluster's memory. It keeps nothing itself: all is read from the bytes."""

    __slots__ = ("layout", "memory")

    def __init__(self, memory: Sram, layout: Layout) -> None:
        self.memory = memory
        self.layout = layout

    # -- the cluster's own word --------------------------------------------------------------------------

    @property
    def frozen(self) -> bool:
        """Whether no user thread of the cluster is scheduled."""
        return self.memory.word(self.layout.freezing) != 0

    @frozen.setter
    def frozen(self, value: bool) -> None:
        self.memory.set_word(self.layout.freezing, int(value))

    @property
    def process(self) -> int | None:
        """The number of the process that stands here, by the first word of the user sections; None: none."""
        word = self.memory.word(self.layout.sections)
        return word - IDENTITY if word & 0xFFFF0000 == IDENTITY else None

    # -- page lists --------------------------------------------------------------------------------------

    @property
    def kernel_pages(self) -> tuple[int, ...]:
        """The kernel pages that the counters in this memory give to the process."""
        layout = self.layout
        words = memoryview(self.memory.read(layout.counters, layout.counters_bytes)).cast("I")
        return tuple(i for i in layout.kernel_pages if words[i])

    @property
    def frames(self) -> tuple[int, ...]:
        """The frames that the bitmap in this memory gives to the process."""
        bits = int.from_bytes(self.memory.read(self.layout.bitmap, self.layout.bitmap_bytes), "little")
        return tuple(i for i in range(self.layout.geometry.frames) if bits >> i & 1)

    # -- sections ----------------------------------------------------------------------------------------

    def sections(self, mstate: Mstate) -> tuple[Span, ...]:
        """The stretches of this memory that make up a section, by the page lists that stand in it."""
        kernel_pages = self.kernel_pages if mstate is Mstate.KSTACKSPHYS else ()
        frames = self.frames if mstate is Mstate.FRAMES_PHYS else ()
        return spans(self.layout, mstate, kernel_pages, frames)

    def pieces(self, mstate: Mstate) -> tuple[Span, ...]:
        """The pieces in which a section travels; at least one, of at most 4,096 bytes each."""
        return cut(self.sections(mstate))

    def read_piece(self, address: int, size: int) -> bytes:
        """Copy a piece out, the freezing word as 0."""
        content = self.memory.read(address, size)
        offset = self.layout.freezing - address
        if 0 <= offset < size:
            return content[:offset] + _NOT_FROZEN + content[offset + WORD_BYTES :]
        return content

    def write_piece(self, address: int, content: bytes) -> None:
        """Copy a piece in; the freezing word of this cluster stays what it is."""
        frozen = self.memory.word(self.layout.freezing)
        self.memory.write(address, content)
        self.memory.set_word(self.layout.freezing, frozen)

    def read(self, mstate: Mstate) -> bytes:
        """Copy a whole section out, its stretches one after the other."""
        return b"".join(self.read_piece(address, size) for address, size in self.sections(mstate))

    def write(self, mstate: Mstate, content: bytes) -> None:
        """Copy a whole section in. Raises BadSectionSize unless it has the size that the page lists give."""
        stretches = self.sections(mstate)
        needed = sum(size for _, size in stretches)
        if len(content) != needed:
            raise BadSectionSize(mstate.value, len(content), needed)
        done = 0
        for address, size in stretches:
            self.write_piece(address, content[done : done + size])
            done += size

    def digest(self) -> bytes:
        """A hash over all nine sections in order, 32 bytes."""
        hashed = blake2b(digest_size=DIGEST_BYTES)
        for mstate in DATA_STATES:
            hashed.update(self.read(mstate))
        return hashed.digest()

    # -- emptiness ---------------------------------------------------------------------------------------

    def erase(self) -> None:
        """Give the memory back: sections and pages become 0; the system's counters and the freezing word stay."""
        layout, memory = self.layout, self.memory
        geometry = layout.geometry
        frozen = memory.word(layout.freezing)
        for mstate in DATA_STATES:
            if mstate not in (Mstate.KSTACKSPHYS, Mstate.FRAMES_PHYS):
                for address, size in spans(layout, mstate, (), ()):
                    memory.fill(address, size)
        first = layout.kernel_page(SYSTEM_KERNEL_PAGES)
        memory.fill(first, geometry.frames_end - first)
        self.prepare()
        memory.set_word(layout.freezing, frozen)

    def prepare(self) -> None:
        """Count the system's own kernel pages; all that a memory of zeros lacks to be vacant."""
        for page in range(SYSTEM_KERNEL_PAGES):
            self.memory.set_word(self.layout.counters + page * WORD_BYTES, 1)

    @property
    def vacant(self) -> bool:
        """Whether nothing of a process stands here: every fixed section is as `erase` leaves it."""
        layout, memory = self.layout, self.memory
        system = (1).to_bytes(WORD_BYTES, "little") * SYSTEM_KERNEL_PAGES
        return (
            memory.holds(layout.sections, bytes(layout.geometry.user_bytes))
            and memory.holds(layout.uarea, bytes(UAREA_FREEZING))
            and memory.holds(layout.freezing + WORD_BYTES, bytes(UAREA_BYTES - UAREA_FREEZING - WORD_BYTES))
            and memory.holds(layout.boards, bytes(layout.boards_bytes))
            and memory.holds(layout.directory, bytes(layout.geometry.page_bytes))
            and memory.holds(layout.table, bytes(layout.geometry.page_bytes))
            and memory.holds(layout.counters, system + bytes(layout.counters_bytes - len(system)))
            and memory.holds(layout.bitmap, bytes(layout.bitmap_bytes))
        )
