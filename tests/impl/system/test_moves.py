"""Moves on the whole machine: daemons behind it, third parties by message, statuses, cancels."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from impl.chip import assembly as asm
from impl.system.small import small
from kmigrate.impl import TINY
from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES
from kmigrate.impl.daemon.attempt import Attempt, Refusal
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.letters import Kind, Letter
from kmigrate.impl.daemon.walk import walk
from kmigrate.impl.kernel.communicators import Header
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.portals import PORTAL_PORTS
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.programs.catalogue import experiment_argument
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.system import IO, Machine, Phase, Process
from kmigrate.impl.system.moves import MoveStatus, spans
from kmigrate.impl.system.requests import Stand
from kmigrate.spec.vocabulary import DATA_STATES, MovePhase, Mstate
from support.machinecode import S0, S1, call, loop

COUNT = 3_000_000
COUNTS = small("counts", loop(S0, COUNT), asm.li(A0, 5), asm.jalr(0, RA, 0))
PAGED = small(
    "paged",
    asm.immediate("addi", S1, RA, 0),
    call(Call.PAGE_ALLOC, TINY.user_base),
    loop(S0, COUNT),
    asm.li(A0, 5),
    asm.jalr(0, S1, 0),
)


def started(daemon: str = "hardened") -> tuple[Machine, Process]:
    system = Machine(TINY, daemon=daemon)
    process = system.spawn(COUNTS, 1, name="counts")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    return system, process


def status_of(system: Machine, process: Process) -> MoveStatus:
    status = system.status(process)
    assert status is not None
    return status


def settled(system: Machine, process: Process) -> MoveStatus:
    system.run_until(lambda: not system.wishes, "the wish is not heard")
    system.run_until(
        lambda: not any(request.open for request in system.services.state.requests), "the request is open"
    )
    system.run_until(lambda: status_of(system, process).over, "the move is not over")
    return status_of(system, process)


@pytest.mark.parametrize("daemon", ["hardened", "published"])
def test_a_process_ends_right_where_it_was_moved(daemon: str) -> None:
    system, process = started(daemon)
    assert system.status(process) is None
    system.move(process, 2)
    assert system.wait(process) == 5
    assert system.place(process).number == 2
    status = status_of(system, process)
    assert (status.phase, status.mstate, status.reason) == (MovePhase.COMPLETED, Mstate.FINISH, "")
    assert 0 < status.setup_time < status.downtime < status.total_time


def test_the_parts_of_a_move_are_told_in_order() -> None:
    system, process = started()
    system.move(process, 2)
    system.run_until(
        lambda: system.status(process) is not None and status_of(system, process).mstate is Mstate.UAREA,
        "no UArea moves",
    )
    assert status_of(system, process).phase is MovePhase.PRE_SWITCHOVER
    status = settled(system, process)
    held = [state.value for state in DATA_STATES if state is not Mstate.FRAMES_PHYS]
    assert [name for name, _ in status.breakdown] == ["setup", "freeze", *held, "commit", "thaw"]
    assert sum(cycles for _, cycles in status.breakdown) == status.total_time
    assert status.pieces == 2 + len(held) + 1, "manifest and digest; two pages are two pieces"


def test_the_parts_of_a_published_move_are_told_in_order_and_are_in_its_trace() -> None:
    system = Machine(TINY, daemon="published", keep=True)
    process = system.spawn(COUNTS, 1, name="counts")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.move(process, 2)
    assert system.wait(process) == 5
    system.run(1_000_000)
    status = status_of(system, process)
    held = [state.value for state in DATA_STATES if state is not Mstate.FRAMES_PHYS]
    assert [name for name, _ in status.breakdown] == ["setup", "freeze", *held, "thaw"]
    assert sum(cycles for _, cycles in status.breakdown) == status.total_time
    found = spans(system.agenda.tape.events)
    assert [(one.name, one.cycles) for one in found] == list(status.breakdown)
    assert {(one.node, one.process, one.epoch) for one in found} == {(system.node_of(1), None, 1)}
    sizes = [part.size for part in walk(system.cluster(1).kernel)]
    assert status.ram_bytes == sum(sizes[:8]) + (status.pieces - 8) * TINY.page_bytes


def test_a_third_party_is_told_how_its_request_stands() -> None:
    system, process = started()
    system.move(process, 3)
    system.run_until(lambda: bool(system.services.state.requests), "nobody has asked")
    (request,) = system.services.state.requests
    assert request.stand is Stand.ASKED
    system.run_until(lambda: system.services.state.requests[0].stand is not Stand.ASKED, "nobody has answered")
    stands = [request.stand for request in system.services.state.requests]
    settled(system, process)
    stands += [request.stand for request in system.services.state.requests]
    assert stands == [Stand.MOVING, Stand.MOVED]


def test_a_request_beside_another_is_refused_and_the_first_goes_on() -> None:
    system, process = started()
    system.move(process, 3)
    system.move(process, 2)
    settled(system, process)
    assert [(one.stand, one.reason) for one in system.services.state.requests] == [
        (Stand.MOVED, None),
        (Stand.STAYED, Refusal.UNDER_WAY),
    ]
    assert system.place(process).number == 3


def test_a_request_for_a_process_that_has_not_begun_is_refused() -> None:
    system = Machine(TINY)
    process = system.spawn(COUNTS, 1, name="counts")
    system.move(process, 2)
    system.run(1)
    status = status_of(system, process)
    assert (status.phase, status.reason, status.downtime) == (MovePhase.FAILED, "not-here", 0)


@pytest.mark.parametrize("wait", [0, 30_000, 100_000, 1_000_000])
def test_a_move_is_called_off_at_any_time_before_the_commit(wait: int) -> None:
    system, process = started()
    system.move(process, 2)
    system.run(wait)
    system.cancel(process)
    status = settled(system, process)
    assert (status.phase, status.reason) == (MovePhase.CANCELLED, "cancelled")
    assert system.services.state.requests[0].reason is Refusal.CANCELLED
    assert system.wait(process) == 5
    assert system.place(process).number == 1


def test_only_the_service_of_the_machine_may_ask_for_another() -> None:
    """Another node sends the same letter; the daemon answers it, and nothing moves."""
    system, process = started()
    attempt = Attempt(process.number, system.node_of(1), system.node_of(2), 0)
    content = Letter(Kind.ASK, attempt, 1).encode(TINY)
    forged = Header(system.node_of(3), 0, 0, len(content)).pack(content)
    system.network.mailboxes[system.node_of(3)].write(system.node_of(1), forged)
    system.run(1_000_000)
    daemon = system.daemon(1)
    assert isinstance(daemon, HardenedDaemon)
    assert daemon.source.last is None
    assert system.status(process) is None


def test_a_process_is_lost_with_the_cluster_that_owns_it() -> None:
    system, process = started()
    system.move(process, 2)
    settled(system, process)
    system.stop(2)
    system.run(1)
    assert status_of(system, process).phase is MovePhase.LOST_WITH_NODE


def test_a_process_with_an_alarm_is_not_moved_without_it() -> None:
    """The alarm is a static of the kernel: the process would wait for it in vain (H28)."""
    alarmed = small("alarmed", asm.immediate("addi", S1, RA, 0), call(Call.ALARM, 1_000), loop(S0, COUNT),
                    call(Call.ALARM, 0), loop(S0, COUNT), asm.li(A0, 5), asm.jalr(0, S1, 0))  # fmt: skip
    system = Machine(TINY)
    process = system.spawn(alarmed, 1, name="alarmed")
    signals = system.cluster(1).kernel.signals
    system.run_until(lambda: signals.alarmed and system.phase(process) is Phase.RUNNING, "no alarm is set")
    system.move(process, 2)
    status = settled(system, process)
    assert (status.phase, status.downtime) == (MovePhase.FAILED, 0)
    assert Refusal.WAITERS.reason in status.reason
    system.run_until(lambda: not signals.alarmed, "the alarm is not taken back")
    system.move(process, 2)
    assert system.wait(process) == 5
    assert system.place(process).number == 2


@pytest.mark.parametrize(("name", "clusters"), [("threads", 2), ("parallel", 4)])
def test_the_experiments_end_under_the_published_daemon(name: str, clusters: int) -> None:
    """Their destinations hold processes of their own, which only that daemon writes over."""
    system = Machine(daemon="published")
    argument = experiment_argument(helpers=3, pages=2, clusters=clusters)
    timer = system.spawn(name, IO, argument)
    parts = [system.spawn(name, cluster, argument) for cluster in range(clusters)]
    assert system.wait(timer, limit=100_000_000) == 0
    assert [system.wait(part, limit=100_000_000) for part in parts] == [0] * clusters
    assert system.word(timer, "downtime") > 0
    assert system.crashes() == ()


# -- a destination without room --------------------------------------------------------------------------


def fill_frames(system: Machine) -> None:
    destination = system.cluster(2)
    for frame in range(TINY.frames):
        destination.kernel.frames.take(frame)


def fill_kernel_pages(system: Machine) -> None:
    destination = system.cluster(2)
    for page in range(SYSTEM_KERNEL_PAGES, TINY.kernel_pages):
        destination.kernel.kernel_pages.take(page)


def fill_threads(system: Machine) -> None:
    """A process stands there, so that none of its threads is free."""
    other = system.spawn(COUNTS, 2, name="other")
    system.run_until(lambda: system.phase(other) is Phase.RUNNING, "it does not run")


def fill_ports(system: Machine) -> None:
    """All ports of the source's portals towards the destination are in use."""
    calls = system.cluster(1).kernel.calls.remote
    source, destination = system.node_of(1), system.node_of(2)
    for _ in range(PORTAL_PORTS):
        assert calls[Call.PORTAL_OPEN](0, (source, destination, 9, 0, 0)) >= 0


