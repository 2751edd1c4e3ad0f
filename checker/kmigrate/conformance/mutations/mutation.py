"""Mutation: one changed line in the machine or in the judge, for as long as a `with` lasts.

A mutant names a point, `module:Class.method` below `kmigrate`, a text that stands there exactly once, and what
stands there instead. Nothing of it is in the machine: off means that the source is what it is. Whether a
campaign notices is the measure of its adequacy.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from kmigrate.conformance.errors import ConformanceError


class LostPoint(ConformanceError):
    """The text that a mutant changes no longer stands at its point, or stands there more than once."""

    def __init__(self, name: str, point: str, old: str, times: int) -> None:
        super().__init__(f"mutant {name}: {old!r} stands {times} times in {point}; it must stand there once")
        self.name, self.point, self.old, self.times = name, point, old, times


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed line.

    name    in reports
    point   where: `impl.daemon.source:SourceSide.request`; a constant: `impl.daemon.hardened:AGAIN`
    old     the text that stands there once; empty for a constant
    new     what stands there instead; for a constant, its value, a whole number
    why     what is wrong with it, or why it is right, in a sentence
    """

    name: str
    point: str
    old: str
    new: str
    why: str

    @property
    def part(self) -> str:
        """daemon, service, kernel, hal or judge: what of the whole is changed."""
        parts = (("impl.system.services", "service"), ("impl.daemon", "daemon"), ("impl.kernel", "kernel"))
        for start, part in (*parts, ("impl.hal", "hal")):
            if self.point.startswith(start):
                return part
        return "judge" if self.point.startswith("conformance") else "machine"

    def difference(self) -> str:
        """What changes, line by line."""
        if not self.old:
            return f"-{self.point.rpartition(':')[2]} = ...\n+{self.point.rpartition(':')[2]} = {self.new}"
        source = source_of(self)
        after = source.replace(self.old, self.new)
        lines = difflib.unified_diff(source.splitlines(), after.splitlines(), lineterm="", n=0)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def place_of(mutant: Mutant) -> tuple[Any, str]:
    """The module or class, and the name in it."""
    module, _, path = mutant.point.partition(":")
    owner: Any = importlib.import_module(f"kmigrate.{module}")
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    return owner, name


def source_of(mutant: Mutant) -> str:
    """The function or property that a mutant changes. Raises LostPoint."""
    owner, name = place_of(mutant)
    source = textwrap.dedent(inspect.getsource(function_of(vars(owner)[name])))
    times = source.count(mutant.old)
    if times != 1:
        raise LostPoint(mutant.name, mutant.point, mutant.old, times)
    return source


def function_of(found: Any) -> Any:
    """The function behind a property, or what was found."""
    return found.fget if isinstance(found, property) else found


@contextmanager
def mutated(mutant: Mutant) -> Iterator[None]:
    """Let the change hold inside this block, in this process. Raises LostPoint."""
    owner, name = place_of(mutant)
    before = vars(owner)[name]
    after: Any
    if mutant.old:
        source = source_of(mutant).replace(mutant.old, mutant.new)
        function = function_of(before)
        assert isinstance(function, FunctionType)
        names: dict[str, Any] = {}
        text = "from __future__ import annotations\n" + source
        exec(compile(text, f"<mutant {mutant.name}>", "exec"), function.__globals__, names)  # noqa: S102 - our own text
        after = names[name]
    else:
        after = int(mutant.new)
    setattr(owner, name, after)
    try:
        yield
    finally:
        setattr(owner, name, before)
