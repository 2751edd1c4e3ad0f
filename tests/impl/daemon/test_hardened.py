"""The hardened daemon: a process survives every move, is on one cluster, and every refusal has its reason."""

from __future__ import annotations

from random import Random

import pytest

from impl.daemon.machines import RESULT, WHERE, Hardened, load_mover
from impl.daemon.moves import (
    assert_empty,
    carry,
    load_counters,
    swallow,
)
from impl.daemon.wire import Wire
from kmigrate.impl.chip.geometry import MPPA256, PIECE_BYTES, TINY, Geometry
from kmigrate.impl.daemon.letters import Kind
from kmigrate.impl.image import capture
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase

GEOMETRIES = pytest.mark.parametrize("geometry", [TINY, MPPA256], ids=["tiny", "mppa256"])


# -- moving -----------------------------------------------------------------------------------------------


@GEOMETRIES
def test_a_process_moves_and_ends_on_the_other_node_alone(geometry: Geometry) -> None:
    machines = Hardened(2, geometry)
    value = load_mover(machines[0], machines[1].kernel.node, 3, 2)
    tid = machines.boot(0)[0]
    assert machines.run(lambda: machines[1].ended(tid) and machines.where(0) == [1])
    assert machines[1].kernel.uarea.retval(tid) == value
    assert (machines[1].word(WHERE), machines[1].word(RESULT)) == (machines[1].kernel.node, 0)
    assert machines.names.owner[0] == machines[1].kernel.node
    assert_empty(machines[0])


def test_a_move_is_told_in_the_words_of_the_protocol() -> None:
    machines = Hardened(2)
    load_mover(machines[0], machines[1].kernel.node, 1, 0)
    machines.boot(0)
    assert machines.run(lambda: machines.where(0) == [1])
    assert machines.story == [
        "requested",
        "granted",
        "freeze_started",
        "barrier_passed",
        "section_sent",
        "section_staged",
        "installed",
        "commit_asked",
        "commit_recorded",
        "move_completed",
        "copy_started",
    ]
    facts = {"process": 0, "source": 1, "destination": 2, "epoch": 1}
    assert all(facts.items() <= told.items() for _, told in machines.told)


@pytest.mark.parametrize(("threads", "pages"), [(1, 0), (3, 2), (17, 16)])
def test_the_wire_carries_what_the_formula_says(monkeypatch: pytest.MonkeyPatch, threads: int, pages: int) -> None:
    wire = Wire(monkeypatch)
    machines = Hardened(2, MPPA256)
    load_mover(machines[0], machines[1].kernel.node, threads - 1, pages)
    machines.boot(0)
    assert machines.run(lambda: machines.where(0) == [1])
    variable = 2 * threads + pages + min(pages, 1)
    head, *payload, digest = wire.sizes
    assert sum(payload) == 23_008 + PIECE_BYTES * variable
    assert len(payload) == 9 + variable
    assert (head <= PIECE_BYTES, digest) == (True, 32)


@GEOMETRIES
def test_the_destination_holds_the_bytes_of_the_source_at_its_freeze(geometry: Geometry) -> None:
    machines = Hardened(2, geometry)
    source, destination = machines.nodes
    load_mover(source, destination.kernel.node, 3, 2)
    machines.boot(0)
    assert machines.run(lambda: machines.phases() == (SourcePhase.FROZEN, DestinationPhase.STAGING))
    assert source.kernel.freezing.at_rest
    assert machines.run(lambda: source.only_users_are_ready)
    before = capture(source.memory, source.placement)
    assert machines.run(lambda: machines.phases()[1] is DestinationPhase.INSTALLED)
    assert machines.run(lambda: destination.only_users_are_ready)
    assert destination.kernel.freezing.at_rest
    assert capture(destination.memory, destination.placement) == before


def test_a_workload_survives_many_moves_and_leaves_nothing_behind() -> None:
    """Twenty moves around three nodes at arbitrary moments, while threads allocate, count, call and join."""
    machines, rounds, moves, now = Hardened(3), 120, 0, 0
    random = Random(2026)
    load_counters(machines[0], rounds)
    tid = machines.boot(0)[0]
    while moves < 20:
        for _ in range(random.randrange(60)):
            machines.step()
        target = (now + random.choice((1, 2))) % 3
        carry(machines, now, target)
        assert_empty(machines[now])
        now, moves = target, moves + 1
    assert not machines[now].ended(tid)
    machines.run(lambda: machines[now].ended(tid), 60_000)
    assert machines[now].kernel.uarea.retval(tid) == 3 * rounds
    assert machines.names.recorded[0] == 20


