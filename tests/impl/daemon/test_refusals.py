"""The hardened daemon refuses with a reason, gives up in time, and leaves the process where it was."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.daemon.machines import RESULT, WHERE, WORKER, Hardened, load_mover, load_spinner
from impl.daemon.moves import (
    Shuffled,
    assert_empty,
    damage,
    is_settled,
    load_counters,
    meddle,
    refusal,
    wrapped,
)
from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.daemon.attempt import Attempt, Refusal
from kmigrate.impl.daemon.letters import Kind, Letter
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.machinecode import A0
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.syscall import Call
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase
from support.machinecode import RETURN, S0, T0, call, loop


def test_crossing_requests_are_refused_and_both_run_on() -> None:
    """H3: each is occupied; nothing is held and nothing lost."""
    machines = Hardened(2)
    for number in (0, 1):
        load_mover(machines[number], machines[1 - number].kernel.node, 1, 1)
    tids = machines.boot(0, 1)
    assert machines.run(lambda: all(machines[number].ended(tid) for number, tid in tids.items()))
    for node, daemon in zip(machines.nodes, machines.daemons, strict=True):
        assert signed(node.word(RESULT)) == -Errno.EBUSY
        assert node.word(WHERE) == node.kernel.node
        assert daemon.source.last is not None
        assert daemon.source.last.refusal is Refusal.OCCUPIED


def test_of_two_requests_for_one_place_one_is_refused() -> None:
    """H6."""
    machines = Hardened(3)
    for number in (0, 1):
        load_mover(machines[number], machines[2].kernel.node, 1, 1)
    machines.boot(0, 1)
    sources = [daemon.source for daemon in machines.daemons[:2]]
    assert machines.run(lambda: all(source.last is not None and source.current is None for source in sources))
    assert machines.run(lambda: machines.daemons[2].destination.current is None)
    refusals = [source.last.refusal for source in sources if source.last is not None]
    assert refusals.count(None) == 1
    assert {refusal for refusal in refusals if refusal} <= {Refusal.RESERVED, Refusal.OCCUPIED}
    assert sorted(machines.where(0) + machines.where(1)) == [refusals.index(None) ^ 1, 2]


@pytest.mark.parametrize("what", ["frame", "kernel page"])
def test_a_destination_without_room_refuses_before_the_freeze(what: str) -> None:
    machines = Hardened(2)
    source, destination = machines.nodes
    value = load_mover(source, destination.kernel.node, 2, 1)
    tid = machines.boot(0)[0]
    if what == "frame":
        destination.kernel.frames.take(0)
    else:
        destination.kernel.kernel_pages.take(4)
    while not source.ended(tid):
        machines.step()
        assert not source.kernel.scheduler.frozen
    assert source.kernel.uarea.retval(tid) == value
    assert signed(source.word(RESULT)) == -Errno.EAGAIN
    assert refusal(machines) is Refusal.NO_ROOM


def test_a_destination_whose_room_has_gone_meanwhile_gives_up_and_the_source_runs_on() -> None:
    """The process takes a page after its request; that frame is in use at the destination."""
    machines = Hardened(2)
    source, destination = machines.nodes
    value = load_mover(source, destination.kernel.node, 2, 1)
    tid = machines.boot(0)[0]
    assert machines.run(lambda: machines.phases()[1] is DestinationPhase.STAGING)
    destination.kernel.frames.take(3)
    source.kernel.frames.take(3)
    assert machines.run(lambda: source.ended(tid))
    assert source.kernel.uarea.retval(tid) == value
    assert refusal(machines) is Refusal.NO_ROOM
    assert destination.kernel.frames.free_frames == TINY.frames - 1
    assert not destination.kernel.scheduler.held


def test_a_thread_that_no_image_would_find_is_a_reason_to_stay() -> None:
    """H24: a worker sleeps in the kernel until another wakes it."""
    machines = Hardened(2)
    source = machines[0]
    source.place(
        0,
        call(Call.THREAD_CREATE, 0, source.base + WORKER, 0),
        loop(S0, 20, call(Call.THREAD_YIELD)),
        call(Call.MIGRATE_TO, machines[1].kernel.node),
        asm.li(T0, source.data),
        asm.store("sw", A0, T0, RESULT),
        call(Call.THREAD_EXIT, 5),
    )
    source.place(WORKER, call(Call.SLEEP), RETURN)
    tid = machines.boot(0)[0]
    assert machines.run(lambda: source.ended(tid))
    assert signed(source.word(RESULT)) == -Errno.EBUSY
    assert machines.daemons[0].source.last is None
    assert "requested" not in machines.story
    assert machines[1].kernel.kernel_pages.free_pages == TINY.kernel_pages - 4


def test_a_request_is_taken_back() -> None:
    machines = Hardened(2)
    load_spinner(machines[0])
    machines.boot(0)
    daemon = machines.daemons[0]
    with pytest.raises(Refused, match="ENOENT: no attempt is open"):
        daemon.source.cancel()
    for phase in (SourcePhase.ASKING, SourcePhase.FREEZING, SourcePhase.FROZEN):
        daemon.source.request(machines[1].kernel.node)
        assert machines.run(lambda: machines.phases()[0] is phase)  # noqa: B023
        daemon.source.cancel()
        assert machines.run(lambda: machines.phases()[0] is None)
        assert refusal(machines) is Refusal.CANCELLED
        assert machines.run(lambda: is_settled(machines, 1))
        assert not machines[0].kernel.scheduler.held
        assert machines.where(0) == [0]
    daemon.source.request(machines[1].kernel.node)
    assert machines.run(lambda: machines.where(0) == [1])


def test_after_the_commit_a_cancel_is_only_a_question() -> None:
    machines = Hardened(2)
    load_spinner(machines[0])
    machines.boot(0)
    machines.daemons[0].source.request(machines[1].kernel.node)
    assert machines.run(lambda: machines.phases()[0] is SourcePhase.COMMITTING)
    machines.daemons[0].source.cancel()
    assert machines.run(lambda: machines.daemons[0].source.current is None)
    assert machines.run(lambda: machines.where(0) == [1])


def test_a_node_without_a_daemon_is_given_up() -> None:
    """H9: node 3 never comes up; the source is not held meanwhile."""
    machines = Hardened(1, patience=12)
    absent = machines[0].kernel.node + 2
    load_mover(machines[0], absent, 1, 1)
    tid = machines.boot(0)[0]
    assert machines.run(lambda: machines[0].ended(tid))
    assert signed(machines[0].word(RESULT)) == -Errno.ETIMEDOUT
    assert machines.run(lambda: machines.phases()[0] is None)


def test_a_destination_whose_source_is_silent_gives_the_room_back() -> None:
    machines = Hardened(2, patience=12)
    machines.boot()
    source, destination = machines[0].kernel.node, machines.daemons[1].destination
    shape = machines.daemons[0].station.residence.shape
    request = Letter(Kind.REQ, Attempt(7, source + 2, source + 1, 1), layout=shape.kernel[:8], frames=(1, 2))
    assert machines.run(lambda: machines.network.mailboxes[source].write(source + 1, wrapped(machines, request)))
    assert machines.run(lambda: destination.current is not None)
    assert machines[1].kernel.frames.free_frames == TINY.frames - 2
    assert machines.run(lambda: destination.current is None)
    assert destination.last is not None
    assert destination.last.refusal is Refusal.TIMEOUT
    assert machines[1].kernel.frames.free_frames == TINY.frames


@pytest.mark.parametrize(("target", "errno"), [(-1, Errno.EINVAL), (99, Errno.EINVAL), ("here", Errno.EINVAL)])
def test_a_call_to_no_other_node_is_refused(target: int | str, errno: Errno) -> None:
    machines = Hardened(1)
    node = machines[0]
    load_mover(node, node.kernel.node if target == "here" else int(target), 1, 0)
    tid = machines.boot(0)[0]
    assert machines.run(lambda: node.ended(tid))
    assert signed(node.word(RESULT)) == -errno


def test_a_cluster_without_a_process_and_one_with_an_open_attempt_refuse_requests() -> None:
    machines = Hardened(3)
    load_spinner(machines[0])
    machines.boot(0)
    with pytest.raises(Refused, match="ENOENT: no process stands here"):
        machines.daemons[1].source.request(machines[0].kernel.node)
    machines.daemons[0].source.request(machines[1].kernel.node)
    with pytest.raises(Refused, match="EBUSY: attempt p0 n1>n2 epoch 1 is open"):
        machines.daemons[0].source.request(machines[2].kernel.node)


def test_a_process_that_has_ended_leaves_its_place_to_another() -> None:
    """It leaves a page behind, which nobody has given back."""
    machines = Hardened(2)
    for number in (0, 1):
        load_mover(machines[number], 99 if number else machines[1].kernel.node, 2, 1)
    tid = machines.boot(1)[1]
    assert machines.run(lambda: machines[1].ended(tid) and machines.daemons[1].station.residence.empty)
    assert machines[1].kernel.frames.free_frames == TINY.frames - 1
    with pytest.raises(Refused, match="ENOENT"):
        machines.daemons[1].source.request(machines[0].kernel.node)
    machines[0].kernel.threads.create(machines[0].base, 0)
    machines.names.register(5, machines[0].kernel.node)
    machines.daemons[0].adopt(5)
    assert machines.run(lambda: machines.where(5) == [1])


def test_a_damaged_piece_is_refused_and_the_source_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seventh piece has one wrong bit."""
    damage(monkeypatch, 7)
    machines = Hardened(2)
    value = load_mover(machines[0], machines[1].kernel.node, 2, 1)
    tid = machines.boot(0)[0]
    assert machines.run(lambda: machines[0].ended(tid))
    assert machines[0].kernel.uarea.retval(tid) == value
    assert signed(machines[0].word(RESULT)) == -Errno.EIO
    assert refusal(machines) is Refusal.DAMAGED
    assert machines.run(lambda: is_settled(machines, 1))
    assert machines.run(lambda: machines[1].only_users_are_ready)
    assert_empty(machines[1])


@given(st.integers(0, 1 << 32))
@settings(deadline=None, max_examples=3)
def test_no_schedule_loses_doubles_or_tears_a_process(seed: int) -> None:
    """Two processes, three nodes, requests and cancels at any moment, every order of steps and deliveries."""
    random = Random(seed)
    machines = Hardened(3, choices=Shuffled(seed), patience=random.choice((15, 400)))
    rounds = (12, 9)
    for container in (0, 1):
        load_counters(machines[container], rounds[container])
    tid = machines.boot(0, 1)[0]
    values: dict[int, int] = {}
    while len(values) < 2:
        if random.random() < 0.008:
            meddle(machines, random)
        machines.step()
        for container in (0, 1):
            free = [number for number in machines.where(container) if not machines[number].kernel.scheduler.held]
            assert len(free) <= 1
            for number in free:
                uarea = machines[number].kernel.uarea
                if uarea.next_tid > tid + 3 and machines[number].ended(tid) and container not in values:
                    values[container] = uarea.retval(tid)
    assert values == {0: 3 * rounds[0], 1: 3 * rounds[1]}
