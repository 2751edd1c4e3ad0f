"""The real sizes and where they stand."""

import dataclasses
from itertools import pairwise

import pytest

from kmigrate.impl.chip.geometry import MPPA256, TINY, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.errors import BadGeometry
from kmigrate.impl.kernel import layout as at
from kmigrate.impl.kernel.container import Container
from kmigrate.impl.kernel.layout import Layout
from kmigrate.impl.programs.counter import Counter
from kmigrate.spec.vocabulary import DATA_STATES, Mstate


def test_sections_have_the_real_sizes() -> None:
    image = Counter(Layout.of(MPPA256)).image(2, 0)
    threads, pages = 3, 3
    assert [len(image[mstate]) for mstate in DATA_STATES] == [
        10608,
        2112,
        1920,
        4096,
        4096,
        160,
        4096 * (2 * threads + 1),
        16,
        4096 * pages,
    ]


def test_the_uarea_has_the_real_fields() -> None:
    assert at.UAREA_THREADS + 18 * at.THREAD_BYTES == at.UAREA_JOINCOND
    assert at.UAREA_JOINCOND + 18 * at.JOINCOND_BYTES == at.UAREA_RETVALS
    assert at.UAREA_RETVALS + at.RETVALS * at.RETVAL_BYTES == at.UAREA_FREEZING == 1904
    assert at.UAREA_FREEZING + 4 == at.UAREA_SCHEDULING
    assert at.UAREA_SCHEDULING + 12 == at.UAREA_USTACKS
    assert at.UAREA_USTACKS + 72 == at.UAREA_KSTACKS
    assert at.UAREA_KSTACKS + 72 == at.UAREA_SYSBOARD == 2064
    assert at.UAREA_BYTES == 2112


@pytest.mark.parametrize("geometry", [MPPA256, TINY], ids=lambda geometry: geometry.name)
def test_nothing_overlaps_and_all_lies_in_memory(geometry: Geometry) -> None:
    layout = Layout.of(geometry)
    container = Container(Sram(geometry.memory_bytes), layout)
    container.prepare()
    Counter(layout).load(container, 3)
    spans = sorted(span for mstate in DATA_STATES for span in container.sections(mstate))
    assert spans[0][0] >= geometry.kernel_base
    for (address, size), (following, _) in pairwise(spans):
        assert address + size <= following
    assert sum(spans[-1]) <= geometry.frames_end <= geometry.memory_bytes
    assert layout.uarea % 64 == 0


def test_pieces_follow_the_thesis_count() -> None:
    layout = Layout.of(MPPA256)
    for process in range(4):
        container = Container(Sram(MPPA256.memory_bytes), layout)
        container.prepare()
        Counter(layout).load(container, process)
        pieces = sum(len(container.pieces(mstate)) for mstate in DATA_STATES)
        threads = pages = process + 1
        assert pieces == 9 + 2 * threads + pages + 1
        assert len(container.pieces(Mstate.SECTIONS)) == 3


def test_a_kernel_image_too_small_is_refused() -> None:
    with pytest.raises(BadGeometry, match="kernel_bytes"):
        Layout.of(dataclasses.replace(TINY, kernel_bytes=0xC00))
