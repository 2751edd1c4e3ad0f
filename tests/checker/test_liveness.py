"""Liveness: fair executions, lassos that are fair themselves, and a brute-force judge on random graphs."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmigrate.checker import Trace, Violated, check
from kmigrate.checker.liveness import Graph, missed
from kmigrate.spec.language import (
    ANY,
    Map,
    Model,
    Range,
    action,
    always_eventually,
    array,
    eventually,
    forall,
    leads_to,
    require,
    strongly_fair,
    terminal,
    variable,
    weakly_fair,
)
from kmigrate.spec.language.declare import Fairness
from kmigrate.spec.language.errors import BadDeclaration
from kmigrate.spec.language.model import ActionInstance, Property
from kmigrate.spec.language.plain import execute


class TwoCounters(Model):
    """Two actions that are always enabled and weakly fair, beside an idle self-loop."""

    left: bool = variable("toggled by one", of=bool, init=False)
    right: bool = variable("toggled by the other", of=bool, init=False)

    @weakly_fair
    @action
    def toggle_left(self) -> None:
        """One of the two."""
        self.left = not self.left

    @weakly_fair
    @action
    def toggle_right(self) -> None:
        """The other."""
        self.right = not self.right

    @action
    def idle(self) -> None:
        """Nothing."""
        self.left = self.left

    @always_eventually("both")
    def both(self) -> bool:
        """Both are set again and again: not so, they may be set in turn."""
        return self.left and self.right

    @always_eventually("left")
    def left_again(self) -> bool:
        """The left one is set again and again: so, for it is toggled for ever."""
        return self.left


def lasso(model: Model, name: str) -> Trace:
    verdict = check(model).answer(name).verdict
    assert isinstance(verdict, Violated)
    trace = verdict.trace
    assert trace.loop is not None
    assert trace.states[trace.loop] == trace.end
    for before, step in zip(trace.states, trace.steps, strict=False):
        assert execute(model, step.action, before).updates is not None
    return trace


def test_a_fair_cycle_takes_both_weakly_fair_actions() -> None:
    trace = lasso(TwoCounters(), "both")
    assert trace.loop is not None
    taken = {step.action.name for step in trace.steps[trace.loop :]}
    assert {"toggle_left", "toggle_right"} <= taken
    assert [note.partition(":")[0] for note in trace.fairness] == [
        "weak fairness of toggle_left()",
        "weak fairness of toggle_right()",
    ]


def test_what_fairness_forces_holds() -> None:
    assert check(TwoCounters()).answer("left_again").verdict.word == "holds"


class Unfair(TwoCounters):
    """The same without fairness for the left one."""

    @action
    def toggle_left(self) -> None:
        """One of the two, when it likes."""
        self.left = not self.left


def test_dropping_the_fairness_turns_the_verdict() -> None:
    trace = lasso(Unfair(), "left_again")
    assert trace.loop is not None
    assert "toggle_left" not in {step.action.name for step in trace.steps[trace.loop :]}


class Door(Model):
    """Open and shut for ever; to enter needs the door open."""

    opened: bool = variable("the door is open", of=bool, init=False)
    inside: bool = variable("someone is in", of=bool, init=False)

    @weakly_fair
    @action
    def swing(self) -> None:
        """Open or shut."""
        self.opened = not self.opened

    @weakly_fair
    @action
    def enter(self) -> None:
        """Go in."""
        require(self.opened and not self.inside)
        self.inside = True

    @eventually("in")
    def someone_enters(self) -> bool:
        """At last someone is in."""
        return self.inside


class StrongDoor(Door):
    """One who waits for the door strongly."""

    @strongly_fair
    @action
    def enter(self) -> None:
        """Go in."""
        require(self.opened and not self.inside)
        self.inside = True


def test_weak_fairness_does_not_help_who_is_enabled_now_and_then_and_strong_does() -> None:
    trace = lasso(Door(), "someone_enters")
    assert any("enter(): not enabled after step" in note for note in trace.fairness)
    assert check(StrongDoor()).answer("someone_enters").verdict.word == "holds"


class Errand(Model):
    """A walk that may end in a corner."""

    place: int = variable("where", of=Range(0, 4), init=0)

    @action
    def ahead(self) -> None:
        """One step."""
        require(self.place < 2)
        self.place = self.place + 1

    @action
    def astray(self) -> None:
        """Into the corner."""
        require(self.place == 1)
        self.place = 4

    def home(self) -> bool:
        return self.place == 2

    @leads_to("L", to=home)
    def away(self) -> bool:
        """Who is at 1 comes home."""
        return self.place == 1

    @eventually("E")
    def leaves(self) -> bool:
        """The start is left."""
        return self.place != 0

    @terminal
    def anywhere(self) -> bool:
        """It may stop where nothing is enabled."""
        return True


def test_an_execution_that_stops_is_one_that_stays_for_ever() -> None:
    trace = lasso(Errand(), "away")
    assert trace.labels == ("ahead()", "astray()")
    assert trace.loop == 2
    assert trace.fairness == ("nothing is enabled any more",)
    assert check(Errand()).answer("leaves").verdict.word == "holds"


class Lights(Model):
    """Twenty-six lights, one strongly fair switch each."""

    lit: Map[int, bool] = array("the light is on", Range(0, 25), of=bool, init=False)
    at: int = variable("whose turn it is", of=Range(0, 25), init=0)

    @strongly_fair
    @action(i=Range(0, 25))
    def switch(self, i: int) -> None:
        """The one whose turn it is."""
        require(self.at == i)
        self.lit[i] = True

    @weakly_fair
    @action
    def turn(self) -> None:
        """The next one's turn."""
        self.at = (self.at + 1) % 26 if self.lit[self.at] else self.at

    @always_eventually("all")
    def all_lit(self) -> bool:
        """All are on at last."""
        return forall(Range(0, 25), lambda i: self.lit[i])


