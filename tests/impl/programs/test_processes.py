"""Programs as processes on the kernel: threads, locks, messages, pages, the experiments, moves between clusters.

The moves are made by hand: both clusters at rest, the process's bytes copied. Who asks for them is a task of the
kernel, as the migration daemon is.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.programs import oracle
from impl.programs.processes import Nodes
from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.exceptions import IGNORE
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Remote, Request
from kmigrate.impl.programs.catalogue import experiment_argument, load
from kmigrate.impl.programs.program import UserProgram, read_user_program
from kmigrate.impl.programs.toolchain import Toolchain
from support.behaviours import behaviour

TIMER, FIRST, SECOND, THIRD = 0, 8, 9, 10
HERE = Path(__file__).parent / "c"


def own(toolchain: Toolchain, name: str) -> UserProgram:
    return read_user_program(name, toolchain.build(HERE / f"{name}.c"))


def answer_requests(nodes: Nodes, *, waits: bool = False, refusal: Errno | None = None) -> dict[int, list[int]]:
    """Serve `kmigrate_to` as a daemon does; the nodes that were asked for, by the node that has asked.

    waits    whether the caller waits until it is elsewhere or refused; else it freezes its cluster
    refusal  what the caller hears, if it is refused
    """
    asked: dict[int, list[int]] = {node: [] for node in nodes.nodes}

    def serve(here: int, request: Request) -> Outcome:
        target = request.signed(0)
        if not 0 <= target < MPPA256.torus.nodes or (not request.stage and target == here):
            return -Errno.EINVAL
        if not request.stage:
            asked[here].append(target)
            return Leave(1) if waits else Remote(Call.FREEZE, (), 1)
        if refusal is not None:
            return -refusal
        return 0 if target == here or not waits else Leave(1)

    for node, one in nodes.nodes.items():
        one.kernel.calls.local[Call.MIGRATE_TO] = partial(serve, node)
    return asked


def run_until_asked(nodes: Nodes, asked: list[int]) -> int:
    while not asked:
        assert nodes.loop.step() is not None
    return asked.pop()


# -- programs that need nobody else ----------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
@pytest.mark.parametrize("name", ["workload", "benchmark", "buffer", "mailbox"])
def test_a_program_comes_out_right_on_one_cluster(name: str, exact: bool) -> None:
    nodes = Nodes(load(name), FIRST, exact=exact).start(0, FIRST).run_until_ended(FIRST)
    assert nodes[FIRST].exit_value == 0


def test_the_checksums_are_those_of_python() -> None:
    workload = Nodes(load("workload"), FIRST).start(5, FIRST).run_until_ended(FIRST)[FIRST]
    assert workload.word("checksum") == oracle.workload(5)
    assert workload.console == f"{oracle.workload(5):#x} right\n"
    benchmark = Nodes(load("benchmark"), FIRST).start(2, FIRST).run_until_ended(FIRST)[FIRST]
    assert (benchmark.word("checksum"), benchmark.word("iterations")) == (oracle.benchmark(), 2)


@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
def test_the_runtime_keeps_what_it_promises(toolchain: Toolchain, exact: bool) -> None:
    nodes = Nodes(own(toolchain, "threads"), FIRST, exact=exact).start(5, FIRST).run_until_ended(FIRST)
    assert nodes[FIRST].exit_value == 0
    assert nodes[FIRST].console == "text\n-2147483648\n00xdeadbeef"


def test_every_thread_of_spin_goes_on_counting() -> None:
    nodes = Nodes(load("spin"), FIRST).start(16, FIRST)
    nodes.run(10_000)
    before = [nodes[FIRST].word("counts", place) for place in range(17)]
    nodes.run(10_000)
    after = [nodes[FIRST].word("counts", place) for place in range(17)]
    assert all(0 < first < second for first, second in zip(before, after, strict=True))
    assert not nodes[FIRST].ended


@pytest.mark.parametrize(
    ("name", "exception", "address"),
    [("crash_illegal", 2, 0), ("crash_address", 15, 0xF0000000)],
)
def test_a_crash_is_an_exception_of_its_kind(name: str, exception: int, address: int) -> None:
    nodes = Nodes(load(name), FIRST).start(0, FIRST)
    with pytest.raises(KernelPanic, match=f"exception {exception} of thread 18 at {address:#x} is neither"):
        nodes.run_until_ended(FIRST)


def test_what_is_ignored_does_not_end_the_program() -> None:
    nodes = Nodes(load("crash_address"), FIRST).start(0, FIRST)
    nodes[FIRST].kernel.calls.remote[Call.EXCP_CONTROL](0, (15, IGNORE, 0, 0, 0))
    nodes.run_until_ended(FIRST)
    assert nodes[FIRST].exit_value == 1


def test_a_full_stack_tramples_what_lies_below_it() -> None:
    """Nothing guards a stack: the pages below it are overwritten, those of the system too."""
    nodes = Nodes(load("crash_stack"), FIRST).start(0, FIRST)
    with pytest.raises(KernelPanic):
        nodes.run_until_ended(FIRST)
    assert nodes[FIRST].word("depth") > 4096 // 128


@behaviour("tasks", "dispatch", "hard dependency", "soft dependency", "exit periodic", "loop periodic", "emit")
@behaviour("tasks", "identification", "current", "connect")
@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
def test_the_dispatcher_runs_functions_of_a_process(exact: bool) -> None:
    nodes = Nodes(load("tasks"), FIRST, exact=exact).start(10, FIRST).run_until_ended(FIRST)
    assert nodes[FIRST].exit_value == 0
    assert [nodes[FIRST].word(name) for name in ("written", "loops", "beats")] == [3, 10, 10]


@behaviour("signals", "control", "fault")
@behaviour("exceptions", "handler")
@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
def test_signals_alarm_and_mended_page_fault_reach_machine_code(exact: bool) -> None:
    nodes = Nodes(load("signals"), FIRST, exact=exact).start(4, FIRST).run_until_ended(FIRST)
    assert nodes[FIRST].exit_value == 0
    assert [nodes[FIRST].word(name) for name in ("pings", "faults")] == [4, 1]


# -- messages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
def test_messages_and_pieces_arrive_whole_on_another_node(toolchain: Toolchain, exact: bool) -> None:
    both = (FIRST, SECOND)
    mail = Nodes(load("mailbox"), *both, exact=exact).start(SECOND | FIRST << 8, *both).run_until_ended(*both)
    assert [mail[node].exit_value for node in both] == [0, 0]
    assert [mail[node].word("received") for node in both] == [0, 32]
    bulk = Nodes(own(toolchain, "portal"), *both, exact=exact).start(0, *both).run_until_ended(*both)
    assert [bulk[node].exit_value for node in both] == [0, 0]


# -- moving ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
@pytest.mark.parametrize(("name", "argument", "events"), [("workload", 6, 400), ("benchmark", 8, 250)])
def test_a_checksum_is_right_after_many_moves(name: str, argument: int, events: int, exact: bool) -> None:
    ring = (FIRST, SECOND, THIRD)
    nodes = Nodes(load(name), *ring, exact=exact)
    for node in ring[1:]:
        nodes[node].kernel.boot()
    nodes.start(argument, FIRST)
    moves = 0
    while True:
        here, there = ring[moves % 3], ring[(moves + 1) % 3]
        nodes.run(events)
        if nodes[here].ended:
            break
        nodes.move(here, there)
        moves += 1
    assert moves >= 6
    right = oracle.workload(argument) if name == "workload" else oracle.benchmark()
    assert (nodes[here].exit_value, nodes[here].word("checksum")) == (0, right)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=12))
def test_a_checksum_is_right_whenever_the_process_moves(pauses: list[int]) -> None:
    nodes = Nodes(load("workload"), FIRST, SECOND)
    nodes[SECOND].kernel.boot()
    nodes.start(2, FIRST)
    here, there = FIRST, SECOND
    for pause in pauses:
        nodes.run(pause)
        if nodes[here].ended:
            break
        nodes.move(here, there)
        here, there = there, here
    nodes.run_until_ended(here)
    assert (nodes[here].exit_value, nodes[here].word("checksum")) == (0, oracle.workload(2))


def test_a_process_can_arrive_where_another_program_was_started() -> None:
    """The runtime is the same, so only the process's own sections need to come along."""
    nodes = Nodes(load("workload"), FIRST, others={SECOND: load("spin")})
    nodes[SECOND].kernel.boot()
    nodes.start(4, FIRST)
    nodes.run(400)
    nodes.move(FIRST, SECOND)
    nodes.run_until_ended(SECOND)
    assert nodes[SECOND].exit_value == 0
    assert nodes[SECOND].memory.word(load("workload").symbol("checksum")) == oracle.workload(4)


