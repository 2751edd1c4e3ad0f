"""Kernels on the event loop: the same choices give the same trace, and every choice list is a legal run."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kmigrate.impl.chip.geometry import MPPA256, TINY
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.kernel.execution import Execution, StepCycles
from kmigrate.impl.kernel.network import Network
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.simulation.choice import ChoiceList, ChoiceSource, Ordinary
from kmigrate.impl.simulation.loop import Loop
from support.cluster import Cluster
from support.scripts import Script, call, each

LIMIT = 20_000


def drain(loop: Loop) -> None:
    for _ in range(LIMIT):
        if loop.step() is None:
            return
    raise AssertionError(f"not quiet after {LIMIT} events")


def crew(cluster: Cluster, workers: int) -> int:
    """A main thread that creates workers, which make calls and yield, and joins them."""

    def worker(number: int) -> Script:
        yield from call(Call.NODE_GET_NUM)
        yield from call(Call.THREAD_YIELD)
        cluster.note(number)
        return number

    def main(_: int) -> Script:
        tids = yield from each(cluster.create(worker, number) for number in range(workers))
        yield from each(call(Call.THREAD_JOIN, tid, 0) for tid in tids)
        return 0

    return cluster.start(main)


def run(choices: ChoiceSource, workers: int = 3) -> tuple[str, Cluster]:
    loop = Loop(choices)
    cluster = Cluster(TINY)
    crew(cluster, workers)
    Execution(cluster.kernel, loop, 0)
    drain(loop)
    return loop.trace.hash, cluster


@given(st.lists(st.integers(0, 5), max_size=60))
@settings(deadline=None, max_examples=50)
def test_every_choice_list_is_a_run_to_the_end_and_repeats_itself(choices: list[int]) -> None:
    (first, cluster), (second, _) = run(ChoiceList(choices)), run(ChoiceList(choices))
    assert first == second
    assert sorted(cluster.results) == [0, 1, 2]
    assert cluster.kernel.uarea.nthreads == 2
    assert cluster.kernel.kernel_pages.free_pages == TINY.kernel_pages - 4


def test_the_ordinary_course_has_one_trace() -> None:
    assert run(Ordinary())[0] == run(Ordinary())[0]


def down_time(threads: int, quantum: int) -> int:
    """Cycles that a remote call of the first of so many threads takes, the others spinning."""
    loop = Loop(Ordinary())
    cluster = Cluster(MPPA256, quantum=quantum)
    flag = cluster.allocate(4)

    def spin(_: int) -> Script:
        while not cluster.word(flag):
            yield None
        return 0

    def main(_: int) -> Script:
        yield from each(cluster.create(spin) for _ in range(threads - 1))
        cluster.note(cluster.kernel.clock)
        yield from call(Call.NODE_GET_NUM)
        cluster.note(cluster.kernel.clock)
        cluster.memory.set_word(flag, 1)
        return 0

    cluster.start(main)
    Execution(cluster.kernel, loop, 0, StepCycles(run=100_000))
    drain(loop)
    before, after = cluster.results
    return after - before


def test_a_thread_that_shares_its_core_with_a_spinning_one_waits_for_the_quantum() -> None:
    """The 16th user thread costs a quantum for each call, twice as much with twice the quantum (facts 8.5)."""
    tick = StepCycles().tick
    for quantum in (128, 256):
        jump = down_time(16, quantum) - down_time(15, quantum)
        assert quantum <= jump / tick < quantum + 10


def test_a_thread_grows_older_while_nobody_waits_for_its_core() -> None:
    """There is no event for ticks that change nothing; a sleeper that is woken after them waits for no quantum."""
    loop = Loop(Ordinary())
    cluster = Cluster(TINY, quantum=128)
    tick = StepCycles().tick
    noted: list[int] = []

    def sleeper(_: int) -> Script:
        yield from call(Call.SLEEP)
        noted.append(cluster.kernel.clock)
        return 0

    def waker(_: int) -> Script:
        while cluster.kernel.clock < 300 * tick:
            yield None
        noted.append(cluster.kernel.clock)
        return (yield from call(Call.WAKEUP, cluster.kernel.uarea.thread(2).tid))

    def main(_: int) -> Script:
        yield from each(cluster.create(routine) for routine in (waker, sleeper))
        while len(noted) < 2:
            yield None
        return 0

    cluster.start(main)
    Execution(cluster.kernel, loop, 0, StepCycles(run=50_000))
    drain(loop)
    assert 0 <= noted[1] - noted[0] < 20 * tick


def test_two_kernels_and_their_network_share_one_loop() -> None:
    loop = Loop(Ordinary())
    network = Network(Interconnect(MPPA256.torus.nodes, loop))
    clusters = [Cluster(MPPA256, node=node, network=network) for node in (8, 9)]

    def main(node: int) -> Script:
        cluster = clusters[node - 8]
        buffer = cluster.allocate(64)
        into = yield from call(Call.MAILBOX_CREATE, node, 0)
        out = yield from call(Call.MAILBOX_OPEN, 17 - node, 0)
        cluster.memory.fill(buffer, 64, node)
        cluster.note((yield from call(Call.MAILBOX_WRITE, out, buffer, 64)))
        cluster.note((yield from call(Call.MAILBOX_READ, into, buffer, 64)))
        assert cluster.memory.holds(buffer, bytes((17 - node,)) * 64)
        return 0

    for number, cluster in enumerate(clusters):
        cluster.start(main, 8 + number)
        Execution(cluster.kernel, loop, number)
    drain(loop)
    assert [cluster.results for cluster in clusters] == [[64, 64]] * 2
