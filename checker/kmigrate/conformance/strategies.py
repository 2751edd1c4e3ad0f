"""Hypothesis over the parameters of runs: configurations and schedules as small values, never a draw for a choice.

A draw for each choice is slow and shrinks badly; a schedule is a seed and a few numbers, and a run what they say.
"""

from __future__ import annotations

from hypothesis import strategies as st

from kmigrate.conformance.drivers import FAULT_HORIZON, Schedule
from kmigrate.conformance.workload import HORIZON_CYCLES
from kmigrate.impl import Cancel, Configuration, Crash, Meddle, Request, Work
from kmigrate.impl.workload import Item


def schedules() -> st.SearchStrategy[Schedule]:
    """Drivers with their parameters; `guided` is left out, for it needs a run to start from."""
    faults = st.lists(st.tuples(st.integers(0, FAULT_HORIZON - 1), st.integers(1, 3)), max_size=4)
    return st.builds(
        Schedule,
        st.sampled_from(("ordinary", "planned", "random", "priorities", "delays")),
        st.integers(0, (1 << 30) - 1),
        st.sampled_from((2, 10, 40, 100)),
        st.integers(0, 6),
        faults.map(tuple),
        patient=st.booleans(),
    )


@st.composite
def configurations(
    draw: st.DrawFn, *, variant: str = "hardened", clusters: int = 3, requests: int = 3, faults: bool = False
) -> Configuration:
    """Machines of this many clusters and what is asked of them; with `faults` also what may go wrong."""
    moment, cluster = st.integers(0, HORIZON_CYCLES), st.integers(0, clusters - 1)
    processes = draw(st.integers(1, 2))
    quiet: st.SearchStrategy[Item] = st.one_of(st.builds(Cancel, moment, cluster), st.builds(Work, moment, cluster))
    items: list[Item] = draw(st.lists(st.builds(Request, moment, cluster, cluster), max_size=requests))
    items += draw(st.lists(quiet, max_size=3))
    if faults:
        process = st.integers(0, processes - 1)
        items += draw(st.lists(st.builds(Meddle, moment, cluster, process, cluster), max_size=1))
        items += draw(st.lists(st.builds(Crash, moment, cluster), max_size=1))
    return Configuration(
        clusters=clusters,
        processes=processes,
        variant=variant,
        workload=tuple(items),
        losses=draw(st.integers(0, 2)) if faults else 0,
        duplicates=draw(st.integers(0, 1)) if faults else 0,
    )
