"""The two solvers, z3 and cvc5, each asked the same text."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import cvc5
import z3

Result = Literal["unsat", "sat", "unknown"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What one solver says of one text."""

    solver: str
    result: Result
    seconds: float
    reason: str = ""


def ask_z3(text: str, timeout: float) -> Reply:
    """Ask z3, in a context of its own."""
    started = time.monotonic()
    solver = z3.Solver(ctx=z3.Context())
    solver.set("timeout", int(timeout * 1000))
    solver.from_string(text)
    result = str(solver.check())
    reason = solver.reason_unknown() if result == "unknown" else ""
    return Reply("z3", _result(result), time.monotonic() - started, reason)


def ask_cvc5(text: str, timeout: float) -> Reply:
    """Ask cvc5."""
    started = time.monotonic()
    api: Any = cvc5  # it ships no types
    terms = api.TermManager()
    solver = api.Solver(terms)
    solver.setOption("tlimit-per", str(int(timeout * 1000)))
    solver.setOption("enum-inst", "true")
    symbols = api.SymbolManager(terms)
    parser = api.InputParser(solver, symbols)
    parser.setStringInput(api.InputLanguage.SMT_LIB_2_6, text, "obligation")
    result = ""
    while True:
        command = parser.nextCommand()
        if command.isNull():
            break
        said = str(command.invoke(solver, symbols)).strip()
        result = said or result
    return Reply("cvc5", _result(result), time.monotonic() - started, "" if result in ("sat", "unsat") else result)


def _result(said: str) -> Result:
    return said if said in ("sat", "unsat") else "unknown"  # type: ignore[return-value]


SOLVERS: Mapping[str, Callable[[str, float], Reply]] = {"z3": ask_z3, "cvc5": ask_cvc5}


def versions() -> dict[str, str]:
    """The solvers and their versions."""
    return {"z3": z3.get_version_string(), "cvc5": cvc5.__version__}
