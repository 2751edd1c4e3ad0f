"""The kernel's structures have the real sizes and offsets, in both placements."""

import dataclasses
from itertools import pairwise

import pytest

from kmigrate.impl.chip.geometry import MPPA256, TINY, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.errors import BadGeometry
from kmigrate.impl.kernel.boards import Boards
from kmigrate.impl.kernel.errors import BadStructure, KernelPanic, NoSuchField
from kmigrate.impl.kernel.placement import UAREA_FIELDS, Placement, thread_slots
from kmigrate.impl.kernel.queue import ThreadQueue, WaitList
from kmigrate.impl.kernel.structures import (
    BOARD,
    CONDITION,
    MUTEX,
    RETVAL,
    SEMAPHORE,
    THREAD,
    offset_of,
    signed,
    size_of,
    uarea,
)
from kmigrate.impl.kernel.thread import CALL_FRAME, CONTEXT_BYTES, Thread, context_of, frame_of
from kmigrate.impl.kernel.uarea import UArea

UAREA_OFFSETS = {
    "nthreads": 0,
    "next_tid": 4,
    "retval_slot": 8,
    "threads": 64,
    "joinconds": 1216,
    "retvals": 1648,
    "freezing": 1904,
    "scheduling": 1908,
    "ustacks": 1920,
    "kstacks": 1992,
    "sysboard": 2064,
}

GEOMETRIES = pytest.mark.parametrize("geometry", [MPPA256, TINY], ids=lambda geometry: geometry.name)
PLACEMENTS = pytest.mark.parametrize("together", [True, False], ids=["uarea", "scattered"])


def test_the_uarea_of_18_threads_has_2112_bytes_and_the_real_offsets() -> None:
    layout = uarea(18)
    assert layout.itemsize == 2112
    assert {name: offset_of(layout, name) for name in UAREA_FIELDS} == UAREA_OFFSETS


def test_the_other_structures_have_the_real_sizes() -> None:
    sizes = [layout.itemsize for layout in (THREAD, CONDITION, RETVAL, BOARD)]
    assert sizes == [64, 24, 8, 128]
    assert 7 * 4 + 4 + SEMAPHORE.itemsize + MUTEX.itemsize + 4 <= BOARD.itemsize
    assert offset_of(BOARD, "call") == 20
    assert offset_of(BOARD, "result") == 24


def test_mppa256_has_room_for_18_user_threads() -> None:
    assert thread_slots(MPPA256) == 18
    placement = Placement.of(MPPA256)
    assert placement.uarea_bytes == 2112
    assert placement.system_thread_count == 18
    assert MPPA256.cores * BOARD.itemsize - BOARD.itemsize == 1920


def test_with_the_uarea_all_stands_where_the_migrated_sections_are() -> None:
    """The addresses by the sizes of nanvix-facts 5, down from the kernel pool, each where its alignment allows."""
    placement = Placement.of(MPPA256)
    assert placement.sections == 1_003_520
    assert placement.table == 999_424
    assert placement.directory == 995_328
    assert placement.bitmap == 995_264
    assert placement.counters == 995_072
    assert placement.field("nthreads") == 992_960
    assert placement.boards + BOARD.itemsize == 991_040
    assert THREAD.itemsize == 64


