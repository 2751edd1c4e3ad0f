"""C programs for bare cores, compiled for tests with the compiler of the `toolchain` extra."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from support.tools import lack

HERE = Path(__file__).parent


def build(source: str, optimisation: str, folder: Path) -> bytes:
    """The ELF file of a C program in this folder. Without the compiler the test is skipped; in CI it fails."""
    if importlib.util.find_spec("ziglang") is None:
        lack("ziglang")
    program = folder / "program.elf"
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(folder / "zig"), "ZIG_LOCAL_CACHE_DIR": str(folder / "zig")}
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "riscv32-freestanding-none"]
    command += ["-mcpu=generic_rv32+m", f"-O{optimisation}", "-g", "-fno-sanitize=all", "-fno-stack-protector"]
    command += ["-nostdlib", "-static", f"-Wl,-T,{HERE / 'bare.ld'}", str(HERE / source), "-o", str(program)]
    done = subprocess.run(command, env={**os.environ, **caches}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program.read_bytes()
