"""Five ways to move a process: the same process arrives, and each way keeps what it promises."""

from __future__ import annotations

from random import Random

import pytest

from impl.daemon.machines import Hardened
from impl.daemon.moves import assert_empty, damage, refusal, swallow
from impl.daemon.writers import Stoppable, load_writers, move, started, until_frozen, until_installed
from kmigrate.impl.chip.geometry import MPPA256, TINY, Geometry
from kmigrate.impl.daemon.attempt import Refusal
from kmigrate.impl.daemon.letters import Kind
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.impl.image import capture
from kmigrate.impl.kernel.errors import Refused
from kmigrate.spec.vocabulary import Mode

MODES = pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
WHOLE = (Mode.COLD, Mode.STOP_AND_COPY, Mode.PRE_COPY)
FOLLOW = (Mode.POST_COPY, Mode.HYBRID)


@pytest.mark.parametrize(
    ("geometry", "mode"),
    [*((TINY, mode) for mode in Mode), (MPPA256, Mode.HYBRID)],
    ids=lambda value: value.value if isinstance(value, Mode) else value.name,
)
def test_a_process_moves_and_ends_right(geometry: Geometry, mode: Mode) -> None:
    machines = Hardened(2, geometry)
    value = load_writers(machines[0], 3, 2, 30_000)
    tid = started(machines, 3)
    move(machines, mode)
    assert not machines[1].ended(tid)
    assert_empty(machines[0])
    assert machines.run(lambda: machines[1].ended(tid))
    assert machines[1].kernel.uarea.retval(tid) == value


@pytest.mark.parametrize(
    ("geometry", "mode"),
    [*((TINY, mode) for mode in WHOLE), (MPPA256, Mode.COLD), (MPPA256, Mode.PRE_COPY)],
    ids=lambda value: value.value if isinstance(value, Mode) else value.name,
)
def test_the_destination_holds_the_bytes_of_the_source_at_its_freeze(geometry: Geometry, mode: Mode) -> None:
    machines = Hardened(2, geometry)
    load_writers(machines[0], 3, 1, 100_000)
    started(machines, 3)
    machines.daemons[0].source.request(machines[1].kernel.node, mode=mode)
    frozen = until_frozen(machines)
    until_installed(machines)
    assert capture(machines[1].memory, machines[1].placement) == frozen.sections
    assert ("page_copied" in machines.story) is (mode is Mode.PRE_COPY)


@pytest.mark.parametrize(
    ("geometry", "mode"),
    [*((TINY, mode) for mode in FOLLOW), (MPPA256, Mode.HYBRID)],
    ids=lambda value: value.value if isinstance(value, Mode) else value.name,
)
def test_each_page_that_follows_is_the_frozen_one_and_arrives_once_and_before_its_first_use(
    geometry: Geometry, mode: Mode
) -> None:
    machines = Hardened(2, geometry)
    value = load_writers(machines[0], 3, 2, 30_000)
    tid = started(machines, 3)
    machines.daemons[0].source.request(machines[1].kernel.node, mode=mode)
    frozen = until_frozen(machines)
    station, tracking = machines.daemons[1].station, machines[1].kernel.tracking
    assert machines.run(lambda: station.arriving is not None)
    following = list(tracking.awaited)
    assert following
    while station.arriving is not None:
        for frame in tracking.awaited:  # nobody has used it
            assert station.residence.page(frame) == bytes(geometry.page_bytes)
        told = len(machines.told)
        machines.step()
        for name, facts in machines.told[told:]:
            if name == "page_arrived":
                frame = int(facts["frame"])
                assert station.residence.page(frame) == frozen.frames[frame]
    arrived = [facts["frame"] for name, facts in machines.told if name == "page_arrived"]
    assert sorted(arrived) == sorted(following)
    assert [name for name, _ in machines.told].count("page_asked") > 0
    assert machines.run(lambda: machines[1].ended(tid))
    assert machines[1].kernel.uarea.retval(tid) == value
    assert machines.run(lambda: machines.daemons[0].station.serving is None and machines[0].only_users_are_ready)
    assert_empty(machines[0])


# -- copying ahead ----------------------------------------------------------------------------------------


def sent_while_frozen(machines: Hardened) -> int:
    """Pieces of the image that left between the freeze and the installation."""
    return [name for name, _ in machines.told].count("section_sent")


def test_pre_copy_freezes_the_process_for_the_pages_alone_that_it_still_writes() -> None:
    pieces = {}
    for mode in (Mode.STOP_AND_COPY, Mode.PRE_COPY):
        machines = Hardened(2)
        load_writers(machines[0], 3, 1, 100_000)
        started(machines, 3)
        move(machines, mode)
        pieces[mode] = sent_while_frozen(machines)
    assert pieces[Mode.STOP_AND_COPY] - pieces[Mode.PRE_COPY] in (2, 3)
    assert machines.daemons[0].source.last is not None
    rounds = machines.daemons[0].source.last.rounds
    assert rounds is not None
    assert rounds.left[:2] == [1, 1]
    assert rounds.throttle > 0  # that round did not help: it was slowed down before the freeze


