"""The whole machine under L3: each step of a core, and each thing a daemon tells, is one of the model's steps."""

from __future__ import annotations

from random import Random

import pytest

from kmigrate.conformance import Judge, Oracles, judged
from kmigrate.conformance.judging.judge import Nonconformance
from kmigrate.conformance.settings.drivers import drawn_schedule
from kmigrate.conformance.settings.programs import CALL, CANCEL, GO, PAGE, SPIN, Script
from kmigrate.conformance.settings.setting import Crash, Setting, Wish
from kmigrate.conformance.systems.machine import Machine
from kmigrate.conformance.systems.systems import Systems
from kmigrate.impl.simulation.choice import Ordinary
from kmigrate.impl.system.faults import FaultKind, NetworkFault

PAIR = Systems()
ORACLES = Oracles(PAIR)
THERE_AND_BACK = Setting(scripts=(Script(1, (GO, CALL, GO), ((CALL, SPIN, CALL),)),))
DRIVERS = ("planned", "random", "priorities", "delays")


def test_a_process_goes_there_and_back_and_every_step_is_one_of_the_model() -> None:
    outcome = judged(THERE_AND_BACK, Ordinary(), ORACLES)
    assert outcome.finding is None, outcome.finding.told()
    assert outcome.actions["start_copy"] == 2
    assert outcome.actions["stage"] == 4
    assert outcome.actions["fetch"] >= 3


@pytest.mark.parametrize(
    "setting",
    [
        Setting(scripts=(Script(1, (GO, GO), ((CANCEL, CALL),)),), patience=2),
        Setting(clusters=3, scripts=(Script(1, (PAGE, GO)), Script(2, (GO,), ((CALL,),)))),
        Setting(scripts=(Script(1, (SPIN, CALL)),), wishes=(Wish(0, 1), Wish(0, -1))),
        Setting(scripts=(Script(1, (GO,)),), crashes=(Crash(300, 1),)),
        Setting(scripts=(Script(1, (GO,)),), crashes=(Crash(300, 0),)),
    ],
    ids=["impatient", "chain", "third-party", "destination-crashes", "source-crashes"],
)
def test_whatever_is_asked_and_whatever_stops_it_conforms(setting: Setting) -> None:
    for seed in range(3):
        schedule = drawn_schedule(Random(seed), DRIVERS, 0)
        outcome = judged(setting, schedule.driver(), ORACLES)
        assert outcome.finding is None, outcome.finding.told()


def test_a_letter_that_is_lost_after_all_attempts_have_ended_is_given_up() -> None:
    """Found by run 396 of a campaign with seed 3: nobody watched a letter that left with no attempt open."""
    setting = Setting(
        scripts=(Script(1, (GO,)), Script(0, (GO, GO))), faults=(NetworkFault(14, FaultKind.LOST, 2711),)
    )
    outcome = judged(setting, Ordinary(), ORACLES)
    assert outcome.finding is None, outcome.finding.told()
    assert not any(daemon.station.courier.busy for daemon in outcome.machine.daemons)


def test_drawn_settings_conform() -> None:
    for number in range(12):
        random = Random(f"7:{number}")
        setting = PAIR.draw(random)
        outcome = judged(setting, drawn_schedule(random, DRIVERS, 0).driver(), ORACLES)
        assert outcome.finding is None, f"{setting}\n{outcome.finding.told()}"


def under_way(steps: int) -> tuple[Machine, Judge]:
    machine = PAIR.make(THERE_AND_BACK, Ordinary())
    judge = Judge(machine, ORACLES.of(THERE_AND_BACK))
    assert judge.start() is None
    for _ in range(steps):
        event = machine.step()
        assert event is not None
        assert judge.observe(event) is None
    return machine, judge


def next_finding(machine: Machine, judge: Judge) -> Nonconformance | None:
    for _ in range(80):
        event = machine.step()
        found = judge.finish() if event is None else judge.observe(event)
        if found is not None or event is None:
            return found
    return None


@pytest.mark.parametrize(
    ("change", "slot"),
    [
        (lambda m: setattr(m.kernels[1].boards[1], "pending", 1), "board[c1,1]"),
        (lambda m: setattr(m.kernels[1].scheduler, "held", True), "freezing[c1]"),
        (lambda m: m.daemons[1].station.seen.update({0: 2}), "seen[c1,p0]"),
        (lambda m: m.kernels[0].memory.set_word(m.kernels[0].placement.sections + 4, 0), "content[c0,0]"),
        (lambda m: setattr(m.kernels[0].uarea.thread(1), "state", 3), "life[c0,2]"),
        (lambda m: m.kernels[0].frames.take(0), "used[c0]"),
    ],
    ids=["board", "held", "seen", "identity", "thread", "frame"],
)
def test_what_changes_behind_the_judge_is_noticed(change: object, slot: str) -> None:
    machine, judge = under_way(40)
    assert callable(change)
    change(machine)
    found = next_finding(machine, judge)
    assert found is not None
    assert slot in found.explanation


def test_a_cluster_that_is_not_held_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, judge = under_way(10)
    for kernel in machine.kernels:
        monkeypatch.setattr(kernel.freezing, "hold", lambda kernel=kernel: kernel.freezing.at_rest)
    found = None
    while found is None and (event := machine.step()) is not None:
        found = judge.observe(event)
    assert found is not None
    assert "freezing[c1]: model True, machine False" in found.explanation


def test_a_machine_that_has_come_up_once_is_copied_and_the_copies_are_the_same_run() -> None:
    first, second = (judged(THERE_AND_BACK, Ordinary(), ORACLES) for _ in range(2))
    assert first.trace_hash == second.trace_hash
    assert first.events == second.events
