"""The user process of this first form: it counts its steps in four places of its container.

Process p has p + 1 user threads and p + 1 user pages, so every section differs between processes. Kernel pages
are taken first-fit from 4 on, two for each thread and then one for the page table, frames from 0. Every byte is a
function of p and the steps taken; beside each step word stands its complement, so that no single byte can
change unnoticed.

Source: ours; the fields are those of nanvix-facts 3.1 and 5.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import shake_128

from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES
from kmigrate.impl.errors import ProcessTooLarge
from kmigrate.impl.kernel import layout as at
from kmigrate.impl.kernel.container import IDENTITY, Container
from kmigrate.impl.kernel.layout import Layout
from kmigrate.spec.vocabulary import DATA_STATES, Mstate

MAX_STEPS = (1 << 32) - 1
"""A step word holds at most this; the step after it is 0."""

_FIRST_TID = 18
_READY = 1
_PRESENT = 1

STEP_WORDS: dict[Mstate, tuple[int, int]] = {
    Mstate.SECTIONS: (4, 8),
    Mstate.UAREA: (at.UAREA_THREADS + at.THREAD_AGE, at.UAREA_THREADS + at.THREAD_ARG),
    Mstate.KSTACKSPHYS: (0, 4),
    Mstate.FRAMES_PHYS: (0, 4),
}
"""Where a section keeps the steps, and where their complement: offsets in the section."""


@dataclass(frozen=True, slots=True)
class _Template:
    """A section of one process, its step words 0, and the stretches between them and the freezing word."""

    address: int
    content: bytes
    chunks: tuple[tuple[int, bytes], ...]


class Counter:
    """The counting process on clusters of one layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._templates: dict[int, dict[Mstate, _Template]] = {}

    # -- what it looks like ------------------------------------------------------------------------------

    def image(self, process: int, steps: int) -> dict[Mstate, bytes]:
        """The nine sections of a process after some steps (0..2**32-1), the freezing word 0.

        Raises  ProcessTooLarge if a cluster has no room for it.
        """
        sections: dict[Mstate, bytes] = {}
        for mstate, template in self._template(process).items():
            content = template.content
            if mstate in STEP_WORDS:
                changed = bytearray(content)
                step, check = STEP_WORDS[mstate]
                changed[step : step + 4] = steps.to_bytes(4, "little")
                changed[check : check + 4] = (MAX_STEPS - steps).to_bytes(4, "little")
                content = bytes(changed)
            sections[mstate] = content
        return sections

    def size(self, process: int, mstate: Mstate) -> int:
        """The bytes of a section of a process."""
        return len(self._template(process)[mstate].content)

    def load(self, container: Container, process: int) -> None:
        """Put a process that has taken no step into a cluster's memory. Raises ProcessTooLarge."""
        for mstate, content in self.image(process, 0).items():
            container.write(mstate, content)

    # -- what it does ------------------------------------------------------------------------------------

    def step(self, container: Container) -> None:
        """Take one user step: count in all four places of the memory that the process runs in."""
        for mstate, (step, check) in STEP_WORDS.items():
            base = self.address(mstate)
            steps = container.memory.word(base + step) + 1
            container.memory.set_word(base + step, steps)
            container.memory.set_word(base + check, ~steps)

    def steps_of(self, container: Container) -> int | None:
        """The steps that the process in this memory has taken; None if its four places disagree."""
        steps = container.memory.word(self.address(Mstate.SECTIONS) + STEP_WORDS[Mstate.SECTIONS][0])
        for mstate, (step, check) in STEP_WORDS.items():
            base = self.address(mstate)
            if (
                container.memory.word(base + step) != steps
                or container.memory.word(base + check) != MAX_STEPS - steps
            ):
                return None
        return steps

    # -- recognising it ----------------------------------------------------------------------------------

    def identify(self, container: Container, mstate: Mstate, processes: Iterable[int]) -> int | None:
        """Whose complete, untorn section stands in this memory; None if it is none of these processes'.

        Every byte is compared with the image for the step count that the section itself states; pages are
        looked up where each process has its own.
        """
        data = container.memory.data
        for process in processes:
            template = self._template(process)[mstate]
            if self._matches(data, template.address, mstate, template):
                return process
        return None

    def identify_bytes(self, content: bytes, mstate: Mstate, processes: Iterable[int]) -> int | None:
        """Whose complete, untorn section these bytes are, as `Container.read` gives them."""
        for process in processes:
            template = self._template(process)[mstate]
            if len(content) == len(template.content) and self._matches(content, 0, mstate, template):
                return process
        return None

    def _matches(self, data: bytes | bytearray, base: int, mstate: Mstate, template: _Template) -> bool:
        for offset, chunk in template.chunks:
            if not data.startswith(chunk, base + offset):
                return False
        words = STEP_WORDS.get(mstate)
        if words is None:
            return True
        step, check = base + words[0], base + words[1]
        return (
            int.from_bytes(data[step : step + 4], "little") + int.from_bytes(data[check : check + 4], "little")
            == MAX_STEPS
        )

    def address(self, mstate: Mstate) -> int:
        """Where a section of a process starts; the same for all processes."""
        match mstate:
            case Mstate.SECTIONS:
                return self.layout.sections
            case Mstate.UAREA:
                return self.layout.uarea
            case Mstate.KSTACKSPHYS:
                return self.layout.kernel_page(SYSTEM_KERNEL_PAGES)
            case Mstate.FRAMES_PHYS:
                return self.layout.frame(0)
            case Mstate.SYSBOARD:
                return self.layout.boards
            case Mstate.PAGEDIR:
                return self.layout.directory
            case Mstate.PAGETAB:
                return self.layout.table
            case Mstate.KSTACKSIDS:
                return self.layout.counters
            case Mstate.FRAMES_BITMAP:
                return self.layout.bitmap
            case Mstate.FINISH:
                return 0

    # -- how it is made ----------------------------------------------------------------------------------

    def _template(self, process: int) -> dict[Mstate, _Template]:
        known = self._templates.get(process)
        if known is None:
            known = {}
            for mstate, content in self._contents(process).items():
                words = [(word, word + 4) for word in STEP_WORDS.get(mstate, ())]
                if mstate is Mstate.UAREA:
                    words.append((at.UAREA_FREEZING, at.UAREA_FREEZING + 4))
                chunks = []
                start = 0
                for low, high in [*sorted(words), (len(content), len(content))]:
                    if start < low:
                        chunks.append((start, content[start:low]))
                    start = high
                known[mstate] = _Template(self.address(mstate), content, tuple(chunks))
            self._templates[process] = known
        return known

    def _contents(self, process: int) -> dict[Mstate, bytes]:
        layout = self.layout
        geometry = layout.geometry
        threads = process + 1
        pages = process + 1
        kernel_pages = SYSTEM_KERNEL_PAGES + 2 * threads + 1
        for resource, needed, available in (
            ("user threads", threads, at.THREAD_SLOTS),
            ("kernel pages", kernel_pages, geometry.kernel_pages),
            ("frames", pages, geometry.frames),
        ):
            if needed > available:
                raise ProcessTooLarge(process, resource, needed, available)
        user = bytearray(_noise(process, Mstate.SECTIONS, geometry.user_bytes))
        _put(user, 0, IDENTITY + process, 0, 0)
        frames = ((1 << pages) - 1).to_bytes(layout.bitmap_bytes, "little")
        counters = [1] * kernel_pages + [0] * (geometry.kernel_pages - kernel_pages)
        entries = geometry.page_bytes // 4
        directory = bytearray(geometry.page_bytes)
        _put(directory, 0, layout.table | _PRESENT)
        _put(directory, entries // 2 * 4, layout.kernel_page(kernel_pages - 1) | _PRESENT)
        table = bytearray(geometry.page_bytes)
        _put(table, 0, *(page * geometry.page_bytes | _PRESENT for page in range(entries // 2)))
        _put(table, entries // 2 * 4, *(layout.frame(page) | _PRESENT for page in range(pages)))
        stacks = bytearray(
            _noise(process, Mstate.KSTACKSPHYS, 2 * threads * geometry.page_bytes) + bytes(geometry.page_bytes)
        )
        _put(stacks, 0, 0, 0)
        _put(stacks, 2 * threads * geometry.page_bytes, *(layout.frame(page) | _PRESENT for page in range(pages)))
        data = bytearray(_noise(process, Mstate.FRAMES_PHYS, pages * geometry.page_bytes))
        _put(data, 0, 0, 0)
        contents = {
            Mstate.SECTIONS: bytes(user),
            Mstate.UAREA: self._uarea(process),
            Mstate.SYSBOARD: self._boards(process),
            Mstate.PAGEDIR: bytes(directory),
            Mstate.PAGETAB: bytes(table),
            Mstate.KSTACKSIDS: b"".join(counter.to_bytes(4, "little") for counter in counters),
            Mstate.KSTACKSPHYS: bytes(stacks),
            Mstate.FRAMES_BITMAP: frames,
            Mstate.FRAMES_PHYS: bytes(data),
        }
        return {mstate: contents[mstate] for mstate in DATA_STATES}

    def _uarea(self, process: int) -> bytes:
        """All threads READY in the queue, each with its two stacks; nothing joined, nothing returned."""
        layout = self.layout
        threads = process + 1
        slots = [layout.uarea + at.UAREA_THREADS + slot * at.THREAD_BYTES for slot in range(threads)]
        area = bytearray(at.UAREA_BYTES)
        _put(area, at.UAREA_NTHREADS, 2 + threads)
        _put(area, at.UAREA_NEXT_TID, _FIRST_TID + threads)
        for slot in range(threads):
            thread = at.UAREA_THREADS + slot * at.THREAD_BYTES
            core = slot % (layout.geometry.cores - 1) + 1
            kstack = layout.kernel_page(SYSTEM_KERNEL_PAGES + 2 * slot)
            ustack = layout.kernel_page(SYSTEM_KERNEL_PAGES + 2 * slot + 1)
            _put(area, thread + at.THREAD_NEXT, slots[slot + 1] if slot + 1 < threads else 0)
            _put(area, thread + at.THREAD_TID, _FIRST_TID + slot)
            _put(area, thread + at.THREAD_COREID, core)
            _put(area, thread + at.THREAD_STATE, _READY)
            _put(area, thread + at.THREAD_AFFINITY, 1 << core)
            _put(area, thread + at.THREAD_START, layout.sections + process)
            _put(area, thread + at.THREAD_CONTEXT, kstack + layout.geometry.page_bytes - 64)
            _put(area, at.UAREA_USTACKS + 4 * slot, ustack)
            _put(area, at.UAREA_KSTACKS + 4 * slot, kstack)
        _put(area, at.UAREA_SCHEDULING, slots[0], slots[-1], threads)
        _put(area, at.UAREA_SYSBOARD, layout.boards)
        _put(area, at.UAREA_THREADS + at.THREAD_AGE, 0)
        _put(area, at.UAREA_THREADS + at.THREAD_ARG, 0)
        return bytes(area)

    def _boards(self, process: int) -> bytes:
        """No call is pending; each board remembers the arguments of its last one."""
        boards = bytearray(self.layout.boards_bytes)
        for core in range(1, self.layout.geometry.cores):
            _put(boards, (core - 1) * at.BOARD_BYTES, process, core, process + core, 0, 0, 1, process)
            _put(boards, (core - 1) * at.BOARD_BYTES + 28, process + 1)
        return bytes(boards)


@lru_cache(maxsize=64)
def counter(layout: Layout) -> Counter:
    """The counting process on clusters of this layout; made once, for it never changes."""
    return Counter(layout)


def _put(area: bytearray, offset: int, *words: int) -> None:
    for word in words:
        area[offset : offset + 4] = word.to_bytes(4, "little")
        offset += 4


def _noise(process: int, mstate: Mstate, size: int) -> bytes:
    return shake_128(f"counter {process} {mstate.value}".encode()).digest(size)
