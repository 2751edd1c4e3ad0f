"""The interpreter is loaded late, and what is kept of it on disk is that of the present sources."""

import ast
import subprocess
import sys
from pathlib import Path

from kmigrate.impl.chip import native

REPOSITORY = Path(__file__).parents[3]
CHIP = REPOSITORY / "impl/kmigrate/impl/chip"
PACKAGE = "kmigrate.impl.chip"


def test_numba_is_loaded_when_a_core_runs_and_not_before() -> None:
    path = [str(REPOSITORY / root) for root in ("spec", "impl")]
    program = f"""
import sys
sys.path[:0] = {path}
import kmigrate.impl
from kmigrate.impl.chip import TINY, Cores, Sram
cores = Cores(Sram(TINY.memory_bytes), TINY)
cores.save(0, 0x100)
cores.restore(1, 0x100)
cores.tlb_shootdown(0)
print("numba" in sys.modules)
cores.run(0, 1)
print("numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_the_library_is_imported_in_less_than_a_second() -> None:
    """Of processor time, in a process of its own; the whole machine with its programs and services."""
    path = [str(REPOSITORY / root) for root in ("spec", "impl")]
    program = f"""
import sys, time
sys.path[:0] = {path}
import kmigrate.impl, kmigrate.impl.system
print(time.process_time())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.0


def imported(module: str) -> set[str]:
    """Modules of the chip that one of them imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse((CHIP / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{PACKAGE}."):
            names.add(node.module.removeprefix(f"{PACKAGE}."))
    return names


def test_a_change_of_any_module_that_the_interpreter_is_made_of_makes_it_anew() -> None:
    """All but those whose text never reaches compiled code: measures, memory, and the compiler's own."""
    reached, waiting = set(), {"interpreter"}
    while waiting:
        module = waiting.pop()
        reached.add(module)
        waiting |= imported(module) - reached - {"geometry", "sram", "native"}
    assert {f"{module}.py" for module in reached} == set(native.SOURCES)
