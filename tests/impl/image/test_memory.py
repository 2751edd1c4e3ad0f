"""An image is taken out of a cluster's memory and put into another one's; the process goes on there."""

from pathlib import Path

import pytest

from impl.chip import assembly as asm
from impl.image.samples import sections_of
from kmigrate.impl.chip.geometry import MPPA256, SYSTEM_KERNEL_PAGES, TINY, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.errors import BadConfiguration
from kmigrate.impl.image import Image, Shape, capture, install, resume, save
from kmigrate.impl.image.errors import Incomplete, OtherKernel
from kmigrate.impl.image.memory import spans
from kmigrate.impl.image.sections import ORDER
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.syscall import Call
from kmigrate.spec.vocabulary import Mode, Mstate
from support.machinecode import A1, RETURN, S0, S1, T0, WORKER, Bench, call, loop

GEOMETRIES = pytest.mark.parametrize("geometry", [MPPA256, TINY], ids=lambda geometry: geometry.name)
ROUNDS = 5


def load(bench: Bench) -> None:
    """Main makes a thread and joins it; the thread allocates a page and counts in it, with a call in each round."""
    base, leader = bench.placement.geometry.user_base, bench.placement.system_thread_count
    bench.place(
        0,
        call(Call.THREAD_CREATE, 0, bench.base + WORKER, 0),
        call(Call.THREAD_JOIN, leader + 1, bench.data),
        asm.li(T0, bench.data),
        asm.load("lw", A1, T0, 0),
        call(Call.THREAD_EXIT, ("register", A1)),
    )
    bench.place(
        WORKER,
        call(Call.PAGE_ALLOC, base),
        asm.li(S1, base),
        loop(
            S0,
            ROUNDS,
            call(Call.NODE_GET_NUM),
            asm.load("lw", T0, S1, 0),
            asm.immediate("addi", T0, T0, 1),
            asm.store("sw", T0, S1, 0),
        ),
        asm.load("lw", 10, S1, 0),
        RETURN,
    )


@pytest.mark.parametrize("steps", [0, 3, 8, 20, 60, 80])
@GEOMETRIES
def test_a_process_goes_on_from_a_checkpoint(geometry: Geometry, steps: int, tmp_path: Path) -> None:
    source, destination = Bench(geometry), Bench(geometry)
    load(source)
    destination.kernel.boot()
    tid = source.kernel.start(source.base).tid
    for _ in range(steps):
        source.step()
    for bench in (source, destination):
        bench.kernel.freezing.hold()
        bench.settle()
        assert bench.kernel.freezing.at_rest
    shape = Shape.of(source.placement)
    image = Image.of(capture(source.memory, source.placement), shape, container=1)
    save(image, tmp_path / "a.image")
    install(destination.memory, destination.placement, resume(tmp_path / "a.image", shape=shape))
    assert capture(destination.memory, destination.placement) == dict(zip(ORDER, image.sections, strict=True))
    destination.kernel.freezing.release()
    if destination.kernel.threads.find(tid) is not None:
        destination.run_until_ended(tid)
    assert destination.kernel.uarea.retval(tid) == ROUNDS


def cluster(geometry: Geometry) -> tuple[Sram, Placement]:
    memory, placement = Sram(geometry.memory_bytes), Placement.of(geometry)
    for page in range(SYSTEM_KERNEL_PAGES):
        memory.set_word(placement.counters + 4 * page, 1)
    return memory, placement


def image_for(placement: Placement, **values: Mode | tuple[int, ...]) -> Image:
    shape = Shape.of(placement)
    apart = values.get("frames_apart", ())
    assert isinstance(apart, tuple)
    return Image.of(sections_of(shape, (4, 5, 9), (1, 3), apart), shape, container=1, **values)  # type: ignore[arg-type]


@GEOMETRIES
def test_what_is_the_clusters_own_stays(geometry: Geometry) -> None:
    memory, placement = cluster(geometry)
    memory.set_word(placement.field("freezing"), 77)
    memory.set_word(placement.counters, 33)
    before = memory.read(0, len(memory))
    image = image_for(placement)
    install(memory, placement, image)
    assert memory.word(placement.field("freezing")) == 77
    assert memory.word(placement.counters) == 33
    assert capture(memory, placement)[Mstate.UAREA][
        placement.field("freezing") - placement.field("nthreads") :
    ].startswith(bytes(4))
    places = [
        span
        for mstate in ORDER
        for span in spans(placement, mstate, image.manifest.kernel_pages_held, image.manifest.frames_held)
    ]
    written = bytearray(memory.read(0, len(memory)))
    for address, size in places:
        written[address : address + size] = before[address : address + size]
    assert bytes(written) == before, "nothing else was written"


def test_an_image_that_does_not_belong_here_changes_nothing() -> None:
    memory, placement = cluster(TINY)
    before = memory.read(0, len(memory))
    with pytest.raises(OtherKernel):
        install(memory, placement, image_for(Placement.of(MPPA256)))
    with pytest.raises(Incomplete, match="expected all frames in the image, found 1 apart"):
        install(memory, placement, image_for(placement, mode=Mode.POST_COPY, frames_apart=(3,)))
    assert memory.read(0, len(memory)) == before


def test_a_kernel_without_the_uarea_has_no_image() -> None:
    scattered = Placement.of(TINY, together=False)
    with pytest.raises(BadConfiguration, match="placement is scattered"):
        capture(Sram(TINY.memory_bytes), scattered)
    assert Shape.of(scattered).kernel != Shape.of(Placement.of(TINY)).kernel
