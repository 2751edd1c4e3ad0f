"""The whole machine under L3: each step of a core, and each thing a daemon tells, is one of the model's steps."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from kmigrate.conformance.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.look import Look
from kmigrate.conformance.pair import Abstraction, Pair
from kmigrate.conformance.programs import CALL, CANCEL, GO, Script
from kmigrate.conformance.steps import Numbering, machines
from kmigrate.conformance.table import Table
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.spec.language import Model
from kmigrate.spec.machine import Machine
from support.rig import Rig

MOST = 30_000
THREE_CALLS = (Script((1, 2), (GO, GO), ((CALL, CALL, CALL),)),)
WITH_CANCEL = (Script((1, 2), (GO, GO), ((CALL, CANCEL, CALL),)),)


class Bold(ChoiceSource):
    """Departs from the ordinary course with a fixed chance."""

    def __init__(self, seed: int, chance: float) -> None:
        super().__init__()
        self._random, self._chance = Random(seed), chance

    def decide(self, n: int, kind: str, labels: Any) -> int:
        return self._random.randrange(n) if self._random.random() < self._chance else 0


class Rigs(Pair[Rig]):
    """Rigs under L3, judged from when both threads are there."""

    def model(self, configuration: Rig) -> Model:
        return Machine(clusters=2, processes=1, attempts=2, threads=2, cores=2, frames=0, sections=2, lasting=1)

    def table(self, configuration: Rig) -> Table:
        return machines(self.model(configuration), configuration.first)

    def make(self, configuration: Rig, choices: ChoiceSource) -> Rig:
        return configuration

    def memory(self) -> Numbering:
        return Numbering()

    def abstraction(self, machine: Rig, model: Model, memory: Numbering) -> Abstraction:
        return Look(machine.whole, model, memory)


def started(scripts: tuple[Script, ...], seed: int, chance: float, patience: int) -> tuple[Rig, Judge]:
    """A rig whose threads are there, and a judge that agrees with it."""
    rig = Rig(scripts, choices=Bold(seed, chance), patience=patience)
    while rig.kernels[0].uarea.nthreads < 4:
        rig.step()
    oracle = Oracle(Rigs(), rig)
    seen = Look(rig.whole, oracle.model, Numbering())(True)
    oracle.initial = (tuple(s if s is not None else m for s, m in zip(seen, oracle.initial[0], strict=True)),)
    judge = Judge(rig, oracle)
    assert judge.start() is None
    return rig, judge


def followed(rig: Rig, judge: Judge) -> Nonconformance | None:
    """Judge until both requests have ended."""
    for _ in range(MOST):
        event = rig.step()
        assert event is not None
        judge.look.touched.update(range(2))  # type: ignore[attr-defined]
        found = judge.observe(event)
        if found is not None:
            return found
        if len(judge.memory.numbers) == 2 and rig.settled:
            return judge.finish()
    raise AssertionError("the requests do not end")


@pytest.mark.parametrize(
    ("scripts", "seed", "chance", "patience"),
    [(THREE_CALLS, 1, 0.9, 400), (THREE_CALLS, 2, 0.9, 1), (WITH_CANCEL, 13, 0.95, 35), (WITH_CANCEL, 7, 0.9, 400)],
)
def test_what_the_kernels_and_the_daemons_do_is_a_way_through_the_model(
    scripts: tuple[Script, ...], seed: int, chance: float, patience: int
) -> None:
    rig, judge = started(scripts, seed, chance, patience)
    found = followed(rig, judge)
    assert found is None, found.told()
    assert judge.actions["request"] == 2
    assert judge.actions["schedule"] >= 2


def test_a_thread_that_is_not_held_is_noticed() -> None:
    rig, judge = started(THREE_CALLS, 1, 0.0, 400)
    rig.kernels[0].freezing.hold = lambda: rig.kernels[0].freezing.at_rest  # type: ignore[method-assign]
    rig.kernels[1].freezing.hold = lambda: rig.kernels[1].freezing.at_rest  # type: ignore[method-assign]
    found = followed(rig, judge)
    assert found is not None
    assert "freezing[c1]: model True, machine False" in found.explanation


def test_a_board_that_changes_behind_the_judge_is_noticed() -> None:
    rig, judge = started(THREE_CALLS, 1, 0.0, 400)
    rig.kernels[1].boards[1].pending = 1
    found = followed(rig, judge)
    assert found is not None
    assert "board[c1,1]" in found.explanation
