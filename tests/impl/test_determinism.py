"""The same choices give the same run everywhere."""

import os
import subprocess
import sys

from kmigrate.impl import ChoiceList, Configuration, Machine, Request, Work

PROGRAM = """
from kmigrate.impl import ChoiceList, Configuration, Machine, Request, Work
for variant in ("hardened", "published"):
    workload = (Request(0, 0, 2), Request(10, 1, 2), Work(5, 0), Request(900000, 1, 0))
    machine = Machine(Configuration(clusters=3, processes=2, variant=variant, workload=workload),
                      ChoiceList([5, 2, 7, 1, 0, 3] * 40))
    machine.run(300)
    machine.drain()
    print(machine.trace_hash)
"""


def elsewhere(seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_another_process_under_another_hash_seed_sees_the_same_trace() -> None:
    here = []
    for variant in ("hardened", "published"):
        workload = (Request(0, 0, 2), Request(10, 1, 2), Work(5, 0), Request(900000, 1, 0))
        configuration = Configuration(clusters=3, processes=2, variant=variant, workload=workload)
        machine = Machine(configuration, ChoiceList([5, 2, 7, 1, 0, 3] * 40))
        machine.run(300)
        machine.drain()
        here.append(machine.trace_hash)
    assert elsewhere("1") == elsewhere("4242") == "\n".join(here) + "\n"