def test_no_core_keeps_a_translation_of_the_process_before() -> None:
    """H31: node 1 is left by a process whose page stood in another frame, and filled by the next."""
    machines = Hardened(3)
    load_mover(machines[0], machines[1].kernel.node, 2, 1)
    load_mover(machines[1], machines[2].kernel.node, 2, 1)
    machines.boot()
    machines[1].kernel.frames.take(0)
    for number in (1, 0):
        machines[number].kernel.threads.create(machines[number].base, 0)
        machines.names.register(number, machines[number].kernel.node)
        machines.daemons[number].adopt(number)
        assert machines.run(lambda: machines.where(number) == [number + 1])  # noqa: B023
        assert all(node.stale == [] for node in machines.nodes)
    assert machines[1].kernel.paging.translate(TINY.user_base) == machines[1].placement.frame(0)


LETTERS = (Kind.REQ, Kind.INST, Kind.COM, Kind.CYES, Kind.CNO, Kind.YES, Kind.NO, Kind.NACK)


@pytest.mark.parametrize("kind", LETTERS, ids=lambda kind: kind.name)
def test_an_attempt_ends_without_any_one_of_its_letters(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    """The letter is lost once, and said again; a process that could move has moved all the same."""
    swallow(monkeypatch, kind)
    machines = Hardened(2, patience=12)
    value = load_mover(machines[0], machines[1].kernel.node, 2, 1)
    tid = machines.boot(0)[0]
    if kind is Kind.NACK:
        machines[1].kernel.frames.take(0)
    if kind in (Kind.CNO, Kind.NO):
        machines.names.recorded[0] = 9  # this epoch was ruled out: the attempt cannot commit
    assert machines.run(lambda: value in [node.kernel.uarea.retval(tid) for node in machines.nodes])
    assert machines.run(lambda: machines.phases() == (None, None))
    (where,) = machines.where(0)
    assert machines[where].kernel.uarea.retval(tid) == value
    assert machines.names.owner[0] == machines[where].kernel.node
    assert where == int(kind not in (Kind.NACK, Kind.CNO, Kind.NO))


def test_the_source_waits_for_its_slowest_core() -> None:
    """H15: a core takes its interrupt late; nothing is sent before, and the right result comes out."""
    machines = Hardened(2)
    source = machines[0]
    load_counters(source, 40)
    tid = machines.boot(0)[0]
    assert machines.run(lambda: source.in_user_code(2))
    source.late = [2]
    machines.daemons[0].source.request(machines[1].kernel.node)
    assert machines.run(lambda: machines.phases()[0] is SourcePhase.FREEZING)
    for _ in range(1500):
        machines.step()
    assert not source.kernel.scheduler.is_idle(2)
    assert machines.phases()[0] is SourcePhase.FREEZING
    assert "barrier_passed" not in machines.story
    source.late = []
    assert machines.run(lambda: machines.where(0) == [1])
    assert machines.run(lambda: machines[1].ended(tid))
    assert machines[1].kernel.uarea.retval(tid) == 3 * 40


def test_a_process_is_not_copied_beside_a_thread_of_the_system() -> None:
    """H22: after the boot master and dispatcher stand in the READY queue, which is part of the image."""
    machines = Hardened(1)
    kernel, residence = machines[0].kernel, machines.daemons[0].station.residence
    kernel.boot()
    kernel.freezing.hold()
    assert kernel.freezing.at_rest
    assert not residence.quiet
    with pytest.raises(KernelPanic, match="not at rest"):
        residence.image(0, 1, 1, source=1, destination=2)
    while not machines[0].only_users_are_ready:
        kernel.uarea.ready.pop()
    assert residence.quiet
    image = residence.image(0, 1, 1, source=1, destination=2)
    kernel.freezing.release()
    for step in (lambda: residence.fill(image), lambda: residence.clear((), ())):
        with pytest.raises(KernelPanic, match="not at rest"):
            step()
