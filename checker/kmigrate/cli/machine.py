"""The scenarios that have names: the protocols on the first machine, whose processes are synthetic."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

from kmigrate.cli.app import WrongUse, console, print_json
from kmigrate.impl import MPPA256, TINY, crossing, ring
from kmigrate.impl.programs.source import ENDINGS

SCENARIOS = {
    "ring": "one process travels round all clusters and comes home",
    "crossing": "two processes ask for one another's place at the same time",
}
CLOCK_HZ = 400_000_000


def run_named(scenario: str, clusters: int | None, variant: str | None, json_: bool) -> bool:
    """Run a scenario in the ordinary course; whether every process ends where it should, and only there."""
    if scenario.endswith(ENDINGS):
        raise WrongUse(f"{scenario} is a program: kmigrate run --program {scenario}")
    if scenario not in SCENARIOS:
        raise WrongUse(
            f"no scenario is called {scenario!r}; there are {', '.join(SCENARIOS)}, and files that end in .toml"
        )
    variant = "hardened" if variant is None else variant
    if variant not in ("published", "hardened"):
        raise WrongUse(f"no variant is called {variant!r}; there are published, hardened")
    if scenario == "ring":
        return _ring(MPPA256.clusters if clusters is None else clusters, variant, json_)
    if clusters is not None:
        raise WrongUse("--clusters is for ring; crossing has two")
    return _crossing(variant, json_)


def _places(running: tuple[int | None, ...]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for cluster, process in enumerate(running):
        if process is not None:
            places.setdefault(f"p{process}", []).append(f"c{cluster}")
    return places


def _ring(clusters: int, variant: str, json_: bool) -> bool:
    result = ring(clusters, variant=variant).run()
    places = _places(result.running)
    home = len(result.hops) == clusters + 1
    good = home and result.intact and places == {"p0": ["c0"]}
    if json_:
        document: dict[str, Any] = {
            "scenario": "ring",
            "variant": variant,
            "hops": [
                {"cluster": h.cluster, "cycle": h.cycle, "digest": h.digest, "downtime_cycles": h.downtime_cycles}
                for h in result.hops
            ],
            "home": home,
            "intact": result.intact,
            "running": places,
            "trace_hash": result.trace_hash,
        }
        print_json(document)
        return good
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("hop", "cluster", "at", "downtime", "digest of the container"):
        table.add_column(heading, justify="left" if heading == "digest of the container" else "right")
    for number, hop in enumerate(result.hops):
        at, down = (f"{cycles / CLOCK_HZ * 1000:.2f} ms" for cycles in (hop.cycle, hop.downtime_cycles))
        table.add_row(str(number), f"c{hop.cluster}", at, down if number else "", hop.digest)
    console().print(table)
    where = "; ".join(f"{process} runs on {', '.join(on)}" for process, on in places.items()) or "nothing runs"
    console().print(f"{'came home' if home else 'did not come home'}; {where}; trace {result.trace_hash}")
    console().print(
        "the container was the same at every hop" if result.intact else "the container changed on the way"
    )
    return good


def _crossing(variant: str, json_: bool) -> bool:
    result = crossing(variant=variant, geometry=TINY).run()
    places = _places(result.running)
    good = places == {"p0": ["c0"], "p1": ["c1"]} and not any(result.frozen)
    if json_:
        print_json(
            {
                "scenario": "crossing",
                "variant": variant,
                "running": places,
                "frozen": [f"c{c}" for c, frozen in enumerate(result.frozen) if frozen],
                "refusals": list(result.refusals),
                "trace_hash": result.trace_hash,
            }
        )
        return good
    for cluster, (process, frozen) in enumerate(zip(result.running, result.frozen, strict=True)):
        state = "frozen" if frozen else "nothing runs" if process is None else f"p{process} runs"
        console().print(f"c{cluster}: {state}")
    if result.refusals:
        console().print(f"refused: {', '.join(result.refusals)}")
    if any(result.frozen):
        console().print("both wait for a piece that nobody sends; kmigrate hazards --explain H3 tells why")
    return good
