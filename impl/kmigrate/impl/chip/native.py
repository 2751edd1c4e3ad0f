"""Functions compiled by numba, kept on disk where Python code calls them.

Only modules that are themselves imported when a core first runs may import this one: numba is slow to load.

numba keeps machine code beside a source file and looks only at that file for changes. Our compiled functions call
each other across modules and contain constants of others, so the name under which each is kept has a checksum of
them all in it.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import ParamSpec, TypeVar
from zlib import crc32

import numba

SOURCES = (
    "state.py",
    "mmu.py",
    "tlb.py",
    "access.py",
    "arithmetic.py",
    "privileged.py",
    "spin.py",
    "interpreter.py",
)
"""The modules with compiled functions, and those whose constants they use."""

P = ParamSpec("P")
R = TypeVar("R")


def _stamp() -> str:
    folder = files("kmigrate.impl.chip")
    return f"{crc32(b''.join((folder / name).read_bytes() for name in SOURCES)):08x}"


STAMP = _stamp()


def native(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that compiled functions call. Integers wrap, and a division by zero raises nothing."""
    compiled: Callable[P, R] = numba.njit(error_model="numpy")(function)
    return compiled


def melted(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into each of its callers, which costs no call."""
    compiled: Callable[P, R] = numba.njit(error_model="numpy", forceinline=True)(function)
    return compiled


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that Python code calls, with all that it calls, once for all processes."""
    function.__qualname__ = f"{function.__qualname__}_{STAMP}"
    compiled: Callable[P, R] = numba.njit(cache=True, error_model="numpy")(function)
    return compiled
