"""Frames, kernel pages and user pages behave as Nanvix's own tests expect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmigrate.impl.chip.geometry import MPPA256, TINY, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.frames import FRAME_NULL, Frames
from kmigrate.impl.kernel.kpages import KernelPages
from kmigrate.impl.kernel.paging import Paging
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.syscall import Call
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call, each


class Bench:
    """The memory parts of a kernel, without threads."""

    def __init__(self, geometry: Geometry = MPPA256) -> None:
        self.geometry = geometry
        self.memory = Sram(geometry.memory_bytes)
        self.placement = Placement.of(geometry)
        self.frames = Frames(self.memory, self.placement)
        self.kernel_pages = KernelPages(self.memory, self.placement)
        self.kernel_pages.start()
        self.shot: list[int] = []
        self.paging = Paging(self.memory, self.placement, self.frames, self.kernel_pages, self.shot.append)
        self.paging.start()
        self.directory = self.placement.directory
        self.base = geometry.user_base
        self.page = geometry.page_bytes

    def refusal(self, action: str, *arguments: int) -> str:
        part = {"frame": self.frames, "kpage": self.kernel_pages, "upage": self.paging}[action.split("_")[0]]
        with pytest.raises(Refused) as refused:
            getattr(part, action.split("_")[1])(*arguments)
        return refused.value.errno.name


# -- frames -----------------------------------------------------------------------------------------------


@behaviour("page frames", "allocation")
def test_a_frame_lies_in_user_memory_and_can_be_freed() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        frame = yield from call(Call.FRAME_ALLOC)
        cluster.note(frame)
        cluster.note((yield from call(Call.FRAME_FREE, frame)))
        return 0

    frame, freed = cluster.run(main).results
    assert 0x120000 <= frame * 4096 < 0x1A0000
    assert freed == 0


@behaviour("page frames", "translation")
def test_number_and_index_of_a_frame_are_inverse() -> None:
    frames = Bench().frames
    assert frames.number_of(0) * 4096 == 0x120000
    assert [frames.index_of(frames.number_of(index)) for index in range(128)] == list(range(128))


@behaviour("page frames", "invalid translation")
def test_frames_outside_user_memory_have_no_index_and_no_number() -> None:
    frames = Bench().frames
    assert frames.index_of(frames.number_of(0) - 1) == -1
    assert [frames.number_of(-1), frames.number_of(128)] == [FRAME_NULL, FRAME_NULL]


@behaviour("page frames", "invalid free")
def test_a_frame_outside_user_memory_cannot_be_freed() -> None:
    bench = Bench()
    assert bench.refusal("frame_free", 0) == "EINVAL"
    assert bench.refusal("frame_free", bench.frames.number_of(127) + 1) == "EINVAL"


@behaviour("page frames", "bad free", "double free")
def test_a_frame_that_is_not_in_use_cannot_be_freed() -> None:
    bench = Bench()
    for index in (0, 127):
        assert bench.refusal("frame_free", bench.frames.number_of(index)) == "EFAULT"
    frame = bench.frames.allocate()
    bench.frames.free(frame)
    assert bench.refusal("frame_free", frame) == "EFAULT"


@behaviour("page frames", "stress", "overflow")
def test_all_frames_can_be_taken_and_freed_and_no_more() -> None:
    bench = Bench()
    for _ in range(2):
        taken = [bench.frames.allocate() for _ in range(128)]
        assert taken == sorted(set(taken)), "first fit"
        assert bench.frames.allocate() == FRAME_NULL
        assert bench.memory.read(bench.placement.bitmap, 16) == b"\xff" * 16
        for frame in taken:
            bench.frames.free(frame)
    assert bench.frames.free_frames == 128


@behaviour("page frames", "invalid free", "bad free", "double free", "stress", "overflow")
def test_the_calls_on_frames_are_refused_by_name_and_give_all_frames() -> None:
    cluster = Cluster()
    first = cluster.kernel.frames.number_of(0)

    def main(_: int) -> Script:
        for frame in (0, first + 128, first, first + 127):
            cluster.note((yield from call(Call.FRAME_FREE, frame)))
        taken = yield from each(call(Call.FRAME_ALLOC) for _ in range(128))
        assert taken == list(range(first, first + 128))
        assert (yield from call(Call.FRAME_ALLOC)) == FRAME_NULL
        for frame in (*taken, first):
            cluster.note((yield from call(Call.FRAME_FREE, frame)))
        return 0

    assert cluster.run(main).names == ["EINVAL"] * 2 + ["EFAULT"] * 2 + ["OK"] * 128 + ["EFAULT"]


# -- kernel pages -----------------------------------------------------------------------------------------


@behaviour("kernel pages", "translation")
def test_the_address_of_a_kernel_page_is_that_of_its_index_and_frame() -> None:
    bench = Bench()
    page = bench.kernel_pages.get(clean=False)
    assert page == 0xF8000 + 4 * 4096, "the first four are the system's"
    assert bench.kernel_pages.index_of(page) == 4
    assert bench.kernel_pages.address_of(4) == page
    assert page // 4096 == 0xF8 + 4
    assert [bench.kernel_pages.address_of(40), bench.kernel_pages.index_of(page + 1)] == [0, -1]


@behaviour("kernel pages", "read and write", "clean")
def test_a_clean_kernel_page_is_zero_and_another_keeps_what_stood_there() -> None:
    bench = Bench()
    page = bench.kernel_pages.get(clean=False)
    bench.memory.fill(page, 4096, 0xAB)
    assert bench.memory.read(page, 4096) == b"\xab" * 4096
    bench.kernel_pages.put(page)
    assert bench.kernel_pages.get(clean=True) == page
    assert bench.memory.read(page, 4096) == bytes(4096)


@behaviour("kernel pages", "invalid put", "bad put", "double put")
def test_only_a_kernel_page_in_use_can_be_put_back() -> None:
    bench = Bench()
    assert bench.refusal("kpage_put", 0xF8000 - 4096) == "EINVAL"
    assert bench.refusal("kpage_put", 0x120000) == "EINVAL"
    assert bench.refusal("kpage_put", 0xF8000 + 4 * 4096) == "EFAULT"
    page = bench.kernel_pages.get(clean=False)
    bench.kernel_pages.put(page)
    assert bench.refusal("kpage_put", page) == "EFAULT"


@behaviour("kernel pages", "overflow", "stress")
def test_all_kernel_pages_can_be_taken_and_put_back_and_no_more() -> None:
    bench = Bench()
    for _ in range(2):
        taken = [bench.kernel_pages.get(clean=True) for _ in range(36)]
        assert bench.kernel_pages.get(clean=True) == 0
        for page in reversed(taken):
            bench.kernel_pages.put(page)
    assert bench.kernel_pages.free_pages == 36
    assert bench.memory.read(bench.placement.counters, 160) == b"\1\0\0\0" * 4 + bytes(144)


# -- user pages -------------------------------------------------------------------------------------------


@behaviour("user pages", "allocation", "write")
def test_a_user_page_can_be_allocated_written_and_freed() -> None:
    cluster = Cluster()
    base = MPPA256.user_base

    def main(_: int) -> Script:
        cluster.note((yield from call(Call.PAGE_ALLOC, base)))
        cluster.kernel.user.write(base, b"\xde\xad\xbe\xef" * 1024)
        assert cluster.kernel.user.read(base, 4096) == b"\xde\xad\xbe\xef" * 1024
        cluster.note((yield from call(Call.PAGE_FREE, base)))
        return 0

    assert cluster.run(main).names == ["OK", "OK"]
    assert cluster.scripts.shot == [base, base], "both changes reach every core's TLB"


@behaviour("user pages", "invalid allocation", "double allocation", "invalid free", "bad free", "double free")
def test_user_page_calls_are_refused_by_name() -> None:
    cluster = Cluster()
    base, page, kernel = MPPA256.user_base, 4096, 0x8000

    def main(_: int) -> Script:
        for number, address in (
            (Call.PAGE_ALLOC, kernel),
            (Call.PAGE_ALLOC, base - page),
            (Call.PAGE_ALLOC, base + page - 1),
            (Call.PAGE_ALLOC, base + 128 * page),
            (Call.PAGE_ALLOC, base),
            (Call.PAGE_ALLOC, base),
            (Call.PAGE_FREE, kernel),
            (Call.PAGE_FREE, base - page),
            (Call.PAGE_FREE, base + page - 1),
            (Call.PAGE_FREE, base + page),
            (Call.PAGE_FREE, base),
            (Call.PAGE_FREE, base),
        ):
            cluster.note((yield from call(number, address)))
        return 0

    assert cluster.run(main).names == [
        *("EFAULT", "EFAULT", "EINVAL", "EFAULT", "OK", "EADDRINUSE"),
        *("EFAULT", "EFAULT", "EINVAL", "EFAULT", "OK", "EFAULT"),
    ]


@behaviour("user pages", "invalid allocation", "invalid free")
def test_inside_the_kernel_a_missing_directory_is_refused_too() -> None:
    bench = Bench()
    assert bench.refusal("upage_allocate", 0, bench.base) == "EINVAL"
    assert bench.refusal("upage_free", 0, bench.base) == "EFAULT"
    assert bench.refusal("upage_free", bench.directory, bench.base + 4095) == "EFAULT"


@behaviour("user pages", "stress")
def test_many_user_pages_can_be_allocated_written_checked_and_freed() -> None:
    bench = Bench()
    pages = [bench.base + index * 4096 for index in range(128)]
    for _ in range(2):
        for number, address in enumerate(pages):
            bench.paging.allocate(bench.directory, address)
            physical = bench.paging.translate(address)
            assert physical is not None
            assert bench.memory.holds(physical, bytes(4096)), "a new page is zero"
            bench.memory.fill(physical, 4096, number)
        assert bench.kernel_pages.free_pages == 35, "one page table for all of them"
        for number, address in enumerate(pages):
            physical = bench.paging.translate(address + 17)
            assert physical is not None
            assert bench.memory.data[physical] == number
            bench.paging.free(bench.directory, address)
            assert bench.paging.translate(address) is None


@behaviour("user pages", "stress")
def test_the_calls_give_as_many_user_pages_as_there_are_frames() -> None:
    cluster = Cluster()
    pages = [MPPA256.user_base + index * 4096 for index in range(128)]

    def main(_: int) -> Script:
        for number, address in enumerate(pages):
            cluster.note((yield from call(Call.PAGE_ALLOC, address)))
            cluster.kernel.user.write(address, bytes((number,)) * 4096)
        for number, address in enumerate(pages):
            assert cluster.kernel.user.read(address, 4096) == bytes((number,)) * 4096
            cluster.note((yield from call(Call.PAGE_FREE, address)))
        return 0

    assert cluster.run(main).names == ["OK"] * 256


def test_a_frame_that_cannot_be_mapped_is_not_lost() -> None:
    bench = Bench()
    while bench.kernel_pages.get(clean=False):
        pass
    assert bench.refusal("upage_allocate", bench.directory, bench.base) == "EAGAIN"
    assert bench.frames.free_frames == 128


def test_without_a_frame_no_user_page_is_allocated() -> None:
    bench = Bench(TINY)
    while bench.frames.allocate() != FRAME_NULL:
        pass
    assert bench.refusal("upage_allocate", bench.directory, bench.base) == "EAGAIN"


def test_a_linked_page_shows_the_same_bytes_and_its_frame_goes_with_the_first_free() -> None:
    bench = Bench()
    first, second = bench.base, bench.base + 4096
    bench.paging.allocate(bench.directory, first)
    bench.paging.link(bench.directory, first, second)
    assert bench.paging.translate(first + 5) == bench.paging.translate(second + 5)
    assert bench.refusal("upage_link", bench.directory, first, second) == "EADDRINUSE"
    assert bench.refusal("upage_link", bench.directory, second + 4096, second) == "EFAULT"
    bench.paging.free(bench.directory, first)
    assert bench.refusal("upage_free", bench.directory, second) == "EIO"
    assert bench.paging.translate(second) is None


def test_the_kernel_sees_its_own_memory_at_its_own_addresses() -> None:
    bench = Bench()
    assert [bench.paging.translate(address) for address in (0, 0x8004, 0x1FFFFF, 0x200000)] == [
        0,
        0x8004,
        0x1FFFFF,
        None,
    ]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=30))
def test_frames_and_pages_are_never_lost_or_doubled(actions: list[tuple[bool, int]]) -> None:
    bench = Bench(TINY)
    there: set[int] = set()
    for allocate, index in actions:
        address = bench.base + index * bench.page
        action = bench.paging.allocate if allocate else bench.paging.free
        if index < 4 and (index in there) != allocate:
            action(bench.directory, address)
            there ^= {index}
            continue
        with pytest.raises(Refused) as refused:
            action(bench.directory, address)
        assert refused.value.errno is (Errno.EADDRINUSE if allocate and index < 4 else Errno.EFAULT)
    physical = {bench.paging.translate(bench.base + index * bench.page) for index in there}
    assert None not in physical
    assert len(physical) == len(there) == 4 - bench.frames.free_frames
