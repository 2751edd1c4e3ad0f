"""The place of one process on a cluster: what it holds there, reserving it, filling it, emptying it.

Nothing of these steps is seen by user code: the cluster is held, and no thread of the system stands in the READY
queue, which belongs to the image.

Source: hardened coordination (ours); nanvix-facts 5, 7.6, 9 (H1, H2, H14, H21 to H25, H29, H31).
"""

from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES
from kmigrate.impl.daemon.chip import Chip
from kmigrate.impl.image import Apart, Image, Shape, capture, install
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.structures import BOARD
from kmigrate.impl.kernel.thread import Thread
from kmigrate.impl.kernel.uarea import SYSTEM_NTHREADS
from kmigrate.spec.vocabulary import Mode


class Residence:
    """The one place for a process on a cluster.

    shape  of the images that fit it
    """

    def __init__(self, kernel: Kernel, chip: Chip | None) -> None:
        self.shape = Shape.of(kernel.placement)
        self._kernel = kernel
        self._chip = chip

    # -- looking -----------------------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        """Whether no user thread stands here."""
        return self._kernel.uarea.nthreads == SYSTEM_NTHREADS

    @property
    def kernel_pages(self) -> tuple[int, ...]:
        """Kernel pages in use, without the system's."""
        pages, count = self._kernel.kernel_pages, self._kernel.placement.geometry.kernel_pages
        return tuple(page for page in range(SYSTEM_KERNEL_PAGES, count) if pages.references(page))

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames in use."""
        frames = self._kernel.frames
        return tuple(frame for frame in range(self._kernel.placement.geometry.frames) if frames.taken(frame))

    @property
    def quiet(self) -> bool:
        """Whether all is at rest and the READY queue holds no thread of the system."""
        return self._kernel.freezing.at_rest and not self._system_threads()

    def _system_threads(self) -> list[Thread]:
        uarea = self._kernel.uarea
        return [thread for thread in uarea.ready if uarea.slot_of(thread) is None]

    # -- taking out --------------------------------------------------------------------------------------

    def page(self, frame: int) -> bytes:
        """The content of a frame."""
        placement = self._kernel.placement
        return self._kernel.memory.read(placement.frame(frame), placement.geometry.page_bytes)

    def image(
        self,
        container: int,
        epoch: int,
        incarnation: int,
        source: int | None,
        destination: int | None,
        *,
        mode: Mode = Mode.STOP_AND_COPY,
        apart: Apart | None = None,
        name: str = "",
        records: tuple[tuple[int, bytes], ...] = (),
    ) -> Image:
        """The process that stands here, as it is now.

        apart   frames that are not to be in it
        name    the process's logical name
        records of further features that may be ignored, ascending
        Raises  KernelPanic unless all is quiet, nothing is protected and no page is still to come
        """
        self._demand_quiet()
        tracking = self._kernel.tracking
        if tracking.protected or tracking.awaited:
            raise KernelPanic("a process is to be copied whose page tables bear the marks of a move")
        frames = () if apart is None else apart.frames
        return Image.of(
            capture(self._kernel.memory, self._kernel.placement, frames),
            self.shape,
            mode=mode,
            frames_apart=frames,
            name=name,
            extensions=(*(() if apart is None else (apart.extension(),)), *records),
            container=container,
            epoch=epoch,
            incarnation=incarnation,
            source=source,
            destination=destination,
        )

    # -- putting in --------------------------------------------------------------------------------------

    def free(self, kernel_pages: tuple[int, ...], frames: tuple[int, ...]) -> bool:
        """Whether nobody uses any of these."""
        kernel = self._kernel
        return not any(kernel.kernel_pages.references(page) for page in kernel_pages) and not any(
            kernel.frames.taken(frame) for frame in frames
        )

    def reserve(self, kernel_pages: tuple[int, ...], frames: tuple[int, ...]) -> None:
        """Take these for a process that is to come. Raises Refused if one is in use."""
        for page in kernel_pages:
            self._kernel.kernel_pages.take(page)
        for frame in frames:
            self._kernel.frames.take(frame)

    def put_page(self, frame: int, content: bytes) -> None:
        """Fill a frame that is reserved; no core keeps what it knew of it."""
        self._kernel.memory.write(self._kernel.placement.frame(frame), content)
        self._forget_lines()

    def fill(self, image: Image, apart: Apart | None = None) -> None:
        """Put a process in for whom all its pages are reserved; what others use stays theirs.

        apart   frames that are not in the image: those that went ahead are here already, the others are awaited
        Raises  OtherKernel, Incomplete; KernelPanic unless all is quiet.
        """
        self._demand_quiet()
        manifest = image.manifest
        pages = [page for page in self.kernel_pages if page not in manifest.kernel_pages_held]
        frames = [frame for frame in self.frames if frame not in manifest.frames_held]
        install(self._kernel.memory, self._kernel.placement, image, () if apart is None else apart.frames)
        self.reserve(tuple(pages), tuple(frames))
        self._shoot_down()
        for frame in () if apart is None else apart.following:
            self.put_page(frame, bytes(self.shape.page_bytes))
        self._kernel.tracking.expect(() if apart is None else apart.following)

    # -- emptying ----------------------------------------------------------------------------------------

    def give_back(self, frame: int) -> None:
        """Scrub one frame and give it back."""
        kernel = self._kernel
        kernel.memory.fill(kernel.placement.frame(frame), self.shape.page_bytes)
        if kernel.frames.taken(frame):
            kernel.frames.free(kernel.frames.number_of(frame))

    def clear(self, kernel_pages: tuple[int, ...], frames: tuple[int, ...]) -> None:
        """Scrub the process that stands here, or that was to come, and all of these pages of it.

        The cluster is as if it had just come up; what others use stays theirs. Raises KernelPanic unless at rest.
        """
        kernel, placement, memory = self._kernel, self._kernel.placement, self._kernel.memory
        if not kernel.freezing.at_rest:
            raise KernelPanic("a process is to be cleared that is not at rest")
        geometry = placement.geometry
        system = self._system_threads()
        kernel.tracking.forget()
        memory.fill(placement.sections, geometry.user_bytes)
        memory.fill(placement.field("nthreads"), placement.uarea_bytes)
        kernel.uarea.start()
        for thread in system:
            kernel.uarea.ready.append(thread)
        memory.fill(placement.boards + BOARD.itemsize, (geometry.cores - 1) * BOARD.itemsize)
        for page in kernel_pages:
            address = placement.kernel_page(page)
            memory.fill(address, geometry.page_bytes)
            while kernel.kernel_pages.references(page):
                kernel.kernel_pages.put(address)
        for frame in frames:
            self.give_back(frame)
        self._scrub_unused()
        kernel.paging.start()
        self._shoot_down()

    def _scrub_unused(self) -> None:
        """A page that the process gave back while it stood here still says what was in it."""
        kernel, size = self._kernel, self.shape.page_bytes
        for page in range(SYSTEM_KERNEL_PAGES, self.shape.kernel_pages):
            if not kernel.kernel_pages.references(page):
                kernel.memory.fill(kernel.placement.kernel_page(page), size)
        for frame in range(self.shape.frames):
            if not kernel.frames.taken(frame):
                kernel.memory.fill(kernel.placement.frame(frame), size)

    def _shoot_down(self) -> None:
        """Let every core forget what it knows of the memory before: translations, data, instructions."""
        geometry = self._kernel.placement.geometry
        for frame in range(geometry.frames):
            self._kernel.code.shoot_down(geometry.user_base + frame * geometry.page_bytes)
        self._forget_lines()

    def _forget_lines(self) -> None:
        if self._chip is not None:
            for core in range(self._kernel.placement.geometry.cores):
                self._chip.cache_invalidate(core)
                self._chip.cache_invalidate_instructions(core)

    def _demand_quiet(self) -> None:
        if not self.quiet:
            raise KernelPanic("a process is to be copied that is not at rest")
