"""LLVM text as it is written: instructions, labels and the values that are known where one stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Code:
    """The body of one function, line by line.

    A value that was computed may be used again wherever its block comes first on every way: `branch` opens a
    part of the function whose values are forgotten at its end.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._count = 0
        self._known: list[dict[Any, str]] = [{}]

    def fresh(self, stem: str) -> str:
        """A name that no other value or block of this function has."""
        self._count += 1
        return f"{stem}{self._count}"

    def put(self, line: str) -> None:
        """One instruction without a result."""
        self.lines.append(f"  {line}")

    def value(self, instruction: str) -> str:
        """One instruction with a result; returns the name of the result."""
        name = "%" + self.fresh("v")
        self.lines.append(f"  {name} = {instruction}")
        return name

    def block(self, label: str) -> None:
        """A new block begins; the one before must have ended with a jump."""
        self.lines.append(f"{label}:")

    @contextmanager
    def branch(self) -> Iterator[None]:
        """What is computed in here is forgotten afterwards."""
        self._known.append({})
        try:
            yield
        finally:
            self._known.pop()

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """A part that is executed only if the condition, a value of type i1, is true."""
        then, after = self.fresh("then"), self.fresh("after")
        self.put(f"br i1 {condition}, label %{then}, label %{after}")
        self.block(then)
        with self.branch():
            yield
        self.put(f"br label %{after}")
        self.block(after)

    def known(self, key: Any) -> str | None:
        """The value computed for `key`, if it may be used here."""
        return next((found for known in reversed(self._known) if (found := known.get(key)) is not None), None)

    def know(self, key: Any, value: str) -> str:
        """Note the value computed for `key`."""
        self._known[-1][key] = value
        return value

    def __str__(self) -> str:
        return "\n".join(self.lines)
