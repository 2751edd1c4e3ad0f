"""From LLVM text to functions that can be called, with a cache of machine code on disk.

A cache file is named by a digest of the text, the optimisation, the processor and the version of llvmlite; a file
that is damaged or cannot be written is ignored. KMIGRATE_CACHE names another folder; if it is empty, nothing is.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import llvmlite
import llvmlite.binding as llvm

_WORD, _POINTER = ctypes.c_int64, ctypes.c_void_p
Signatures: TypeAlias = dict[str, tuple[Any, tuple[Any, ...]]]
_EDGES: Signatures = {"edges_all": (None, (_POINTER, _WORD, *[_POINTER] * 5))}
_MACHINE: Signatures = {
    "explore": (_WORD, (_POINTER,)),
    "add_all": (_WORD, (_POINTER, _WORD, _POINTER, _WORD, _POINTER)),
    "judge_all": (None, (_POINTER, _WORD, _POINTER)),
    "truths": (None, (_POINTER, _WORD, _WORD, _POINTER)),
    "sources": (None, (_POINTER, _WORD, _WORD, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER)),
    "mark_all": (None, (_POINTER, _WORD, _POINTER, _WORD, _POINTER)),
    "find_all": (None, (_POINTER, _WORD, _POINTER, _WORD, _POINTER)),
    "reach": (
        _WORD,
        (_POINTER, _WORD, _WORD, _POINTER, _POINTER, _WORD, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    ),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """The functions of one model, ready to be called; addresses are passed as integers."""

    engine: Any
    """Owns the code."""
    optimised: bool
    explore: Callable[..., int]
    add_all: Callable[..., int]
    judge_all: Callable[..., None]
    truths: Callable[..., None]
    sources: Callable[..., None]
    mark_all: Callable[..., None]
    find_all: Callable[..., None]
    reach: Callable[..., int]


@cache
def _initialised() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def _target(level: int) -> Any:
    _initialised()
    features = llvm.get_host_cpu_features().flatten()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=level, codemodel="jitdefault", jit=True
    )


def folder() -> Path | None:
    """Where machine code is kept between runs; None if it is not to be kept."""
    chosen = os.environ.get("KMIGRATE_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "kmigrate"
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base) / "kmigrate" / "cache" if base else None
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "kmigrate"


def _file(text: str, level: int) -> Path | None:
    try:
        where = folder()
    except RuntimeError:  # there is no home folder
        return None
    if where is None:
        return None
    parts = (text, str(level), llvm.get_host_cpu_name(), llvmlite.__version__, llvm.get_default_triple())
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=20).hexdigest()
    return where / f"{digest}.o"


def _read(file: Path | None) -> bytes | None:
    """The machine code in a cache file, if it is whole: it ends with its digest."""
    if file is None:
        return None
    try:
        data = file.read_bytes()
    except OSError:
        return None
    code, digest = data[:-16], data[-16:]
    return code if hashlib.blake2b(code, digest_size=16).digest() == digest else None


def _write(file: Path | None, code: bytes) -> None:
    if file is None:
        return
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(code + hashlib.blake2b(code, digest_size=16).digest())
            os.replace(name, file)
        except OSError:
            os.unlink(name)
            raise


def _compile(text: str, level: int) -> bytes:
    target = _target(level)
    module = llvm.parse_assembly(text)
    module.triple = llvm.get_default_triple()
    module.data_layout = str(target.target_data)
    options = llvm.create_pipeline_tuning_options(level)
    if level == 0:
        options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(target.emit_object(module))


def _link(code: bytes, level: int, signatures: Signatures) -> tuple[Any, dict[str, Callable[..., Any]]]:
    target = _target(level)
    empty = llvm.parse_assembly("")
    empty.triple = llvm.get_default_triple()
    engine = llvm.create_mcjit_compiler(empty, target)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine, {
        name: ctypes.CFUNCTYPE(result, *arguments)(engine.get_function_address(name))
        for name, (result, arguments) in signatures.items()
    }


def _functions(text: str, level: int, signatures: Signatures) -> tuple[Any, dict[str, Callable[..., Any]]]:
    file = _file(text, level)
    code = _read(file)
    if code is None:
        code = _compile(text, level)
        _write(file, code)
    return _link(code, level, signatures)


def machine(text: str, *, level: int) -> Machine:
    """The functions of a module, compiled or taken from the cache.

    level   0 compiles at once and runs slower, 2 is for long searches
    """
    engine, calls = _functions(text, level, _MACHINE)
    return Machine(engine, level > 0, **calls)


@dataclass(frozen=True, slots=True)
class EdgeMachine:
    """The function that lists edges with their actions."""

    engine: Any
    edges_all: Callable[..., None]


def edge_machine(text: str) -> EdgeMachine:
    """The functions of a module of `kernel.edges_text`."""
    engine, calls = _functions(text, 0, _EDGES)
    return EdgeMachine(engine, **calls)


def kept(text: str, *, level: int) -> bool:
    """Whether this module's machine code is in the cache."""
    return _read(_file(text, level)) is not None