def fill_mailboxes(system: Machine, cluster: int, node: int) -> None:
    """All ports of a cluster's mailboxes towards a node are in use."""
    kernel = system.cluster(cluster).kernel
    while kernel.mailboxes.has_room(node):
        assert kernel.calls.remote[Call.MAILBOX_OPEN](0, (node, 9, 0, 0, 0)) >= 0


def fill_answers(system: Machine) -> None:
    """The destination can tell the source nothing."""
    fill_mailboxes(system, 2, system.node_of(1))


def fill_questions(system: Machine) -> None:
    """The destination could not ask the name service what has become of an attempt."""
    fill_mailboxes(system, 2, system.services.node)


def fill_commits(system: Machine) -> None:
    """The source could not commit, nor say to the service of moves that it does not move."""
    fill_mailboxes(system, 1, system.services.node)


@pytest.mark.parametrize(
    ("fill", "reason"),
    [
        (fill_frames, Refusal.NO_ROOM),
        (fill_kernel_pages, Refusal.NO_ROOM),
        (fill_threads, Refusal.OCCUPIED),
        (fill_ports, Refusal.NO_PORT),
        (fill_answers, Refusal.TIMEOUT),
        (fill_questions, Refusal.NO_PORT),
        (fill_commits, Refusal.NO_ANSWER),
    ],
)
def test_a_move_for_which_there_is_no_room_is_refused_before_the_freeze(
    fill: Callable[[Machine], None], reason: Refusal
) -> None:
    system = Machine(TINY, keep=True)
    process = system.spawn(PAGED, 1, name="paged")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run(500_000)
    assert system.cluster(1).kernel.frames.free_frames < TINY.frames
    fill(system)
    before = system.cluster(2).kernel.frames.free_frames, system.cluster(2).kernel.kernel_pages.free_pages
    system.move(process, 2)
    status = settled(system, process)
    assert (status.phase, status.reason, status.downtime) == (MovePhase.FAILED, reason.reason, 0)
    assert "freeze_started" not in {event.name for event in system.agenda.tape.events}
    assert not any(cluster.kernel.scheduler.held for cluster in system.clusters.values())
    after = system.cluster(2).kernel.frames.free_frames, system.cluster(2).kernel.kernel_pages.free_pages
    assert after == before
    assert system.wait(process) == 5
    assert system.place(process).number == 1


