"""How each level looks from the one above: abstraction functions, written like the rest of the specification.

An abstraction reads a state of the lower model and assigns every variable of the upper one. Whether each
lower step then is an upper step or a stutter is for the checker to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kmigrate.spec.language import Model, each
from kmigrate.spec.language.errors import SpecError, calling_line
from kmigrate.spec.protocol import ClusterId, Clusters, Hardened, Process, ProcessId, Published
from kmigrate.spec.residence import Residence


class NoAbstraction(SpecError):
    """A state of the lower model looks like no state of the upper one."""

    def __init__(self, why: str) -> None:
        self.location = calling_line()
        super().__init__(f"{self.location}: {why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Refinement:
    """A lower model, an upper model, and how the one looks like the other."""

    name: str
    lower: type[Model]
    upper: type[Model]
    abstraction: Callable[[Any, Any], None]
    """(view of a lower state, view of the upper state to be assigned)."""
    opens: tuple[str, ...] = ()
    """The upper actions that the lower model opens up, if it opens up a part only: these are the ones that must be
    seen, a first state below may look like any reachable state above, and what the abstraction does not assign is
    as it is at first. Empty: the whole of the upper model."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the upper model that the lower one does not have."""

    def upper_model(self, lower: Model) -> Model:
        """The upper model with the parameters that it shares with the lower one, and the fixed ones."""
        shared = {n: v for n, v in lower.parameters.items() if n in self.upper.declared_parameters}
        return self.upper(**{**{n: v for n, v in shared.items() if n != "mechanisms"}, **self.fixed})


def home_in_the_record(protocol: Hardened, residence: Residence) -> None:
    """Hardened: a process lives where the name service's record says. The commit is the move."""
    for process in each(Process):
        residence.home[process] = protocol.owner[process]


def home_where_it_runs(protocol: Clusters, residence: Residence) -> None:
    """Published: a process lives where it runs; where it runs nowhere, where it stands complete."""
    for index in range(protocol.processes):
        process = ProcessId(index)
        running = [ClusterId(c) for c in range(protocol.clusters) if protocol.runs(ClusterId(c), process)]
        standing = [ClusterId(c) for c in range(protocol.clusters) if protocol.complete(ClusterId(c), process)]
        if len(running) > 1:
            raise NoAbstraction(f"{process} runs on {' and '.join(map(str, running))}, which is no state of L0")
        if not standing:
            raise NoAbstraction(f"{process} stands complete nowhere, which is no state of L0")
        residence.home[process] = (running or standing)[0]


HARDENED_RESIDENCE = Refinement("hardened-residence", Hardened, Residence, home_in_the_record)
PUBLISHED_RESIDENCE = Refinement("published-residence", Published, Residence, home_where_it_runs)
