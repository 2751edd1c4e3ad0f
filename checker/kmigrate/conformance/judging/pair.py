"""A pair: a kind of machine, and the model that judges it. Everything else in this package works on any pair.

The machine is run, looked at and asked whether it ended well; the model comes from the specification. A pair of
one's own is a subclass with its own configuration: docs/campaigns.md makes one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from random import Random
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from kmigrate.conformance.errors import NotOfferedByPair
from kmigrate.conformance.judging.table import Table
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.simulation.loop import Loop
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State

Abstraction: TypeAlias = Callable[[bool], tuple[int | None, ...]]
"""Looks at a machine: the code of each slot of the model, None where the machine does not tell. The argument asks
for everything to be computed anew, whatever a journal says."""

DRAIN_EVENTS = 6_000

Fault: TypeAlias = tuple[str, str]
"""What is wrong with a machine at its end: a word for the signature, and a sentence."""


class Running(Protocol):
    """A machine that is being run."""

    loop: Loop
    """Its events, its trace and its choices."""

    def step(self) -> TraceEvent | None:
        """Let one event happen; None when nothing is pending."""


class Sighting(Protocol):
    """A known hazard that was seen in a run."""

    @property
    def hazard(self) -> str:
        """Its id in the catalogue."""
        ...

    @property
    def title(self) -> str:
        """What the catalogue calls it."""
        ...

    @property
    def where(self) -> str:
        """Where it was seen, in a sentence."""
        ...

    @property
    def step(self) -> int:
        """After how many events."""
        ...


class Watching(Protocol):
    """Looks for known hazards in one run."""

    @property
    def seen(self) -> Mapping[str, Sighting]:
        """The first sighting of each, by its id."""
        ...

    def follow(self, step: Any) -> None:
        """Look at the machine after an event."""

    def conclude(self, steps: int) -> None:
        """Look at the machine at its end."""


C = TypeVar("C", bound=Hashable)
"""A configuration: a value that says all of a machine and what is asked of it."""


class Pair(ABC, Generic[C]):
    """What judging needs of one kind of machine and its model."""

    name: str = "pair"

    driven: int = 2_000
    """Events of a run that a driver may decide about."""

    @abstractmethod
    def model(self, configuration: C) -> Model:
        """The model that judges machines of this configuration."""

    def shape(self, configuration: C) -> tuple[Any, ...]:
        """What of a configuration its model depends on; plain values."""
        return (configuration,)

    @abstractmethod
    def table(self, configuration: C) -> Table:
        """Which event is which action."""

    @abstractmethod
    def make(self, configuration: C, choices: ChoiceSource) -> Any:
        """A fresh machine whose choices a choice source makes."""

    def prepare(self, configuration: C) -> None:
        """Do what is done once for all machines of a configuration; a mutant holds only after it."""
        return

    def memory(self) -> Any:
        """What the binders of one run remember; nothing by default."""
        return None

    @abstractmethod
    def abstraction(self, machine: Any, model: Model, memory: Any) -> Abstraction:
        """The function that looks at one machine. It never reads the trace or the model's state."""

    def trace_hash(self, machine: Any) -> str:
        """What a machine has done so far, as one hash."""
        found: str = machine.loop.trace.hash
        return found

    def opening(self, model: Model, initial: State, seen: tuple[int | None, ...]) -> State | None:
        """The state of the model with which a run begins, where that is not an initial one; None where it is.

        For machines that have to come up first. Every invariant is asked of it.
        """
        return None

    def drain(self, configuration: C) -> int:
        """Events of the ordinary course after which a machine that no driver disturbs any more is never quiet."""
        return DRAIN_EVENTS

    def at_rest(self, machine: Any) -> Fault | None:
        """What is wrong when nothing is pending any more; by default nothing can be."""
        return None

    def watching(self, machine: Any, wanted: Collection[str] | None = None) -> Watching | None:
        """What looks for known hazards in a run of a machine; by default nothing does.

        wanted  ids of those that it looks for; None: all
        """
        return None

    def stalled(self, machine: Any) -> bool:
        """Whether the machine waits where it should go on; by default it never does."""
        return False

    def draw(self, random: Random) -> C:
        """The configuration of one run of a campaign; knobs and workload are drawn."""
        raise NotOfferedByPair(self.name, "drawn configurations", "draw")

    def simpler(self, configuration: C) -> Iterator[C]:
        """Configurations that ask for less, the boldest first; shrinking tries them."""
        return iter(())

    def size(self, configuration: C) -> int:
        """How many things a configuration asks for; what a report calls items."""
        return 0

    def facets(
        self, action: str, arguments: tuple[Any, ...], state: State, model: Model
    ) -> Iterable[tuple[str, ...]]:
        """The cells of the coverage matrix that an action in a state belongs to; none by default."""
        return ()

    def matrix(self, configuration: C) -> tuple[tuple[str, ...], ...]:
        """All cells of the coverage matrix."""
        return ()

    def scenarios(self, configuration: C) -> dict[str, tuple[str, ...]]:
        """Named scenarios: actions that are to happen in this order, others between them."""
        return {}

    def as_json(self, configuration: C) -> dict[str, Any]:
        """A configuration as a document, for run files."""
        raise NotOfferedByPair(self.name, "run files", "as_json")