def test_one_round_is_one_copy_of_each_page() -> None:
    machines = Hardened(2)
    load_writers(machines[0], 3, 1, 100_000)
    started(machines, 3)
    machines.daemons[0].source.request(machines[1].kernel.node, mode=Mode.PRE_COPY, limits=Limits(rounds=1))
    assert machines.run(lambda: machines.where(0) == [1])
    last = machines.daemons[0].source.last
    assert last is not None
    assert last.rounds is not None
    assert (last.rounds.number, last.rounds.sent, last.rounds.left) == (1, 3, [1])


def test_without_a_throttle_a_process_that_writes_everything_is_frozen_when_a_round_does_not_help() -> None:
    machines = Hardened(2)
    load_writers(machines[0], 2, 2, 100_000)
    started(machines, 2)
    limits = Limits(throttle=False)
    machines.daemons[0].source.request(machines[1].kernel.node, mode=Mode.PRE_COPY, limits=limits)
    assert machines.run(lambda: machines.where(0) == [1])
    last = machines.daemons[0].source.last
    assert last is not None
    assert last.rounds is not None
    assert last.rounds.number == len(last.rounds.left) < limits.rounds
    assert last.rounds.left[-1] >= last.rounds.left[-2] > 0


def test_a_strict_limit_refuses_before_the_freeze() -> None:
    machines = Hardened(2)
    load_writers(machines[0], 2, 2, 100_000)
    started(machines, 2)
    limits = Limits(rounds=3, throttle=False, strict=True)
    machines.daemons[0].source.request(machines[1].kernel.node, mode=Mode.PRE_COPY, limits=limits)
    assert machines.run(lambda: machines.phases() == (None, None))
    assert refusal(machines) is Refusal.DOWNTIME
    assert "freeze_started" not in machines.story
    assert machines.where(0) == [0]
    assert machines[0].kernel.tracking.protected == []
    assert machines.run(lambda: machines[1].only_users_are_ready)
    assert_empty(machines[1])
    move(machines, Mode.STOP_AND_COPY)


def test_a_page_that_is_taken_during_the_rounds_moves_too() -> None:
    machines = Hardened(2)
    value = load_writers(machines[0], 3, 3, 20_000)
    tid = machines.boot(0)[0]
    node = machines[0]
    assert machines.run(lambda: node.kernel.frames.free_frames == TINY.frames - 1)
    machines.daemons[0].source.request(machines[1].kernel.node, mode=Mode.PRE_COPY)
    assert machines.run(lambda: "page_copied" in machines.story)
    assert machines.run(lambda: node.kernel.frames.free_frames == TINY.frames - 3)
    assert machines.run(lambda: machines.where(0) == [1])
    assert machines.run(lambda: machines[1].ended(tid), 60_000)
    assert machines[1].kernel.uarea.retval(tid) == value


def test_a_page_that_went_ahead_and_is_not_the_frozen_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = Hardened(2)
    load_writers(machines[0], 3, 1, 100_000)
    started(machines, 3)
    damage(monkeypatch, 1)
    machines.daemons[0].source.request(machines[1].kernel.node, mode=Mode.PRE_COPY)
    assert machines.run(lambda: machines.phases() == (None, None) and machines.where(0) == [0])
    assert refusal(machines) is Refusal.DAMAGED
    assert machines.run(lambda: machines[1].only_users_are_ready)
    assert_empty(machines[1])


# -- pages that follow ------------------------------------------------------------------------------------


def following(machines: Hardened, mode: Mode = Mode.POST_COPY, pages: int = 3) -> int:
    """Move a process as far as its switch; the tid of its main thread."""
    tid = started(machines, pages)
    machines.daemons[0].source.request(machines[1].kernel.node, mode=mode)
    assert machines.run(lambda: machines.daemons[1].station.arriving is not None)
    return tid


def test_pages_are_served_in_order_but_for_those_that_a_thread_needs() -> None:
    machines = Hardened(2)
    load_writers(machines[0], 3, 1, 100_000)
    following(machines)
    assert machines.run(lambda: machines.daemons[0].station.serving is None)
    served = [int(facts["frame"]) for name, facts in machines.told if name == "page_served"]
    asked = [int(facts["frame"]) for name, facts in machines.told if name == "page_asked"]
    assert sorted(served) == [0, 1, 2]
    assert asked
    ends = {facts["side"]: facts["requests"] for name, facts in machines.told if name == "pages_completed"}
    assert ends["destination"] == len(asked)


