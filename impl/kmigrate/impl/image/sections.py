"""The nine sections of an image: their order, their numbers, and how long each must be.

Source: thesis 4.5.1.2 (task 4) and 5, equations 5.1 to 5.4; nanvix-facts 5, 7.6.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

from kmigrate.impl.chip.geometry import MPPA256, SYSTEM_KERNEL_PAGES
from kmigrate.impl.kernel.placement import UAREA_FIELDS, Placement
from kmigrate.impl.kernel.structures import (
    BOARD,
    CONDITION,
    MUTEX,
    RETVAL,
    SEMAPHORE,
    THREAD,
    WORD_BYTES,
    field_of,
    uarea,
)
from kmigrate.spec.vocabulary import Mstate

ORDER: tuple[Mstate, ...] = (
    Mstate.SECTIONS,
    Mstate.UAREA,
    Mstate.SYSBOARD,
    Mstate.PAGEDIR,
    Mstate.PAGETAB,
    Mstate.KSTACKSIDS,
    Mstate.KSTACKSPHYS,
    Mstate.FRAMES_BITMAP,
    Mstate.FRAMES_PHYS,
)
"""The sections as they follow one another; a section's number in the format is its place here."""

PAGED: tuple[Mstate, ...] = (Mstate.KSTACKSPHYS, Mstate.FRAMES_PHYS)
"""The sections that are whole pages, in the order of the manifest's lists."""

SECTION_VERSION = 1
"""The version in which every section is written."""

KERNEL_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Shape:
    """The measures of a kernel that the lengths of sections follow from, and the hash of its whole layout.

    kernel               hash over every address, offset and size, 32 bytes: kernels that differ in any have others
    geometry             the name of the chip's geometry
    system_kernel_pages  kernel pages 0, 1, ... that belong to the system and are in no image
    """

    kernel: bytes
    geometry: str
    cores: int
    page_bytes: int
    kernel_pages: int
    system_kernel_pages: int
    frames: int
    user_bytes: int
    uarea_bytes: int

    @classmethod
    def of(cls, placement: Placement) -> "Shape":
        """The shape of images made under the kernel that is placed so."""
        geometry = placement.geometry
        return cls(
            kernel=kernel_hash(placement),
            geometry=geometry.name,
            cores=geometry.cores,
            page_bytes=geometry.page_bytes,
            kernel_pages=geometry.kernel_pages,
            system_kernel_pages=SYSTEM_KERNEL_PAGES,
            frames=geometry.frames,
            user_bytes=geometry.user_bytes,
            uarea_bytes=placement.uarea_bytes,
        )

    def section_bytes(self, mstate: Mstate, kernel_pages: int, frames: int) -> int:
        """How long a section is when so many kernel pages and frames are in the image."""
        match mstate:
            case Mstate.SECTIONS:
                return self.user_bytes
            case Mstate.UAREA:
                return self.uarea_bytes
            case Mstate.SYSBOARD:
                return (self.cores - 1) * BOARD.itemsize
            case Mstate.PAGEDIR | Mstate.PAGETAB:
                return self.page_bytes
            case Mstate.KSTACKSIDS:
                return self.kernel_pages * WORD_BYTES
            case Mstate.KSTACKSPHYS:
                return kernel_pages * self.page_bytes
            case Mstate.FRAMES_BITMAP:
                return -(-self.frames // 32) * WORD_BYTES
            case Mstate.FRAMES_PHYS:
                return frames * self.page_bytes
            case Mstate.FINISH:
                return 0

    def payload_bytes(self, threads: int, pages: int) -> int:
        """Bytes of all sections of a process: two kernel pages a thread, and one as table for the first page."""
        kernel_pages = 2 * threads + min(pages, 1)
        return sum(self.section_bytes(mstate, kernel_pages, pages) for mstate in ORDER)


def payload_bytes(threads: int, pages: int) -> int:
    """Equation 5.4 at the real sizes: 23,008 + 4,096 (2T + P + min(P, 1)) bytes."""
    return Shape.of(Placement.of(MPPA256)).payload_bytes(threads, pages)


@cache
def kernel_hash(placement: Placement) -> bytes:
    """The hash of a kernel's layout: of its memory map, where its structures stand, and their fields.

    The pointers inside an image mean something only under a kernel with the same one (nanvix-facts 5).
    """
    geometry = placement.geometry
    facts: dict[str, int] = {
        name: getattr(geometry, name)
        for name in (
            "cores",
            "memory_bytes",
            "kernel_base",
            "kernel_bytes",
            "kernel_pages",
            "frames",
            "page_bytes",
            "user_bytes",
            "user_base",
        )
    }
    facts["system_kernel_pages"] = SYSTEM_KERNEL_PAGES
    facts["slots"] = placement.slots
    for name in ("boards", "system_threads", "stubs", "counters", "bitmap", "directory", "table", "sections"):
        facts[name] = getattr(placement, name)
    for name in UAREA_FIELDS:
        facts[f"uarea.{name}"] = placement.field(name)
    layouts = {
        "thread": THREAD,
        "board": BOARD,
        "condition": CONDITION,
        "semaphore": SEMAPHORE,
        "mutex": MUTEX,
        "retval": RETVAL,
        "uarea": uarea(placement.slots),
    }
    for structure, layout in layouts.items():
        facts[structure] = layout.itemsize
        for name in layout.names or ():
            field, offset = field_of(layout, name)
            facts[f"{structure}.{name}.offset"] = offset
            facts[f"{structure}.{name}.bytes"] = field.itemsize
    text = "".join(f"{name} {value}\n" for name, value in facts.items())
    return blake2b(text.encode("ascii"), digest_size=KERNEL_HASH_BYTES).digest()