def spans(placement: Placement) -> list[tuple[int, int]]:
    geometry, layout = placement.geometry, uarea(placement.slots)
    return sorted(
        [(placement.field(name), size_of(layout, name)) for name in UAREA_FIELDS]
        + [
            (placement.stubs, 24),
            (placement.boards, geometry.cores * BOARD.itemsize),
            (placement.system_threads, placement.system_thread_count * THREAD.itemsize),
            (placement.counters, geometry.kernel_pages * 4),
            (placement.bitmap, -(-geometry.frames // 32) * 4),
            (placement.directory, geometry.page_bytes),
            (placement.table, geometry.page_bytes),
            (placement.sections, geometry.user_bytes),
        ]
    )


@GEOMETRIES
@PLACEMENTS
def test_the_user_sections_begin_a_page(geometry: Geometry, together: bool) -> None:
    """The kernel's bss ends with a page, and the user sections follow it."""
    placement = Placement.of(geometry, together=together)
    assert placement.sections % geometry.page_bytes == 0
    assert geometry.kernel_pool - placement.sections - geometry.user_bytes < geometry.page_bytes


@GEOMETRIES
@PLACEMENTS
def test_nothing_overlaps_and_all_stands_in_the_kernel_image(geometry: Geometry, together: bool) -> None:
    found = spans(Placement.of(geometry, together=together))
    assert found[0][0] >= geometry.kernel_base
    for (address, size), (following, _) in pairwise(found):
        assert address + size <= following
    assert sum(found[-1]) <= geometry.kernel_pool


@GEOMETRIES
def test_without_the_uarea_no_two_of_its_fields_share_a_line(geometry: Geometry) -> None:
    placement = Placement.of(geometry, together=False)
    layout = uarea(placement.slots)
    lines = [
        {byte // 64 for byte in range(placement.field(name), placement.field(name) + size_of(layout, name))}
        for name in UAREA_FIELDS
    ]
    assert sum(len(line) for line in lines) == len(set().union(*lines))


def test_a_kernel_image_without_room_is_refused() -> None:
    with pytest.raises(BadGeometry, match="kernel_bytes is 2048, but the kernel's structures need"):
        Placement.of(dataclasses.replace(TINY, kernel_bytes=0x800))


@GEOMETRIES
def test_a_kernel_stack_has_room_for_registers_and_call(geometry: Geometry) -> None:
    page = geometry.page_bytes
    assert context_of(0, page) + CONTEXT_BYTES == page
    assert frame_of(0, page) + CALL_FRAME.itemsize <= context_of(0, page)
    assert frame_of(0, page) >= 0


def test_words_are_signed_when_asked() -> None:
    assert [signed(word) for word in (0, 5, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)] == [0, 5, 2**31 - 1, -(2**31), -1]


def test_a_field_that_does_not_exist_is_named() -> None:
    with pytest.raises(NoSuchField, match="no field owner; there are flags, next, tid"):
        offset_of(THREAD, "owner")


def test_a_slot_or_core_out_of_range_is_refused() -> None:
    placement = Placement.of(TINY)
    memory = Sram(TINY.memory_bytes)
    with pytest.raises(BadStructure, match=r"UArea: no part 5; it has 0\.\.4"):
        UArea(memory, placement).thread(5)
    with pytest.raises(BadStructure, match="system call boards: no part 3"):
        Boards(memory, placement)[3]


def test_the_exit_values_of_the_last_32_threads_are_remembered() -> None:
    area = UArea(Sram(TINY.memory_bytes), Placement.of(TINY))
    for tid in range(100, 133):
        area.keep_retval(tid, tid * 2)
    assert area.retval(100) == 0, "the oldest is forgotten"
    assert [area.retval(tid) for tid in (101, 132)] == [202, 264]


# -- queues -----------------------------------------------------------------------------------------------


def queue_of(*tids: int) -> tuple[ThreadQueue, dict[int, Thread]]:
    memory = Sram(TINY.memory_bytes)
    queue = ThreadQueue(memory, 0x100)
    threads = {tid: Thread(memory, 0x200 + 64 * tid) for tid in range(8)}
    for tid, thread in threads.items():
        thread.tid = tid
    for tid in tids:
        queue.append(threads[tid])
    return queue, threads


def test_a_queue_in_memory_keeps_the_order() -> None:
    queue, threads = queue_of(3, 1, 2)
    queue.remove(threads[1])
    queue.append(threads[5])
    assert [thread.tid for thread in queue] == [3, 2, 5]
    queue.remove(threads[5])
    queue.append(threads[4])
    popped = [queue.pop() for _ in range(4)]
    assert [thread.tid if thread else None for thread in popped] == [3, 2, 4, None]
    assert (queue.head, queue.tail, queue.size) == (0, 0, 0)


def test_a_thread_that_is_not_in_the_queue_cannot_be_removed() -> None:
    queue, threads = queue_of(1)
    with pytest.raises(KernelPanic, match="thread 2 is not in the queue"):
        queue.remove(threads[2])
    with pytest.raises(KernelPanic, match="thread 2 does not wait here"):
        WaitList(Sram(64)).remove(threads[2])


def test_a_thread_in_two_queues_breaks_the_first_one() -> None:
    """H18: there is one link in a thread."""
    queue, threads = queue_of(1, 2, 3)
    other = ThreadQueue(queue.memory, 0x140)
    other.append(threads[2])
    with pytest.raises(KernelPanic, match="ends after 2 of 3 threads"):
        list(queue)
