"""The same choices give the same run everywhere, and nothing in the sources could make it otherwise."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kmigrate.impl
from kmigrate.impl import ChoiceList, Configuration, Machine, Request, Work

SOURCES = Path(kmigrate.impl.__file__).parent

BANNED_MODULES = frozenset(
    {"random", "time", "datetime", "secrets", "uuid", "threading", "asyncio", "multiprocessing", "concurrent", "os"}
)
ON_THE_HOST = {"programs/toolchain.py": frozenset({"os"}), "image/checkpoint.py": frozenset({"os"})}
"""What runs on the host and never inside a machine, and what it may import: the compiler, the checkpoint files."""
BANNED_CALLS = frozenset({"id", "hash", "input"})

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


def makes_a_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")


def offences(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [f"imports {name.name}" for name in node.names if name.name.split(".")[0] in BANNED_MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in BANNED_MODULES:
            found.append(f"imports from {node.module}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in BANNED_CALLS:
                found.append(f"calls {node.func.id}")
            if node.func.id in ("list", "tuple", "iter", "enumerate") and node.args and makes_a_set(node.args[0]):
                found.append("puts a set in some order")
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and makes_a_set(node.iter):
            found.append("iterates over a set")
    return found


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCES)))
def test_no_source_of_uncontrolled_nondeterminism(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = ON_THE_HOST.get(path.relative_to(SOURCES).as_posix(), frozenset())
    assert [one for one in offences(tree) if one.removeprefix("imports ") not in allowed] == []
    if path.name != "events.py":
        sets = [node for node in ast.walk(tree) if isinstance(node, ast.Set | ast.SetComp)]
        assert sets == [], "a set can end up being iterated over: use a tuple or a dict"


@pytest.mark.parametrize(
    "text",
    [
        "import random",
        "from time import perf_counter",
        "import threading",
        "x = id(object())",
        "for x in {1, 2}: pass",
        "y = [x for x in set((1, 2))]",
        "z = list({1, 2})",
    ],
)
def test_the_test_itself_notices(text: str) -> None:
    assert offences(ast.parse(text))
