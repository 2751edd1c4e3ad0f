"""Geometry and memory."""

import dataclasses

import pytest

from kmigrate.impl.chip.geometry import GEOMETRIES, MPPA256, TINY, Cache, IoCluster
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.errors import BadGeometry, OutOfMemoryBounds
from kmigrate.impl.kernel.placement import thread_slots


def test_the_mppa256_has_the_real_memory_map() -> None:
    assert (MPPA256.kernel_pool, MPPA256.frames_base, MPPA256.frames_end) == (0x0F8000, 0x120000, 0x1A0000)
    assert (MPPA256.clusters, MPPA256.cores, MPPA256.kernel_pages, MPPA256.frames) == (16, 16, 40, 128)
    assert MPPA256.memory_bytes == 2 << 20


def test_an_io_cluster_has_fewer_cores_and_kernel_pages_and_larger_caches() -> None:
    """nanvix-facts 1, 3.1: 4 cores, 16 kernel pages, room for 6 user threads."""
    io = MPPA256.of_io
    assert (io.cores, io.kernel_pages, thread_slots(io), io.data_cache.size_bytes) == (4, 16, 6, 32768)
    assert io.kernel_pool == MPPA256.kernel_pool
    assert TINY.of_io == TINY


@pytest.mark.parametrize(("cores", "pages", "field"), [(1, 16, "cores is 1"), (4, 6, "kernel_pages is 6")])
def test_an_io_cluster_that_cannot_be_is_named(cores: int, pages: int, field: str) -> None:
    with pytest.raises(BadGeometry, match=f"io: {field}"):
        dataclasses.replace(MPPA256, io=IoCluster(cores, pages, Cache(32768)))


def test_geometries_are_found_by_name() -> None:
    assert GEOMETRIES == {"mppa256": MPPA256, "tiny": TINY}


@pytest.mark.parametrize(
    ("field", "value"),
    [("clusters", 0), ("cores", 17), ("page_bytes", 300), ("page_bytes", 8192), ("frames", 0), ("kernel_pages", 6)],
)
def test_a_measure_out_of_range_is_named(field: str, value: int) -> None:
    with pytest.raises(BadGeometry, match=f"{field} is {value}"):
        dataclasses.replace(MPPA256, **{field: value})  # type: ignore[arg-type]


def test_sections_whose_last_piece_has_no_room_for_the_manifest_are_refused() -> None:
    with pytest.raises(BadGeometry, match="must leave 128 bytes for the manifest, not 0"):
        dataclasses.replace(MPPA256, user_bytes=8192)


def test_a_memory_too_small_for_its_frames_is_refused() -> None:
    with pytest.raises(BadGeometry, match="memory_bytes"):
        dataclasses.replace(MPPA256, memory_bytes=0x190000)


def test_memory_reads_what_was_written_and_words_are_little_endian() -> None:
    memory = Sram(64)
    memory.write(10, b"abc")
    memory.set_word(20, -2)
    assert memory.read(9, 5) == b"\0abc\0"
    assert memory.holds(10, b"abc")
    assert memory.word(20) == 0xFFFFFFFE
    assert memory.read(20, 4) == b"\xfe\xff\xff\xff"
    memory.fill(10, 2, 7)
    assert memory.read(10, 3) == b"\x07\x07c"


@pytest.mark.parametrize(("address", "size"), [(-1, 1), (60, 5), (64, 1), (0, -1)])
def test_an_access_outside_memory_says_where(address: int, size: int) -> None:
    with pytest.raises(OutOfMemoryBounds, match="leave the memory of 0x40 bytes"):
        Sram(64).read(address, size)


def test_words_and_writes_are_bounded_too() -> None:
    memory = Sram(8)
    with pytest.raises(OutOfMemoryBounds):
        memory.write(6, b"abc")
    with pytest.raises(OutOfMemoryBounds):
        memory.word(5)
    with pytest.raises(OutOfMemoryBounds):
        memory.set_word(5, 0)
    assert len(memory) == 8
