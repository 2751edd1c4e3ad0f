"""What can be seen of a machine is what stands in its memories and on its network."""

from __future__ import annotations

from itertools import pairwise

import pytest

from impl.chip import assembly as asm
from impl.system.small import call, small, start
from kmigrate.impl import MPPA256, TINY, Geometry
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.system import Machine
from kmigrate.impl.system.inspection import boards, delivered, memory_map, messages, states, threads, user_pages


@pytest.mark.parametrize("uarea", [True, False], ids=["UArea", "scattered"])
@pytest.mark.parametrize("geometry", [TINY, MPPA256], ids=lambda geometry: geometry.name)
def test_the_regions_of_a_cluster_do_not_overlap_and_lie_in_its_memory(geometry: Geometry, uarea: bool) -> None:
    place = Machine(geometry, uarea=uarea).cluster(1)
    regions = memory_map(place)
    for before, after in pairwise(regions):
        assert before.address + before.size <= after.address, (before, after)
    assert regions[-1].address + regions[-1].size <= geometry.memory_bytes
    assert sum(region.name.startswith("UArea") for region in regions) == (1 if uarea else 11)


def test_the_sizes_of_the_real_chip_are_those_that_a_migration_moves() -> None:
    sizes = {region.name: region.size for region in memory_map(Machine().cluster(0))}
    assert sizes["UArea"] == 2112
    assert sizes["user sections"] == 10608
    assert sizes["system call boards"] - 128 == 1920
    assert (sizes["kernel page counters"], sizes["frame bitmap"], sizes["page directory"]) == (160, 16, 4096)


def test_user_pages_are_those_of_the_tables() -> None:
    program = small(
        "pages",
        call(Call.PAGE_ALLOC, TINY.user_base),
        call(Call.PAGE_ALLOC, TINY.user_base + 2 * TINY.page_bytes),
        asm.jal(0, 0),
    )
    system = Machine(TINY)
    system.spawn(program, 0)
    system.run(2_000_000)
    place = system.cluster(0)
    found = {page.virtual: page.physical for page in user_pages(place)}
    assert found == {
        TINY.user_base: place.placement.frame(0),
        TINY.user_base + 2 * TINY.page_bytes: place.placement.frame(1),
    }
    used = {region.name: region.used for region in memory_map(place)}
    assert used["user page frames"] == "2 of 4"
    assert used["kernel pages"] == "7 of 14", "4 of the system, two stacks, one table"


def test_threads_and_boards_show_the_calls_that_they_are_in() -> None:
    worker = start() + 4
    sleeps = small("sleeps", asm.jal(0, 8), asm.jal(0, 0), call(Call.THREAD_CREATE, 0, worker, 0), call(Call.SLEEP))
    system = Machine(TINY)
    system.spawn(sleeps, 0)
    system.run(600_000)
    place = system.cluster(0)
    main = threads(place)[0]
    assert (main.tid, main.core, main.state, main.running, main.call) == (5, 1, "sleeping", False, "SLEEP")
    assert boards(place)[1].call == "THREAD_CREATE"
    assert not any(board.pending for board in boards(place))
    assert states(system)["sleeping"] == 1


def test_what_is_on_its_way_is_seen_until_it_has_arrived() -> None:
    system = Machine(TINY)
    system.spawn(small("seven", asm.li(A0, 7), asm.jalr(0, RA, 0)), 2)
    (letter,) = messages(system)
    assert (letter.what, letter.sender, letter.receiver) == ("mailbox_message", 0, system.node_of(2))
    assert letter.arrives is not None
    system.run_until(lambda: system.now >= (letter.arrives or 0), "it has not arrived")
    assert delivered(system)["mailbox_message"] == 1
    assert [message.arrives for message in messages(system)] == [None], "it stands in its slot"
