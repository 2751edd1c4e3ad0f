"""A process as bytes: sections, erasing, digest."""

import pytest

from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.errors import BadSectionSize
from kmigrate.impl.kernel.container import Container
from kmigrate.impl.kernel.layout import Layout
from kmigrate.impl.programs.counter import Counter
from kmigrate.spec.vocabulary import DATA_STATES, Mstate

LAYOUT = Layout.of(TINY)


def container(process: int | None = None) -> Container:
    made = Container(Sram(TINY.memory_bytes), LAYOUT)
    made.prepare()
    if process is not None:
        Counter(LAYOUT).load(made, process)
    return made


def test_a_container_copied_section_by_section_has_the_same_digest() -> None:
    here, there = container(2), container()
    for mstate in DATA_STATES:
        there.write(mstate, here.read(mstate))
    assert there.digest() == here.digest()
    assert there.process == 2
    assert there.kernel_pages == tuple(range(4, 11))
    assert there.frames == (0, 1, 2)


def test_the_freezing_word_is_the_clusters_own() -> None:
    here, there = container(0), container()
    before = here.digest()
    here.frozen = True
    assert here.digest() == before
    there.write(Mstate.UAREA, here.read(Mstate.UAREA))
    assert not there.frozen
    there.frozen = True
    there.write(Mstate.UAREA, here.read(Mstate.UAREA))
    there.erase()
    assert there.frozen
    assert here.memory.word(LAYOUT.uarea + 1904) == 1


def test_an_erased_cluster_is_vacant_and_any_section_makes_it_occupied() -> None:
    made = container(1)
    assert not made.vacant
    made.erase()
    assert made.vacant
    assert made.memory.data == container().memory.data
    for mstate in DATA_STATES:
        if mstate not in (Mstate.KSTACKSPHYS, Mstate.FRAMES_PHYS):
            other = container()
            other.write(mstate, container(0).read(mstate))
            assert not other.vacant, mstate


def test_a_section_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(BadSectionSize, match="section uarea: 5 bytes given, 2112 needed"):
        container().write(Mstate.UAREA, b"short")


def test_a_section_without_pages_is_one_piece_of_nothing() -> None:
    empty = container()
    assert [size for _, size in empty.pieces(Mstate.KSTACKSPHYS)] == [0]
    assert [size for _, size in empty.pieces(Mstate.FRAMES_PHYS)] == [0]
    assert empty.pieces(Mstate.FINISH) == ()
