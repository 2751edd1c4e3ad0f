"""Tours of the small scope: runs that together take every edge of its model that the machine can take.

The edges are sought over the judged graph (`seek`), and the ways to them become runs (`trail`). What the model
allows and no run has taken is listed, with a shortest way of the model to it, and whether it is shown to be out of
reach (`unreachable`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kmigrate.conformance.errors import AnotherRun
from kmigrate.conformance.judging.denominator import Denominator, Edge, Summary
from kmigrate.conformance.parts.graph import Graph
from kmigrate.conformance.parts.seek import Found, Seeker
from kmigrate.conformance.parts.trail import Trail, confirm, trail_of
from kmigrate.conformance.parts.unreachable import Closing, Unreachable
from kmigrate.conformance.settings.programs import AGAIN, CANCEL, GO, Script
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.systems import Systems
from kmigrate.spec.freeze.cluster import MAIN, Life
from kmigrate.spec.language.model import State
from kmigrate.spec.vocabulary import SourcePhase

LEAST_PERCENT = 95.0
"""Of all edges of the model, whatever is known of the others."""


def setting_of(worker: tuple[str, ...]) -> Setting:
    """A process with two threads that asks to move once, on two clusters whose daemons have little patience."""
    return Setting(scripts=(Script(1, (GO,), (worker,)),), patience=1)


SETTINGS = (setting_of(()), setting_of((CANCEL, AGAIN)))
"""All of one shape: the second thread computes, or takes the request back again and again."""

NOT_BEGUN = "a run begins when the first thread runs"
HELD_AT_ONCE = "the task that holds the cluster is ready before the daemon reads its next letter"
NO_TIME = "before the cluster is held no time passes, and the thread that could cancel has not run"


@dataclass(frozen=True, slots=True)
class Touring:
    """What is asked of tours.

    steps    steps of parts that may be executed for each setting
    one_in   one tour in so many is made on a fresh machine
    percent  of the edges that are not shown to be out of reach; fewer is a missed gate
    closing  most states of the source alone that are visited to show that; 0: nothing is shown
    """

    steps: int
    one_in: int
    percent: float = LEAST_PERCENT
    closing: int = 0


QUICK = Touring(14_000, 10)
NIGHTLY = Touring(120_000, 1, 100.0, 100_000)


class TourDiffers(AnotherRun):
    """A fresh machine does not do what the graph says."""

    def __init__(self, number: int, difference: str) -> None:
        super().__init__(f"tour {number} is another run on a fresh machine: {difference}")
        self.number, self.difference = number, difference


@dataclass(slots=True)
class Toured:
    """What tours showed.

    tours     runs, those of them on fresh machines, their events, and judged steps among these
    executed  steps of parts on real machines; `judged` those that the judge was asked about
    settings  that were toured
    """

    tours: int = 0
    fresh: int = 0
    events: int = 0
    steps: int = 0
    executed: int = 0
    judged: int = 0
    settings: int = 0


@dataclass
class Tourist:
    """Seeks the edges of the small scope on all settings, and makes tours of what was found.

    graphs       the judged graph of each setting
    shown        what the tours showed so far
    unreachable  what the source alone shows to be out of reach; None before it was closed, or if it is not to be
    """

    asked: Touring
    progress: Callable[[str], None] = lambda text: None
    pair: Systems = field(default_factory=lambda: Systems(exact=True))
    graphs: list[Graph] = field(default_factory=list)
    shown: Toured = field(default_factory=Toured)
    unreachable: Unreachable | None = None

    def __post_init__(self) -> None:
        self.denominator = Denominator(self.pair, SETTINGS[0])
        self.seeker = Seeker(self.denominator)

    def seek(self) -> None:
        """Seek on each setting what is not shown to be out of reach; the next is for what the ones before left."""
        if self.asked.closing:
            closing = Closing(self.denominator, SETTINGS)
            self.unreachable = closing.close(
                self.asked.closing, lambda states: self.progress(f"{states:,} states of the source alone")
            )
            for edge in self.unreachable.edges:
                del self.seeker.wanted[edge]
        for setting in SETTINGS:
            if not self.seeker.wanted or self._reached() >= self.asked.percent:
                break
            graph = Graph(self.pair, setting, self.denominator.oracle, loose=True)
            self.graphs.append(graph)
            limit = self.asked.steps

            def enough(graph: Graph = graph, limit: int = limit) -> bool:
                found, all_ = len(self.seeker.found), len(self.denominator.edges)
                self.progress(f"{found:,} of {all_:,} edges of the small scope")
                return graph.product.executed >= limit

            self.seeker.seek(graph, enough)
            self.shown.executed += graph.product.executed
            self.shown.judged += graph.judged
        self.shown.settings = len(self.graphs)

    def tours(self) -> Iterator[Trail]:
        """Runs to all that was found, the longest first; some are made on fresh machines. Raises TourDiffers."""
        left = {found.edge for found in self.seeker.found}
        numbered = sorted(enumerate(self.seeker.found), key=lambda one: (-one[1].depth, one[0]))
        for _, found in numbered:
            if found.edge in left:
                trail = self._trail(found)
                left.difference_update(trail.edges)
                yield trail

    def _trail(self, found: Found) -> Trail:
        graph = found.graph
        trail = trail_of(graph, [*graph.path(found.node), found.way])
        shown = self.shown
        if shown.tours % self.asked.one_in == 0:
            difference = confirm(graph, trail, found.way.after)
            if difference:
                raise TourDiffers(shown.tours, difference)
            shown.fresh += 1
        shown.tours += 1
        shown.events += trail.events
        shown.steps += len(trail.edges)
        return trail

    def failures(self) -> Iterator[Trail]:
        """Runs to what the judge said no to, the first of each kind."""
        for graph in self.graphs:
            for node, way in graph.failures.values():
                yield trail_of(graph, [*graph.path(node), way])

    def _reached(self) -> float:
        return self.summary().percent_of_reachable

    def summary(self) -> Summary:
        """How much of the model was taken, and what was not."""
        taken = {found.edge for found in self.seeker.found}
        return self.denominator.summary_of(taken, self.why_never, self._shown)

    def _shown(self, edge: Edge) -> str:
        """What is shown of an edge: nothing, if the source that was closed lacks what a tour has taken."""
        closed = self.unreachable
        if closed is None or any(graph.edges & closed.asked - closed.possible for graph in self.graphs):
            return ""
        return closed.words(edge)

    def why_never(self, edge: Edge) -> str:
        """Why the machine never takes an edge, in words; empty where none are known. They count for nothing."""
        state = edge.state
        action = self.denominator.oracle.interpreter.actions[edge.action].name
        first_thread = self._value(state, "life", 0)
        if action == "schedule" and not self._value(state, "requested") and first_thread is Life.READY:
            return NOT_BEGUN
        if self._value(state, "at_source") is SourcePhase.FREEZING and not self._value(state, "freezing"):
            if action == "heed_nack":
                return HELD_AT_ONCE
            if action == "cancel" and self._value(state, "runs_on", 1) != MAIN + 1:
                return NO_TIME
        return ""

    def _value(self, state: State, variable: str, offset: int = 0) -> object:
        """The value of a variable in a state; of several, those of cluster 0 or attempt 0 come first."""
        schema = self.denominator.oracle.model.schema
        slot = schema.first_slot[variable] + offset
        return schema.slots[slot].domain.values[state[slot]]
