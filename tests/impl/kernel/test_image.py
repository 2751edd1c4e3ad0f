"""A process is its bytes: copied at rest into another cluster's memory, it goes on there.

Nothing of the kernel's own state is copied. The user code is machine code, so that nothing of it can hide either.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from kmigrate.impl.chip.geometry import MPPA256, SYSTEM_KERNEL_PAGES, TINY, Geometry
from kmigrate.impl.kernel.machinecode import A0, A7
from kmigrate.impl.kernel.structures import BOARD
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import ThreadState
from support.machinecode import A1, RETURN, S0, S1, T0, T1, WORKER, Bench, call, loop

WORKERS, ROUNDS = 3, 4


def load(bench: Bench) -> None:
    """Workers each allocate a page and count in it, with a remote call in each round; main adds the counts up."""
    leader = bench.placement.system_thread_count
    page, base = bench.placement.geometry.page_bytes, bench.placement.geometry.user_base
    shift = page.bit_length() - 1
    bench.place(
        0,
        loop(S0, WORKERS, call(Call.THREAD_CREATE, 0, bench.base + WORKER, ("register", S0))),
        asm.li(S1, 0),
        loop(
            S0,
            WORKERS,
            asm.immediate("addi", A0, S0, leader),
            asm.li(A1, bench.data),
            asm.li(A7, Call.THREAD_JOIN),
            asm.ECALL,
            asm.li(T0, bench.data),
            asm.load("lw", T1, T0, 0),
            asm.register("add", S1, S1, T1),
        ),
        call(Call.THREAD_EXIT, ("register", S1)),
    )
    bench.place(
        WORKER,
        asm.shift("slli", S1, A0, shift),
        asm.li(T0, base - page),
        asm.register("add", S1, S1, T0),
        asm.immediate("addi", A0, S1, 0),
        asm.li(A7, Call.PAGE_ALLOC),
        asm.ECALL,
        loop(
            S0,
            ROUNDS,
            call(Call.NODE_GET_NUM),
            asm.load("lw", T1, S1, 4),
            asm.immediate("addi", T1, T1, 1),
            asm.store("sw", T1, S1, 4),
        ),
        asm.load("lw", A0, S1, 4),
        RETURN,
    )


def regions(bench: Bench) -> list[tuple[int, int]]:
    """What belongs to the process: the nine sections of a migration."""
    placement, geometry = bench.placement, bench.placement.geometry
    page = geometry.page_bytes
    return [
        (placement.sections, geometry.user_bytes),
        (placement.field("nthreads"), placement.uarea_bytes),
        (placement.boards + BOARD.itemsize, (geometry.cores - 1) * BOARD.itemsize),
        (placement.directory, page),
        (placement.table, page),
        (placement.counters, geometry.kernel_pages * 4),
        (placement.bitmap, -(-geometry.frames // 32) * 4),
        (placement.kernel_page(SYSTEM_KERNEL_PAGES), (geometry.kernel_pages - SYSTEM_KERNEL_PAGES) * page),
        (placement.frame(0), geometry.frames * page),
    ]


def move(geometry: Geometry, steps: int) -> tuple[bool, int]:
    """Run for some steps, bring to rest, copy, run to the end elsewhere; whether it had begun, and its value."""
    source, destination = Bench(geometry, quantum=2), Bench(geometry, quantum=2)
    load(source)
    destination.kernel.boot()
    tid = source.kernel.start(source.base).tid
    for _ in range(steps):
        source.step()
    began = source.kernel.uarea.next_tid > tid + 1
    for bench in (source, destination):
        bench.kernel.freezing.hold()
        bench.settle()
        assert bench.kernel.freezing.at_rest
        assert bench.kernel.freezing.outside_the_image == ()
    for address, size in regions(source):
        destination.memory.write(address, source.memory.read(address, size))
    destination.kernel.freezing.release()
    if destination.kernel.threads.find(tid) is not None:
        destination.run_until_ended(tid)
    destination.settle()
    threads = list(destination.kernel.uarea.threads())
    assert {thread.state for thread in threads} == {ThreadState.NOT_STARTED}
    return began, destination.kernel.uarea.retval(tid)


@given(st.integers(0, 400))
@settings(deadline=None, max_examples=25)
def test_a_process_goes_on_where_its_bytes_are(steps: int) -> None:
    assert move(TINY, steps)[1] == WORKERS * ROUNDS


def test_a_process_of_the_real_size_goes_on_where_its_bytes_are() -> None:
    assert move(MPPA256, 60) == (True, WORKERS * ROUNDS)
