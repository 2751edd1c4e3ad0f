"""How fast one core of the chip executes: a C program under all combinations of caches and translation.

Run it as `python benchmarks/core.py`, with the `toolchain` extra installed. The program sorts, sums up and
multiplies (`benchmarks/core.c`), compiled at -O0 and at -O2. Times are CPU time; the best of `--repeat` runs
counts. Also measured: how long it takes until the interpreter is ready, and what a run of no cycles costs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "spec"), str(ROOT / "impl")]

from kmigrate.impl.chip import BareCore, Reason  # noqa: E402  (the path comes first)
from kmigrate.impl.chip.mmu import EXECUTABLE, READABLE, USER, VALID, WRITABLE, entry_of  # noqa: E402

MEMORY_BYTES = 1 << 20
DIRECTORY, TABLE = 0x800E0000, 0x800E1000
LINKER_SCRIPT = """
ENTRY(_start)
SECTIONS
{
    . = 0x80000000;
    .text : { *(.text.start) *(.text*) }
    .data : { *(.rodata* .srodata* .data* .sdata*) }
    .bss : { *(.bss* .sbss*) . = ALIGN(16) + 65536; stack_end = .; }
    /DISCARD/ : { *(.comment .riscv.attributes .eh_frame*) }
}
"""


def build(optimisation: str) -> bytes:
    """The benchmark's program as an ELF file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script, program = folder / "program.ld", folder / "program.elf"
        script.write_text(LINKER_SCRIPT)
        command = [sys.executable, "-m", "ziglang", "cc", "-target", "riscv32-freestanding-none"]
        command += ["-mcpu=generic_rv32+m", f"-O{optimisation}", "-g", "-fno-sanitize=all", "-fno-stack-protector"]
        command += ["-nostdlib", "-static", f"-Wl,-T,{script}", str(ROOT / "benchmarks/core.c"), "-o", str(program)]
        caches = {"ZIG_GLOBAL_CACHE_DIR": name, "ZIG_LOCAL_CACHE_DIR": name}
        subprocess.run(command, check=True, env={**os.environ, **caches})  # noqa: S603  (our own words)
        return program.read_bytes()


def prepare(image: bytes, rounds: int, *, caches: bool, translated: bool) -> tuple[BareCore, int]:
    """A core with the program loaded, and the address of its last store."""
    core = BareCore(memory_bytes=MEMORY_BYTES, exact=caches)
    program = core.load_elf(image)
    core.load(rounds.to_bytes(4, "little"), program.symbol("rounds"))
    if translated:
        first = core.cores.pc(0) >> 12
        upper = entry_of(TABLE >> 12, VALID)
        core.load(upper.to_bytes(4, "little"), DIRECTORY + 4 * (first >> 10))
        for i in range(MEMORY_BYTES >> 12):
            entry = entry_of(first + i, VALID | USER | READABLE | WRITABLE | EXECUTABLE)
            core.load(entry.to_bytes(4, "little"), TABLE + 4 * i)
        core.cores.set_directory(0, DIRECTORY)
        core.cores.set_user(0, True)
    return core, program.symbol("tohost")


def measure(image: bytes, rounds: int, repeat: int, *, caches: bool, translated: bool) -> dict[str, float]:
    """Instructions, seconds and millions of instructions per second of the best run."""
    best, instructions, checksum = math.inf, 0, 0
    for _ in range(repeat):
        core, tohost = prepare(image, rounds, caches=caches, translated=translated)
        began = time.process_time()
        stop = core.run_until_store(tohost, 1 << 40)
        best = min(best, time.process_time() - began)
        if stop.reason is not Reason.WATCH:
            raise SystemExit(f"the program did not end: {stop}")
        instructions, checksum = stop.cycles, core.word(tohost)
    rate = instructions / best / 1e6
    return {"instructions": instructions, "seconds": best, "million_per_second": rate, "checksum": checksum}


def call_cost(repeat: int) -> float:
    """Microseconds of one call of `run` with nothing to do."""
    core, calls = BareCore(memory_bytes=MEMORY_BYTES), 20_000
    best = math.inf
    for _ in range(repeat):
        began = time.process_time()
        for _ in range(calls):
            core.run(0)
        best = min(best, time.process_time() - began)
    return best / calls * 1e6


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="rounds of the program (default 200)")
    parser.add_argument("--repeat", type=int, default=3, help="runs, of which the best counts (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    images = {optimisation: build(optimisation) for optimisation in ("0", "2")}
    began = time.process_time()
    BareCore(memory_bytes=MEMORY_BYTES).run(0)
    figures: dict[str, object] = {"ready_seconds": time.process_time() - began}
    if not chosen.json:
        print(f"{'program':8} {'caches':8} {'MMU':5} {'instructions':>14} {'million/s':>10}   checksum")
    for optimisation, image in images.items():
        for caches in (False, True):
            for translated in (False, True):
                found = measure(image, chosen.rounds, chosen.repeat, caches=caches, translated=translated)
                figures[f"O{optimisation}{'-caches' * caches}{'-mmu' * translated}"] = found
                if not chosen.json:
                    row = f"-O{optimisation:6} {'yes' if caches else 'no':8} {'on' if translated else 'off':5}"
                    rate = found["million_per_second"]
                    print(
                        f"{row} {found['instructions']:14,.0f} {rate:10.0f}   {found['checksum']:08x}", flush=True
                    )
    figures["call_microseconds"] = call_cost(chosen.repeat)
    if chosen.json:
        print(json.dumps(figures, indent=2))
    else:
        print(f"the interpreter is ready after {figures['ready_seconds']:.1f} s")
        print(f"a run of no cycles costs {figures['call_microseconds']:.1f} µs")


if __name__ == "__main__":
    main()
