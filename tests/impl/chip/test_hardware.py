"""The measures of cores, caches, TLB and network."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmigrate.impl.chip import MPPA256, TINY, Cache, Torus
from kmigrate.impl.errors import BadGeometry


def test_the_mppa256_has_the_caches_the_tlb_and_the_nodes_of_the_real_chip() -> None:
    assert (MPPA256.data_cache.size_bytes, MPPA256.data_cache.line_bytes) == (8192, 64)
    assert MPPA256.instruction_cache == MPPA256.data_cache
    assert MPPA256.tlb_entries == 128
    assert (MPPA256.torus.nodes, MPPA256.torus.first_compute) == (24, 8)
    assert MPPA256.hertz == 400_000_000


def test_the_mppa256_has_the_virtual_memory_of_the_real_chip() -> None:
    assert (MPPA256.entries, MPPA256.virtual_bytes) == (1024, 1 << 32)
    assert (MPPA256.user_base, MPPA256.user_end) == (0x80000000, 0x80080000)


def test_user_addresses_are_those_of_the_user_pages() -> None:
    start, end = TINY.user_base, TINY.user_end
    assert TINY.is_user(start, end - start)
    assert TINY.is_user(end - 1, 1)
    assert TINY.is_user(start, 0)
    assert not TINY.is_user(start - 1, 2)
    assert not TINY.is_user(end - 1, 2)
    assert not TINY.is_user(end, 1)
    assert not TINY.is_user(start, -1)
    assert not TINY.is_user(0, 1)


@given(start=st.integers(TINY.user_base - 3, TINY.user_end + 3), size=st.integers(0, 5))
def test_a_range_is_user_memory_if_each_of_its_bytes_is(start: int, size: int) -> None:
    assert TINY.is_user(start, size) == (
        all(TINY.is_user(address, 1) for address in range(start, start + size))
        and TINY.user_base <= start <= TINY.user_end
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"tlb_entries": 100}, "tlb_entries is 100, but it must be a power of two in 2..1024"),
        ({"memory_bytes": 0x200001}, "memory_bytes is 2097153, but it must be whole pages of 4096"),
        ({"instruction_cache": Cache(8192, ways=4)}, "lines and ways must be those of the data cache, 64 and 2"),
        ({"user_base": 0x1000}, "user_base is 4096, but it must start a page in 0x200000"),
        ({"user_base": 0x80000001}, "user_base"),
        ({"hertz": 0}, "hertz is 0"),
        ({"torus": Torus(2, 2, 2, 2)}, "clusters is 16, but the torus has room for 4"),
    ],
)
def test_measures_that_do_not_fit_each_other_are_named(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadGeometry) as caught:
        dataclasses.replace(MPPA256, **changes)
    assert sentence in str(caught.value)


def test_a_line_is_no_longer_than_a_page() -> None:
    wide = Cache(256, line_bytes=128)
    with pytest.raises(BadGeometry, match="a page has only 64"):
        dataclasses.replace(TINY, page_bytes=64, user_base=0x2800, data_cache=wide, instruction_cache=wide)


@pytest.mark.parametrize(
    ("size", "line", "ways", "field"),
    [(100, 64, 2, "size_bytes"), (64, 64, 2, "size_bytes"), (8192, 8, 2, "line_bytes"), (8192, 64, 3, "ways")],
)
def test_a_cache_of_impossible_measures_is_refused(size: int, line: int, ways: int, field: str) -> None:
    with pytest.raises(BadGeometry, match=field):
        Cache(size, line, ways)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("columns", 0),
        ("rows", 9),
        ("io_clusters", 3),
        ("io_nodes", 5),
        ("hop_cycles", 0),
        ("link_bytes_per_cycle", 0),
    ],
)
def test_a_network_of_impossible_measures_is_refused(field: str, value: int) -> None:
    with pytest.raises(BadGeometry, match=f"{field} is {value}"):
        dataclasses.replace(MPPA256.torus, **{field: value})
