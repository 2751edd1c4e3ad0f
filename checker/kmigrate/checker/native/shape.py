"""Text that depends on the width of a state only: how its words are loaded, named and passed on."""

from __future__ import annotations


class Shape:
    """The words of a state, as they appear in LLVM text."""

    def __init__(self, words: int) -> None:
        self.words = words
        self.bytes = 8 * words
        self.formal = ", ".join(f"i64 %w{i}" for i in range(words))

    def load(self, pointer: str, stem: str = "%w") -> str:
        """Load the words that stand at a pointer."""
        lines = []
        for i in range(self.words):
            lines.append(f"  {stem}p{i} = getelementptr i64, ptr {pointer}, i64 {i}")
            lines.append(f"  {stem}{i} = load i64, ptr {stem}p{i}")
        return "\n".join(lines)

    def actual(self, stem: str = "%w") -> str:
        """The words as arguments of a call."""
        return ", ".join(f"i64 {stem}{i}" for i in range(self.words))
