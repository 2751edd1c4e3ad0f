"""How fast the executable machine is: making one, running it, and judging it. CPU time, least of several rounds.

Run it as `python benchmarks/machine.py`. Judge by the ratios between the lines, not by one machine's seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kmigrate.conformance import Oracles, judged
from kmigrate.impl import TINY, Configuration, Machine, Ordinary, Request

ROUNDS = 5


def least(work: Callable[[], int]) -> tuple[int, float]:
    """What some work counted, and the least CPU time of several rounds, in seconds."""
    best, counted = float("inf"), 0
    for _ in range(ROUNDS):
        start = time.process_time()
        counted = work()
        best = min(best, time.process_time() - start)
    return counted, best


def main() -> None:
    """Print a line for each figure."""
    workload = tuple(Request(i * 3_000_000, i % 3, (i + 1) % 3) for i in range(60))
    busy = Configuration(clusters=3, processes=2, workload=workload)
    short = Configuration(clusters=3, processes=2, workload=workload[:3])
    oracles = Oracles()
    judged(short, Ordinary(), oracles)
    tiny = Configuration(clusters=3, processes=3, geometry=TINY)
    made, seconds = least(lambda: len([Machine(tiny) for _ in range(50)]))
    print(f"making a tiny machine         {1000 * seconds / made:8.2f} ms")
    events, seconds = least(lambda: Machine(busy).drain())
    print(f"running, not judged           {events / seconds:8,.0f} events/s")
    events, seconds = least(lambda: judged(short, Ordinary(), oracles).events)
    print(f"running, every event judged   {events / seconds:8,.0f} events/s")


if __name__ == "__main__":
    main()
