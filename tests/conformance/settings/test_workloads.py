"""What threads and processes do together, under schedules: it conforms, and what it leaves is counted."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from kmigrate.conformance import Outcome, RunFile, judged, load
from kmigrate.conformance.campaigns.plan import Plan
from kmigrate.conformance.errors import BadRunFile
from kmigrate.conformance.runs.explain import as_test
from kmigrate.conformance.runs.run import Oracles
from kmigrate.conformance.settings.drivers import drawn_schedule
from kmigrate.conformance.settings.programs import (
    CALL,
    EXIT,
    FREIGHT,
    GO,
    JOIN,
    LETTER,
    LOCK,
    MAIL,
    NAP,
    NOTE,
    OWN,
    PARCEL,
    PIECE,
    READ,
    RECEIVE,
    SLEEP,
    START,
    SUM,
    TAKE,
    UNLOCK,
    WAKE,
    WORD,
    Script,
)
from kmigrate.conformance.settings.reductions import simpler
from kmigrate.conformance.settings.setting import Setting, Wish, program_of
from kmigrate.conformance.systems.machine import Machine
from kmigrate.conformance.systems.systems import Systems
from kmigrate.impl.simulation.choice import Ordinary

ORACLES = Oracles(Systems())
DRIVERS = ("planned", "random", "priorities", "delays", "late")

ENDING = Script(1, (GO, JOIN, START, GO, JOIN), ((CALL, CALL, EXIT),))
WOKEN = Script(1, (GO, WAKE, GO), ((NAP, CALL, EXIT),))
LOCKING = Script(1, (LOCK, GO, UNLOCK, LOCK, UNLOCK), ((LOCK, CALL, UNLOCK), (LOCK, UNLOCK, LOCK, UNLOCK, EXIT)))
WRITING = Script(1, (GO, NOTE, GO, NOTE), ((NOTE, CALL, NOTE),))
SHIPPING = Script(1, (GO, PARCEL, GO, PARCEL), ((NOTE,),))
MAILING = tuple(Script(2, (RECEIVE, GO, RECEIVE, GO), ((LETTER, CALL, LETTER),)) for _ in range(2))
FREIGHTING = tuple(Script(2, (TAKE, GO, TAKE, GO), ((PIECE, CALL, PIECE),)) for _ in range(2))

SETTINGS = {
    "threads end and are made again": Setting(scripts=(ENDING,)),
    "a thread is woken": Setting(scripts=(WOKEN,), wishes=(Wish(0, 1),)),
    "a mutex": Setting(scripts=(LOCKING,), wishes=(Wish(0, 1),)),
    "mailboxes of one's own": Setting(scripts=(WRITING,), wishes=(Wish(0, 1),)),
    "portals of one's own": Setting(scripts=(SHIPPING,)),
    "mailboxes of others": Setting(clusters=3, scripts=MAILING, wishes=(Wish(0, 2),)),
    "portals of others": Setting(clusters=3, scripts=FREIGHTING),
}


def run(setting: Setting, seed: int = 0) -> Outcome:
    driver = drawn_schedule(Random(seed), DRIVERS, 0).driver() if seed else Ordinary()
    return judged(setting, driver, ORACLES)


def counted(outcome: Outcome, process: int, offset: int) -> int:
    """A word of a process, wherever it stands by then."""
    machine = outcome.machine
    assert isinstance(machine, Machine)
    (place,) = (c for c in range(machine.setting.clusters) if machine.standing(c) == process)
    kernel = machine.kernels[place]
    return kernel.memory.word(kernel.placement.sections + offset)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_what_threads_and_processes_do_together_conforms(setting: Setting) -> None:
    outcome = run(setting, 2)
    assert outcome.finding is None, outcome.finding.told()


def test_threads_begin_end_wait_and_are_woken_on_both_sides_of_moves() -> None:
    outcome = run(SETTINGS["threads end and are made again"])
    assert outcome.finding is None, outcome.finding.told()
    assert (outcome.actions["begin"], outcome.actions["end"], outcome.actions["start_copy"]) == (1, 2, 2)
    assert outcome.actions["block"] == outcome.actions["unblock"] == 2


def test_every_addition_under_the_mutex_is_there_whoever_held_it_during_a_move() -> None:
    late = (*[CALL] * 12, LOCK, UNLOCK)
    outcome = run(Setting(scripts=(Script(1, (LOCK, GO, UNLOCK), (late,)),)))
    assert outcome.finding is None, outcome.finding.told()
    assert outcome.actions["start_copy"] == 1
    assert counted(outcome, 0, SUM) == 2


def test_a_process_reads_what_it_has_written_to_itself_on_either_cluster() -> None:
    outcome = run(SETTINGS["mailboxes of one's own"])
    assert [counted(outcome, 0, OWN + WORD * thread) for thread in range(2)] == [2, 2]
    assert outcome.actions["start_copy"] >= 1


@pytest.mark.parametrize(("name", "words"), [("mailboxes of others", MAIL), ("portals of others", FREIGHT)])
def test_every_message_arrives_once_and_in_order_and_then_the_process_can_move(name: str, words: int) -> None:
    outcome = run(SETTINGS[name])
    assert [counted(outcome, process, words + WORD * READ) for process in range(2)] == [2, 2]
    assert outcome.actions["start_copy"] >= 1


def test_a_process_with_a_thread_that_sleeps_for_ever_stays() -> None:
    outcome = run(Setting(scripts=(Script(1, (CALL, CALL, GO), ((SLEEP,),)),)))
    assert outcome.finding is None
    assert (outcome.actions["block"], outcome.actions["start_copy"]) == (1, 0)


def test_an_addition_that_is_lost_is_noticed_at_the_end() -> None:
    setting = SETTINGS["a mutex"]
    machine = ORACLES.pair.make(setting, Ordinary())
    while machine.step() is not None:
        pass
    assert ORACLES.pair.at_rest(machine) is None
    place = next(c for c in range(2) if machine.standing(c) == 0)
    kernel = machine.kernels[place]
    kernel.memory.set_word(kernel.placement.sections + SUM, 4)
    expected = "p0 has counted additions under the mutex: 4, not 5"
    assert ORACLES.pair.at_rest(machine) == ("miscounted", expected)


def test_who_polls_holds_up_nobody_for_whom_it_waits() -> None:
    """A thread closes an output before its message is read; one that is given the same port writes until it is."""
    setting = Setting(scripts=(Script(1, (GO, NOTE, GO, NOTE), ((NOTE, CALL, NOTE),)),), wishes=(Wish(0, 1),))
    driver = drawn_schedule(Random(12), ("planned", "random", "priorities", "delays", "hurry", "late"), 0).driver()
    assert judged(setting, driver, ORACLES).finding is None


# -- what is drawn ---------------------------------------------------------------------------------------------


def test_all_that_is_drawn_fits_together_and_into_the_memory() -> None:
    together = 0
    for number in range(400):
        setting, _ = Plan(seed=5).drawn(number, [])
        assert setting.problem == ""
        together += setting.lively
        for process, script in enumerate(setting.scripts):
            program_of(script, process, len(setting.scripts), setting.geometry)
    assert 150 < together < 250


def test_what_is_smaller_fits_together_and_asks_for_less() -> None:
    pair = Systems()
    for setting in SETTINGS.values():
        smaller = list(simpler(setting))
        assert smaller
        for less in smaller:
            assert less.problem == ""
            assert pair.size(less) < pair.size(setting) or less.clusters < setting.clusters


# -- what does not fit together --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scripts", "why"),
    [
        ((Script(1, (JOIN,), ((CALL,),)),), "who is to be waited for must exit"),
        ((Script(1, (JOIN,)),), "who is to be waited for must exit"),
        ((Script(1, (LOCK, GO)),), "a thread must not end between lock and unlock"),
        ((Script(1, (UNLOCK,)),), "lock and unlock must follow each other by turns"),
        ((Script(1, (LOCK, JOIN, UNLOCK), ((EXIT,),)),), "no thread can join between lock and unlock"),
        ((Script(1, (GO,), ((NAP, EXIT),)),), "must wake as often as the last one can nap"),
        ((Script(1, (JOIN, WAKE), ((NAP, EXIT),)),), "must wake as often as the last one can nap"),
        ((Script(1, (START,), ((EXIT,),)),), "a join must come before a start"),
        ((Script(1, (LETTER,)),), "p0 can receive 0, and 1 come to it"),
        ((Script(1, (PIECE, TAKE)),), "a piece goes to another process"),
        ((Script(1, (RECEIVE,)), Script(0)), "p0 can receive 1, and 0 come to it"),
        ((Script(1, (GO,), ((RECEIVE,),)),), "only the first thread can receive"),
        ((Script(1, (PARCEL,), ((PARCEL,),)),), "one thread alone can parcel"),
    ],
)
def test_a_run_file_whose_threads_would_wait_for_ever_is_refused(
    scripts: tuple[Script, ...], why: str, tmp_path: Path
) -> None:
    file = tmp_path / "stuck.run.json"
    RunFile(Setting(scripts=scripts), (), (), "").save(file)
    with pytest.raises(BadRunFile, match=why):
        load(file)


def test_a_run_file_and_a_test_say_what_threads_do_together(tmp_path: Path) -> None:
    setting = SETTINGS["mailboxes of others"]
    file = tmp_path / "letters.run.json"
    RunFile(setting, (), (), "").save(file)
    assert load(file).setting == setting
    assert json.loads(file.read_text(encoding="utf-8"))["scripts"][0]["main"][0] == RECEIVE
    names: dict[str, object] = {"__name__": "generated"}
    exec(compile(as_test(load(file), "letters"), "<generated>", "exec"), names)
    made = names["test_letters"]
    assert callable(made)
    made()