# -- asking to leave ---------------------------------------------------------------------------------------


def results(nodes: Nodes, node: int) -> list[int]:
    return [signed(nodes[node].word("results", place)) for place in range(4)]


def test_a_migration_to_nowhere_is_refused(toolchain: Toolchain) -> None:
    nodes = Nodes(own(toolchain, "leave"), FIRST).start(SECOND, FIRST).run_until_ended(FIRST)
    assert results(nodes, FIRST) == [-Errno.ENOSYS] * 4


def test_as_published_the_caller_freezes_its_cluster_and_both_copies_go_on(toolchain: Toolchain) -> None:
    nodes = Nodes(own(toolchain, "leave"), FIRST, SECOND)
    nodes[SECOND].kernel.boot()
    asked = answer_requests(nodes)[FIRST]
    nodes.start(SECOND, FIRST)
    assert run_until_asked(nodes, asked) == SECOND
    nodes.run(200)
    assert nodes[FIRST].kernel.uarea.frozen
    nodes.move(FIRST, SECOND)
    nodes[FIRST].kernel.freezing.release()
    for node in (FIRST, SECOND):
        assert nodes[node].word("left") == 0
        nodes[node].kernel.freezing.unfreeze()
    nodes.run_until_ended(FIRST, SECOND)
    assert [results(nodes, node)[3] for node in (FIRST, SECOND)] == [0, 0]
    assert [nodes[node].word("node") for node in (FIRST, SECOND)] == [FIRST, SECOND]


