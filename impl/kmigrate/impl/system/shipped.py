"""The scenarios that ship, by their names.

Source: thesis 5 (the circular experiment); nanvix-facts 9 (the ways in which the published protocol fails).
"""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.programs.catalogue import experiment_argument
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.errors import NoSuchScenario
from kmigrate.impl.system.reading import parse_scenario
from kmigrate.impl.system.scenario import CheckTable, MachineTable, ProcessTable, Scenario

HAZARDS = {
    "copies": "H1: both sides run on with the process, as published",
    "overwritten": "H2: the process at the destination is destroyed, as published",
    "crossing": "H3: two processes ask for one another's place, and both clusters stay frozen, as published",
    "chain": "H4: a cluster is overwritten before it sends, and sends on what it has got, as published",
}
"""What each file of `scenarios/` shows."""

RING = "ring"

SCENARIOS = {RING: "the circular experiment: one process travels round the clusters and comes home", **HAZARDS}
"""All of them, and what they show."""

_CYCLES = 4_000_000_000


def shipped_scenario(name: str, daemon: str | None = None, clusters: int | None = None) -> Scenario:
    """A scenario that ships.

    daemon    other than that of the scenario: then it checks only that all ends well
    clusters  of the ring, 2..16
    Raises    NoSuchScenario
    """
    if name == RING:
        return ring(MPPA256.clusters if clusters is None else clusters, daemon or DaemonKind.HARDENED.value)
    if name not in HAZARDS:
        raise NoSuchScenario(name, tuple(SCENARIOS))
    text = files("kmigrate.impl.system").joinpath("scenarios", f"{name}.toml").read_text(encoding="utf-8")
    scenario = parse_scenario(text, f"{name}.toml")
    if daemon is None or daemon == scenario.machine.daemon:
        return scenario
    return replace(scenario, machine=replace(scenario.machine, daemon=daemon), check=CheckTable())


def ring(clusters: int, daemon: str) -> Scenario:
    """The circular experiment, a process on node 0 taking its time.

    With published daemons a process has to stand on every cluster of the way, to be overwritten.
    """
    argument = experiment_argument(clusters=clusters)
    on_the_way = range(1, clusters) if daemon == DaemonKind.PUBLISHED else ()
    processes = (
        ProcessTable("circular", None, argument, "timer"),
        *(ProcessTable("circular", cluster, argument, f"place{cluster}") for cluster in on_the_way),
        ProcessTable("circular", 0, argument, "traveller"),
    )
    check = CheckTable(exits={"timer": 0, "traveller": 0}, places={"traveller": 0})
    return Scenario(MachineTable(cycles=_CYCLES, daemon=daemon), processes, (), (), check, Path())