def test_a_damaged_page_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = Hardened(2)
    value = load_writers(machines[0], 3, 2, 4_000)
    tid = following(machines)
    damage(monkeypatch, 0)
    assert machines.run(lambda: machines.daemons[0].station.serving is None)
    served = [int(facts["frame"]) for name, facts in machines.told if name == "page_served"]
    assert len(served) == 4
    assert machines.run(lambda: machines[1].ended(tid))
    assert machines[1].kernel.uarea.retval(tid) == value


@pytest.mark.parametrize("at", [0, 5, 7], ids=["node", "port", "source's port"])
def test_a_page_whose_header_is_damaged_is_sent_again_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    machines = Hardened(2, patience=12)
    load_writers(machines[0], 3, 2, 100_000)
    following(machines)
    damage(monkeypatch, 0, at)
    assert machines.run(lambda: bool(machines[1].kernel.portals._stored))
    assert machines.run(lambda: machines.daemons[0].station.serving is None)
    assert machines.daemons[1].station.arriving is None
    assert machines[1].kernel.portals._stored == []
    assert machines.where(0) == [1]


@pytest.mark.parametrize("kind", [Kind.YES, Kind.NEED, Kind.DONE], ids=lambda kind: kind.name)
def test_pages_arrive_without_any_one_of_their_letters(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    swallow(monkeypatch, kind)
    machines = Hardened(2, patience=12)
    value = load_writers(machines[0], 3, 2, 4_000)
    tid = following(machines)
    assert machines.run(lambda: machines.daemons[0].station.serving is None)
    assert machines.run(lambda: machines[1].ended(tid))
    assert machines[1].kernel.uarea.retval(tid) == value
    assert machines.run(lambda: machines[0].only_users_are_ready)
    assert_empty(machines[0])


def test_who_has_pages_on_their_way_neither_moves_on_nor_takes_another_in() -> None:
    machines = Hardened(3)
    load_writers(machines[0], 3, 2, 100_000)
    load_writers(machines[2], 1, 1, 100_000)
    tid = machines.boot(0, 2)[0]
    assert machines.run(lambda: machines[0].kernel.frames.free_frames == TINY.frames - 3)
    machines.daemons[0].source.request(machines[1].kernel.node, mode=Mode.POST_COPY)
    assert machines.run(lambda: machines.daemons[1].station.arriving is not None)
    with pytest.raises(Refused, match="still to come"):
        machines.daemons[1].source.request(machines[0].kernel.node)
    machines.daemons[2].source.request(machines[0].kernel.node)
    assert machines.run(lambda: machines.daemons[2].source.current is None)
    last = machines.daemons[2].source.last
    assert last is not None
    assert last.refusal is Refusal.RESERVED
    assert machines.where(0) == [1]
    assert not machines[1].ended(tid)


@pytest.mark.parametrize("mode", FOLLOW, ids=lambda mode: mode.value)
@pytest.mark.parametrize("late", [0, 40, 200])
def test_a_source_that_stops_after_the_switch_takes_the_process_with_it(mode: Mode, late: int) -> None:
    """LOST_WITH_NODE, and nothing of it is left at the destination; unless all pages have arrived by then."""
    machines = Stoppable(2, patience=6)
    load_writers(machines[0], 3, 2, 100_000)
    following(machines, mode)
    for _ in range(late):
        machines.step()
    arrived = machines.daemons[1].station.arriving is None
    machines.stop(0)
    assert machines.run(lambda: machines.daemons[1].station.arriving is None)
    assert machines.where(0) == ([1] if arrived else [])
    assert ("lost_with_node" in machines.story) is not arrived
    if not arrived:
        assert machines.run(lambda: machines[1].only_users_are_ready)
        assert_empty(machines[1])


def test_a_destination_that_stops_after_the_switch_leaves_no_page_at_the_source() -> None:
    machines = Stoppable(2, patience=6)
    load_writers(machines[0], 3, 2, 100_000)
    following(machines)
    machines.stop(1)
    assert machines.run(lambda: machines.daemons[0].station.serving is None)
    assert "pages_given_up" in machines.story
    assert machines.run(lambda: machines[0].only_users_are_ready)
    assert_empty(machines[0])


# -- all of them ------------------------------------------------------------------------------------------


@MODES
def test_a_self_checking_process_survives_moves_in_a_row(mode: Mode) -> None:
    """Its threads check in each step that their pages hold what they wrote; they are met at arbitrary moments."""
    machines, random, now = Hardened(3), Random(mode.value), 0
    value = load_writers(machines[0], 3, 3, 25_000)
    tid = started(machines, 3)
    for _ in range(4):
        for _ in range(random.randrange(60)):
            machines.step()
        target = (now + random.choice((1, 2))) % 3
        move(machines, mode, now, target)
        assert_empty(machines[now])
        assert all(node.stale == [] for node in machines.nodes)
        now = target
    assert not machines[now].ended(tid)
    machines.run(lambda: machines[now].ended(tid), 60_000)
    assert machines[now].kernel.uarea.retval(tid) == value
