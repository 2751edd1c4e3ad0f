"""The solvers, each asked the same text: z3 and cvc5, and any program that reads SMT-LIB."""

from __future__ import annotations

import importlib
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from kmigrate.proofs.errors import NoSuchSolver

Result = Literal["unsat", "sat", "unknown"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What one solver says of one text.

    seconds  of the processor, so that they do not depend on what else the machine does; 0 for what was remembered
    """

    solver: str
    result: Result
    seconds: float
    reason: str = ""


Ask: TypeAlias = Callable[[str, float], Reply]
"""Puts a text to a solver, for so many seconds at most."""


_CONTEXTS: dict[tuple[str, ...], Any] = {}
"""z3's contexts by the sorts that are declared in them: to make one takes longer than most questions."""


def _context(z3: Any, text: str) -> Any:
    """A context of z3 apart from the one in which texts are traced; of one name it knows one sort only."""
    sorts = tuple(line for line in text.splitlines() if line.startswith("(declare-datatypes"))
    if sorts not in _CONTEXTS:
        _CONTEXTS[sorts] = z3.Context()
    return _CONTEXTS[sorts]


def ask_z3(text: str, timeout: float) -> Reply:
    """Ask z3, by a solver of its own."""
    z3 = _library("z3")
    if z3 is None:
        return _missing("z3")
    started = time.process_time()
    solver = z3.Solver(ctx=_context(z3, text))
    solver.set("timeout", int(timeout * 1000))
    solver.from_string(text)
    result = _result(str(solver.check()))
    reason = solver.reason_unknown() if result == "unknown" else ""
    return Reply("z3", result, time.process_time() - started, reason)


def ask_cvc5(text: str, timeout: float) -> Reply:
    """Ask cvc5."""
    cvc5 = _library("cvc5")
    if cvc5 is None:
        return _missing("cvc5")
    started = time.process_time()
    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setOption("tlimit-per", str(int(timeout * 1000)))
    solver.setOption("enum-inst", "true")
    said = invoke(cvc5, terms, solver, text)
    result = _result(said)
    return Reply("cvc5", result, time.process_time() - started, said if result == "unknown" else "")


def invoke(cvc5: Any, terms: Any, solver: Any, text: str) -> str:
    """Have cvc5 read a text and do what it says; the last that it answers."""
    symbols = cvc5.SymbolManager(terms)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "obligation")
    result = ""
    while True:
        command = parser.nextCommand()
        if command.isNull():
            return result
        result = str(command.invoke(solver, symbols)).strip() or result


def _result(said: str) -> Result:
    return said if said in ("sat", "unsat") else "unknown"  # type: ignore[return-value]


SOLVERS: Mapping[str, Ask] = {"z3": ask_z3, "cvc5": ask_cvc5}


def _library(name: str) -> Any:
    """A solver's library, or None where it is not installed."""
    try:
        return importlib.import_module(name)  # it ships no types
    except ImportError:
        return None


def _missing(name: str) -> Reply:
    return Reply(name, "unknown", 0.0, f"{name} is not installed")


def missing() -> tuple[str, ...]:
    """The solvers that are not installed."""
    return tuple(name for name in SOLVERS if _library(name) is None)


def versions() -> dict[str, str]:
    """The solvers and their versions."""
    z3, cvc5 = _library("z3"), _library("cvc5")
    return {
        "z3": "not installed" if z3 is None else z3.get_version_string(),
        "cvc5": "not installed" if cvc5 is None else cvc5.__version__,
    }


def program(command: str) -> tuple[str, Ask]:
    """A program that reads SMT-LIB on its standard input, such as `z3 -in` or `cvc5 --lang smt2`, with a name.

    Raises  NoSuchSolver where there is no such program.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise NoSuchSolver(command, str(error)) from None
    if not words or shutil.which(words[0]) is None:
        raise NoSuchSolver(command, "there is no such program")
    name = words[0].rpartition("/")[2]

    def ask(text: str, timeout: float) -> Reply:
        started = time.monotonic()
        try:
            done = subprocess.run(  # noqa: S603 - the user's own words, no shell
                words, input=text, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return Reply(name, "unknown", time.monotonic() - started, "timeout")
        except OSError as error:
            raise NoSuchSolver(command, error.strerror or str(error)) from None
        said = next((line for line in done.stdout.split() if line in ("sat", "unsat", "unknown")), "")
        reason = "" if said in ("sat", "unsat") else (done.stdout + done.stderr).strip().partition("\n")[0]
        return Reply(name, _result(said), time.monotonic() - started, reason)

    return name, ask
