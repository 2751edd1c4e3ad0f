"""Hypothesis over the parameters of runs: settings and schedules as small values, never a draw for a choice.

A draw for each choice is slow and shrinks badly; a schedule is a seed and a few numbers, and a run what they say.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from kmigrate.conformance.settings import workloads
from kmigrate.conformance.settings.drivers import FAULT_HORIZON, KINDS, Schedule
from kmigrate.conformance.settings.programs import CALL, CANCEL, GO, PAGE, SPIN, Script
from kmigrate.conformance.settings.setting import Setting


def schedules() -> st.SearchStrategy[Schedule]:
    """Drivers with their parameters; `guided` is left out, for it needs a run to start from."""
    faults = st.lists(st.tuples(st.integers(0, FAULT_HORIZON - 1), st.integers(1, 3)), max_size=4)
    return st.builds(
        Schedule,
        st.sampled_from([kind for kind in KINDS if kind != "guided"]),
        st.integers(0, (1 << 30) - 1),
        st.sampled_from((2, 10, 40, 100)),
        st.integers(0, 6),
        faults.map(tuple),
        patient=st.booleans(),
    )


SEEDS = 100
"""Ways to weave what threads do together into a script."""


def settings_of(*, variant: str = "hardened", clusters: int = 2) -> st.SearchStrategy[Setting]:
    """Machines of this many clusters with one process, and what it does: each thread alone, and all together."""
    main = st.lists(st.sampled_from((GO, CALL, SPIN, PAGE)), max_size=3).map(lambda items: (*items, GO))
    worker = st.lists(st.sampled_from((CALL, SPIN, CANCEL)), max_size=3).map(tuple)
    script = st.builds(Script, st.just(1), main, st.lists(worker, max_size=1).map(tuple))
    alone = st.builds(
        Setting, st.just(variant), st.just(clusters), st.just(2), st.tuples(script), st.sampled_from((2, 24))
    )
    return st.builds(_woven, alone, st.sampled_from(("", *workloads.KINDS)), st.integers(0, SEEDS - 1))


def _woven(setting: Setting, kind: str, seed: int) -> Setting:
    """A setting with one kind of what threads do together; empty for none."""
    if not kind:
        return setting
    drawn = Random(seed)  # noqa: S311 - a workload, not a secret
    return replace(setting, scripts=workloads.together(drawn, kind, setting.scripts, lossless=True))