def test_26_strong_fairness_constraints_cost_no_exponential() -> None:
    report = check(Lights())
    assert report.answer("all_lit").verdict.word == "holds"
    assert report.states == 26 * 2 + 25


def test_fairness_is_declared_above_an_action() -> None:
    with pytest.raises(BadDeclaration, match="is declared fair and is no action"):

        @weakly_fair
        def lonely() -> None:
            """No action."""


# -- a brute-force judge ----------------------------------------------------------------------------


def instance(number: int, fairness: Fairness) -> ActionInstance:
    return ActionInstance(f"a{number}", {}, lambda: None, "", fairness)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, list[bool], list[bool]]:
    """Up to five states and three actions, each with at most one edge from a state; all states reachable."""
    size, count = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    edges = {
        (s, a): draw(st.integers(0, size - 1)) for s in range(size) for a in range(count) if draw(st.booleans())
    }
    kinds = [instance(a, draw(st.sampled_from(("none", "weak", "strong")))) for a in range(count)]
    level = {0: 0}
    frontier = [0]
    while frontier:
        state = frontier.pop(0)
        for a in range(count):
            after = edges.get((state, a))
            if after is not None and after not in level:
                level[after] = level[state] + 1
                frontier.append(after)
    kept = sorted(level)
    rename = {state: position for position, state in enumerate(kept)}
    columns = [(rename[s], rename[t], a) for (s, a), t in sorted(edges.items()) if s in level]
    source, target, taken = (np.array([c[i] for c in columns], dtype=np.int64) for i in range(3))
    levels = np.array([level[s] for s in kept], dtype=np.int64)
    graph = Graph([(s,) for s in range(len(kept))], tuple(kinds), source, target, taken, levels)
    return graph, [draw(st.booleans()) for _ in kept], [draw(st.booleans()) for _ in kept]


def fair_sets(graph: Graph, allowed: set[int]) -> list[set[int]]:
    """Every set of allowed states that a fair execution can visit for ever, found by trying all."""
    found: list[set[int]] = []
    for count in range(1, len(allowed) + 1):
        for chosen in itertools.combinations(sorted(allowed), count):
            states = set(chosen)
            edges = [(s, a, t) for s in states for a, t in graph.edges(s) if t in states]
            if not edges:
                if len(states) == 1 and graph.stops()[chosen[0]]:
                    found.append(states)
                continue
            if not all(_reach(states, edges, s) == states for s in states):
                continue
            taken = {a for _, a, _ in edges}
            enabled = [{a for a, _ in graph.edges(s)} for s in states]
            weak = all(
                a in taken or any(a not in e for e in enabled)
                for a, one in enumerate(graph.actions)
                if one.fairness == "weak"
            )
            strong = all(
                a in taken or not any(a in e for e in enabled)
                for a, one in enumerate(graph.actions)
                if one.fairness == "strong"
            )
            if weak and strong:
                found.append(states)
    return found


def _reach(states: set[int], edges: list[tuple[int, int, int]], start: int) -> set[int]:
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        state = waiting.pop()
        for s, _, t in edges:
            if s == state and t not in seen:
                seen.add(t)
                waiting.append(t)
    return seen | ({start} if len(states) == 1 else set())


@settings(max_examples=400, deadline=None)
@given(graphs(), st.sampled_from(("eventually", "always_eventually", "leads_to")))
def test_verdicts_agree_with_trying_everything(drawn: Any, kind: Any) -> None:
    graph, good, premise = drawn
    asked = Property("p", "", kind, lambda model: True, "")
    lasso = missed(graph, asked, np.array(good), np.array(premise))
    bad = {s for s in range(len(good)) if not good[s]}
    if kind == "eventually":
        entries = {0} & bad
    elif kind == "leads_to":
        entries = {s for s in bad if premise[s]}
    else:
        entries = set(bad)
    edges = [(s, a, t) for s in bad for a, t in graph.edges(s) if t in bad]
    near: set[int] = set()
    for entry in entries:
        near |= {entry} | _reach(bad, edges, entry)
    assert (lasso is not None) == bool(fair_sets(graph, near))
    if lasso is not None:
        walk = [lasso.entry, *(s for _, s in lasso.stem), *(s for _, s in lasso.cycle)]
        assert set(walk) <= bad
        assert lasso.entry in entries
        for before, (taken, after) in zip(walk, lasso.stem + lasso.cycle, strict=False):
            assert (taken, after) in set(graph.edges(before))
        visited = set(walk[len(lasso.stem) :])
        cycle_edges = {a for a, _ in lasso.cycle}
        if lasso.cycle:
            assert walk[-1] == walk[len(lasso.stem)]
            for number, one in enumerate(graph.actions):
                enabled = [any(a == number for a, _ in graph.edges(s)) for s in visited]
                if one.fairness == "weak":
                    assert number in cycle_edges or not all(enabled)
                if one.fairness == "strong":
                    assert number in cycle_edges or not any(enabled)


class Anywhere(Model):
    """Several initial states."""

    here: int = variable("where", of=Range(0, 2), init=ANY)

    @action
    def stay(self) -> None:
        """For ever."""
        self.here = self.here

    @eventually("E")
    def at_1(self) -> bool:
        """Somewhere else to begin with."""
        return self.here == 1


def test_an_initial_state_may_miss_a_condition_at_once() -> None:
    trace = lasso(Anywhere(), "at_1")
    assert (trace.loop, trace.length, trace.start) == (0, 1, (0,))
