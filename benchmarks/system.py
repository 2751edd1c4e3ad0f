"""How fast the whole machine is: busy cores, idle and frozen ones, snapshots and copies. CPU time of one core.

Run it as `python benchmarks/system.py`, or with `--quick` for a twentieth of the long runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from kmigrate.impl import MPPA256, TINY
from kmigrate.impl.system import Machine, Phase
from kmigrate.impl.system.estimate import idler
from kmigrate.impl.system.snapshot import clone, copy, put_back, snapshot, state_hash

LONG = 20_000_000
LOADING = 4_000_000
"""Cycles after which all processes have begun."""
THREADS = 15
"""As many as a cluster has cores for."""


def seconds(work: Callable[[], object]) -> float:
    """CPU time of some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def least(work: Callable[[], object], rounds: int) -> float:
    """Least CPU time of several rounds."""
    return min(seconds(work) for _ in range(rounds))


def busy() -> Machine:
    """Every core of every compute cluster runs a thread that counts in memory."""
    system = Machine()
    for cluster in range(MPPA256.clusters):
        system.spawn("spin", cluster, THREADS - 1)
    system.run(LOADING)
    return system


def touch(system: Machine, clusters: int) -> None:
    """Say that some clusters may have changed."""
    for cluster in list(system.clusters.values())[:clusters]:
        cluster.version += 1


def copies(name: str, system: Machine, rounds: int) -> None:
    """Print what copying into a used machine costs."""
    other = clone(system)
    for changed in (0, 1, len(system.clusters)):

        def work(changed: int = changed) -> float:
            touch(system, changed)
            return seconds(lambda: copy(system, other))

        took = min(work() for _ in range(rounds))
        print(f"{name} copied, {changed:2} clusters changed    {1e6 * took:12,.0f} us")
    print(f"{name} hashed, all changed           {1e6 * min(hashed(system) for _ in range(rounds)):12,.0f} us")


def hashed(system: Machine) -> float:
    """What the hash costs when everything has changed."""
    touch(system, len(system.clusters))
    return seconds(lambda: state_hash(system))


def followed(rounds: int) -> None:
    """Print what a copy after each event of a move costs, as a search makes them."""
    system, taken = Machine(TINY), []
    process = system.spawn(idler(TINY), 0)
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run(LOADING // 40)
    system.move(process, 1)
    other, kept = clone(system), snapshot(system)
    for _ in range(rounds):
        put_back(system, kept)
        copy(system, other)
        while (status := system.status(process)) is None or not status.over:
            system.step()
            taken.append(seconds(lambda: copy(system, other)))
    said("copied after each event of a move:", taken)


def together(rounds: int) -> None:
    """Print what a copy costs whenever all clusters of a tiny machine, a process on each, have changed."""
    system, taken = Machine(TINY), []
    processes = [system.spawn(idler(TINY), cluster) for cluster in range(TINY.clusters)]
    system.run_until(lambda: all(system.phase(one) is Phase.RUNNING for one in processes), "one does not run")
    other = clone(system)
    for _ in range(rounds):
        before = [cluster.version for cluster in system.clusters.values()]
        while any(cluster.version == old for cluster, old in zip(system.clusters.values(), before, strict=True)):
            system.step()
        taken.append(seconds(lambda: copy(system, other)))
    said("copied whenever all clusters have changed:", taken)


def said(what: str, taken: list[float]) -> None:
    """Print the middle and the upper end of what copies took."""
    taken.sort()
    median, late = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    print(f"{what} median {1e6 * median:,.0f} us, 99th percentile {1e6 * late:,.0f} us ({len(taken):,} copies)")


def main() -> None:
    """Print a line for each figure."""
    share = 20 if "--quick" in sys.argv else 1
    print(f"booting the whole chip               {1e3 * least(Machine, 3):12,.1f} ms")
    print(f"booting a tiny one                   {1e3 * least(lambda: Machine(TINY), 10):12,.1f} ms")
    system = busy()
    took = seconds(lambda: system.run(LONG // share))
    print(f"16 x 15 busy cores, {LONG // share:12,} cycles {took:9.2f} s")
    frozen = clone(system)
    for cluster in frozen.clusters.values():
        cluster.kernel.freezing.hold()
    took = seconds(lambda: frozen.run(1000 * LONG))
    print(f"all of them frozen, {1000 * LONG:14,} cycles {took:7.2f} s")
    idle = Machine()
    took = seconds(lambda: idle.run(1000 * LONG))
    print(f"an idle chip, {1000 * LONG:20,} cycles {took:7.2f} s")
    copies("the chip", system, 5)
    tiny = Machine(TINY)
    copies("a tiny one", tiny, 200)
    kept = snapshot(tiny)
    followed(3)
    together(1_000)
    print(f"a tiny one put back                  {1e6 * least(lambda: put_back(tiny, kept), 200):12,.0f} us")


if __name__ == "__main__":
    main()
