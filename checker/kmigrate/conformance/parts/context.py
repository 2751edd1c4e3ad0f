"""What the judge knows at a state of the whole, and what it says of an event that leads to another one.

A run has one judge, which goes along. Where states of the whole are remembered, what it knows is remembered with
them, and each event is asked of it from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from kmigrate.conformance.judging.denominator import Edge
from kmigrate.conformance.judging.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.parts.product import Place
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.look import ClusterView, Picture
from kmigrate.conformance.systems.steps import Numbering
from kmigrate.impl.daemon.attempt import Attempt
from kmigrate.spec.language.model import State

Context: TypeAlias = tuple[tuple[State, ...], tuple[Attempt, ...]]
"""The states of the model that explain what has happened, and the attempts in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one event: what it knows then, the edges of the model that it is, what is wrong."""

    context: Context
    edges: tuple[Edge, ...]
    wrong: Nonconformance | None


class Bench:
    """Judges single events of the machines of one setting, each from what was known before it."""

    def __init__(self, oracle: Oracle, setting: Setting) -> None:
        self._oracle = oracle
        self._picture = Picture(oracle.model, setting.geometry.torus.first_compute)

    def judge(self, context: Context, event: Any, place: Place) -> Verdict:
        """Judge one event after which the machine is as `place` looks."""
        states, attempts = context
        numbering = Numbering({attempt: number for number, attempt in enumerate(attempts)})
        views = [part.view for part in place.parts[:-1]]
        records = place.parts[-1].view
        for cluster, view in enumerate(views):
            assert isinstance(view, ClusterView)
            self._picture.put(cluster, view)

        def look(whole: bool) -> tuple[int | None, ...]:
            return self._picture.codes(views, records, numbering.numbers)  # type: ignore[arg-type]

        judge = Judge(None, self._oracle, memory=numbering, states=list(states), look=look)
        wrong = judge.observe(event)
        edges = tuple(Edge(state, action) for state, action in judge.taken)
        return Verdict((tuple(judge.states), tuple(numbering.numbers)), edges, wrong)
