"""Programs that check themselves come out right however they were compiled, with caches and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from kmigrate.impl.programs.catalogue import SOURCES
from kmigrate.impl.programs.toolchain import Optimisation, Toolchain
from kmigrate.impl.system import Machine

RUNTIME = Path(__file__).parents[1] / "programs" / "c" / "threads.c"
PROGRAMS = {name: SOURCES / "programs" / f"{name}.c" for name in ("tasks", "signals", "buffer", "workload")}
PROGRAMS["runtime"] = RUNTIME


@pytest.mark.campaign
@pytest.mark.parametrize("optimisation", tuple(Optimisation))
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_on_the_kernel_is_right_at_every_optimisation(
    toolchain: Toolchain, name: str, optimisation: Optimisation
) -> None:
    image = toolchain.build(PROGRAMS[name], optimisation=optimisation)
    for exact in (False, True):
        system = Machine(exact=exact)
        assert system.wait(system.spawn(image, 2, 5)) == 0