def test_a_caller_that_waits_goes_on_where_it_arrives(toolchain: Toolchain) -> None:
    nodes = Nodes(own(toolchain, "leave"), FIRST, SECOND)
    nodes[SECOND].kernel.boot()
    asked = answer_requests(nodes, waits=True)[FIRST]
    nodes.start(SECOND, FIRST)
    assert run_until_asked(nodes, asked) == SECOND
    nodes.run(500)
    assert nodes[FIRST].word("left") == 0
    nodes.move(FIRST, SECOND)
    nodes.run_until_ended(SECOND)
    assert (results(nodes, SECOND)[3], nodes[SECOND].word("node")) == (0, SECOND)


def test_a_caller_that_waits_hears_of_a_refusal(toolchain: Toolchain) -> None:
    nodes = Nodes(own(toolchain, "leave"), FIRST)
    answer_requests(nodes, waits=True, refusal=Errno.EBUSY)
    nodes.start(SECOND, FIRST)
    nodes.run_until_ended(FIRST)
    assert (results(nodes, FIRST)[3], nodes[FIRST].exit_value) == (-Errno.EBUSY, 1)


# -- the experiments ---------------------------------------------------------------------------------------

HELPERS, PAGES = 3, 2


@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
@pytest.mark.parametrize("name", ["threads", "parallel"])
def test_the_published_experiment_counts_on_the_copy_that_stays(name: str, exact: bool) -> None:
    nodes = Nodes(load(name), TIMER, FIRST, SECOND, exact=exact)
    asked = answer_requests(nodes)[FIRST]
    nodes.start(experiment_argument(helpers=HELPERS, pages=PAGES, clusters=2), TIMER, FIRST, SECOND)
    assert run_until_asked(nodes, asked) == SECOND
    nodes.run(1_000)
    assert nodes[FIRST].kernel.uarea.frozen
    assert not nodes[TIMER].ended
    nodes.move(FIRST, SECOND)
    nodes[FIRST].kernel.freezing.release()
    nodes[SECOND].kernel.freezing.unfreeze()
    nodes.run(2_000)
    assert not nodes[TIMER].ended, "the end barrier needs the copy's signal too"
    nodes[FIRST].kernel.freezing.unfreeze()
    nodes.run_until_ended(TIMER, FIRST, SECOND)
    assert [nodes[node].exit_value for node in (TIMER, FIRST, SECOND)] == [0, 0, 0]
    assert nodes[TIMER].word("downtime") >= 1_000 * 1_000
    assert nodes[TIMER].console == f"{nodes[TIMER].word('downtime')} cycles\n"


@pytest.mark.parametrize("name", ["threads", "parallel"])
def test_with_the_flag_moved_the_experiment_ends_without_a_copy(name: str) -> None:
    nodes = Nodes(load(name), TIMER, FIRST, SECOND)
    asked = answer_requests(nodes, waits=True)[FIRST]
    argument = experiment_argument(helpers=HELPERS, pages=PAGES, clusters=2, moved=True)
    nodes.start(argument, TIMER, FIRST, SECOND)
    assert run_until_asked(nodes, asked) == SECOND
    nodes.move(FIRST, SECOND)
    nodes.run_until_ended(TIMER, SECOND)
    assert [nodes[node].exit_value for node in (TIMER, SECOND)] == [0, 0]
    assert nodes[TIMER].word("downtime") > 0


@pytest.mark.parametrize("published", [True, False], ids=["copies stay", "nothing stays"])
def test_the_circular_experiment_comes_home(published: bool) -> None:
    clusters = 4
    ring = [FIRST + cluster for cluster in range(clusters)]
    nodes = Nodes(load("circular"), TIMER, *ring)
    asked = answer_requests(nodes, waits=not published)
    nodes.start(experiment_argument(clusters=clusters), TIMER, *ring)
    for hop, here in enumerate(ring):
        there = run_until_asked(nodes, asked[here])
        assert there == ring[(hop + 1) % clusters]
        nodes.run(300)
        nodes.move(here, there)
        if published:
            for node in (there, here):
                nodes[node].kernel.freezing.release()
                nodes[node].kernel.freezing.unfreeze()
    nodes.run_until_ended(TIMER, FIRST)
    assert [nodes[node].exit_value for node in (TIMER, FIRST)] == [0, 0]
    assert nodes[FIRST].word("travelled") == 0xDEADBEEF + clusters
    if published:
        nodes.run_until_ended(*ring)
        assert [nodes[node].exit_value for node in ring] == [0] * clusters
