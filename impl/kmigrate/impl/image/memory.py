"""An image and the memory of a cluster: where each section stands, taking it out, putting it in.

The word `freezing` and the counters of the system's kernel pages stand among the process's bytes, but are the
cluster's: they are read as 0 and as they are, and never put in (nanvix-facts 9 H14, H21).

Source: thesis 4.2, 4.3.2, 4.4; nanvix-facts 5, 7.6.
"""

from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.errors import BadConfiguration
from kmigrate.impl.image.decoder import listed
from kmigrate.impl.image.errors import Incomplete
from kmigrate.impl.image.header import HEADER_BYTES
from kmigrate.impl.image.image import Image
from kmigrate.impl.image.sections import ORDER, Shape
from kmigrate.impl.kernel.placement import UAREA_FIELDS, Placement
from kmigrate.impl.kernel.structures import BOARD, WORD_BYTES, offset_of, uarea
from kmigrate.spec.vocabulary import Mstate

Span = tuple[int, int]
"""Address and size in bytes."""


def spans(
    placement: Placement, mstate: Mstate, kernel_pages: tuple[int, ...], frames: tuple[int, ...]
) -> tuple[Span, ...]:
    """The stretches of memory that a section with these pages consists of, in order.

    Raises  BadConfiguration for a kernel that was built without the UArea
    """
    if not placement.together:
        raise BadConfiguration("placement", "scattered", "an image is made under a kernel with the UArea")
    size = placement.geometry.page_bytes
    starts = {
        Mstate.SECTIONS: placement.sections,
        Mstate.UAREA: placement.field(UAREA_FIELDS[0]),
        Mstate.SYSBOARD: placement.boards + BOARD.itemsize,
        Mstate.PAGEDIR: placement.directory,
        Mstate.PAGETAB: placement.table,
        Mstate.KSTACKSIDS: placement.counters,
        Mstate.FRAMES_BITMAP: placement.bitmap,
    }
    if mstate is Mstate.KSTACKSPHYS:
        return tuple((placement.kernel_page(page), size) for page in kernel_pages)
    if mstate is Mstate.FRAMES_PHYS:
        return tuple((placement.frame(frame), size) for frame in frames)
    return ((starts[mstate], Shape.of(placement).section_bytes(mstate, 0, 0)),)


def capture(memory: Sram, placement: Placement, apart: tuple[int, ...] = ()) -> dict[Mstate, bytes]:
    """The bytes of every section of the process in a cluster at rest; the page lists are read from them.

    apart  frames that are left out
    """
    shape = Shape.of(placement)
    taken: dict[Mstate, bytes] = {}
    for mstate in ORDER:
        kernel_pages: tuple[int, ...] = ()
        frames: tuple[int, ...] = ()
        if mstate is Mstate.KSTACKSPHYS:
            kernel_pages = listed(Mstate.KSTACKSIDS, taken[Mstate.KSTACKSIDS], shape)
        elif mstate is Mstate.FRAMES_PHYS:
            held = listed(Mstate.FRAMES_BITMAP, taken[Mstate.FRAMES_BITMAP], shape)
            frames = tuple(frame for frame in held if frame not in apart)
        stretches = spans(placement, mstate, kernel_pages, frames)
        taken[mstate] = b"".join(memory.read(address, size) for address, size in stretches)
    at = offset_of(uarea(placement.slots), "freezing")
    area = taken[Mstate.UAREA]
    taken[Mstate.UAREA] = area[:at] + bytes(WORD_BYTES) + area[at + WORD_BYTES :]
    return taken


def install(memory: Sram, placement: Placement, image: Image, apart: tuple[int, ...] = ()) -> None:
    """Put a process into the memory of an empty cluster that is held.

    apart   frames that need not be in the image: they stand in memory already, or follow
    Raises  OtherKernel, Incomplete, before a byte is written
    """
    manifest = image.manifest
    manifest.require(Shape.of(placement))
    missing = [frame for frame in manifest.frames_apart if frame not in apart]
    if missing:
        raise Incomplete("manifest", HEADER_BYTES, "all frames in the image", f"{len(missing)} apart")
    freezing = memory.word(placement.field("freezing"))
    system = memory.read(placement.counters, SYSTEM_KERNEL_PAGES * WORD_BYTES)
    for mstate, content in zip(ORDER, image.sections, strict=True):
        done = 0
        for address, size in spans(placement, mstate, manifest.kernel_pages_held, manifest.frames_inside):
            memory.write(address, content[done : done + size])
            done += size
    memory.write(placement.counters, system)
    memory.set_word(placement.field("freezing"), freezing)