def test_a_process_whose_thread_sleeps_outside_of_it_is_refused_before_the_freeze() -> None:
    system = Machine(TINY)
    sleeper = small("sleeper", call(Call.SLEEP), asm.jalr(0, RA, 0))
    process = system.spawn(sleeper, 1, name="sleeper")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run(500_000)
    system.move(process, 2)
    status = settled(system, process)
    assert (status.phase, status.reason, status.downtime) == (MovePhase.FAILED, "waiters", 0)


OWN, PEER = (TINY.torus.first_compute + number for number in (1, 3))
PORT = 9
ENDS = {
    "mailbox made": call(Call.MAILBOX_CREATE, OWN, PORT),
    "mailbox opened": call(Call.MAILBOX_OPEN, PEER, PORT),
    "portal made": call(Call.PORTAL_CREATE, OWN, PORT),
    "portal opened": call(Call.PORTAL_OPEN, OWN, PEER, PORT),
}
CLOSING = {"mailbox opened": Call.MAILBOX_CLOSE, "portal opened": Call.PORTAL_CLOSE}


def holder(end: str, *, closes: bool) -> UserProgram:
    """It makes or opens an end, holds or closes it, counts for long, and returns."""
    afterwards = [call(CLOSING[end])] if closes else []
    return small(
        "holder", asm.immediate("addi", S1, RA, 0), ENDS[end], *afterwards, loop(S0, COUNT), asm.jalr(0, S1, 0)
    )


def asked_to_move(end: str, *, closes: bool) -> MoveStatus:
    """How a move of it ends."""
    system = Machine(TINY)
    process = system.spawn(holder(end, closes=closes), 1, name="holder")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run(500_000)
    system.move(process, 2)
    return settled(system, process)


@pytest.mark.parametrize("end", list(ENDS))
def test_a_process_that_holds_an_end_is_refused_before_the_freeze(end: str) -> None:
    """H26: what is sent to it stays behind, and the id of an output is another's on another cluster."""
    status = asked_to_move(end, closes=False)
    assert (status.phase, status.reason, status.downtime) == (MovePhase.FAILED, "waiters", 0)


@pytest.mark.parametrize("end", list(CLOSING))
def test_a_process_that_has_closed_its_outputs_moves(end: str) -> None:
    assert asked_to_move(end, closes=True).phase is MovePhase.COMPLETED


def test_a_mailbox_goes_with_the_process_that_has_made_it() -> None:
    """The next process of the cluster gets the same port, and the one after it."""
    system = Machine(TINY)
    program = small(
        "maker",
        asm.immediate("addi", S1, RA, 0),
        call(Call.MAILBOX_CREATE, system.node_of(1), 9),
        asm.jalr(0, S1, 0),
    )
    values = [system.wait(system.spawn(program, 1, name=f"maker.{number}")) for number in range(3)]
    assert len(set(values)) == 1
    assert 0 <= values[0] < 2**31
