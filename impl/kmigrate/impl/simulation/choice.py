"""Where every nondeterministic choice is made: one call, one number, 0 being the ordinary course.

Source: ours: the same choices give the same trace, byte for byte.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kmigrate.impl.errors import BadChoice, NoAlternative


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice that was made: alternative `chosen` of `n`."""

    kind: str
    n: int
    chosen: int


class ChoiceSource(ABC):
    """Makes the choices of a run and records them; a subclass says only how to decide."""

    def __init__(self) -> None:
        self.made: list[Choice] = []

    def choose(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """Choose one of n alternatives.

        kind    what is chosen: "task", "deliver", ...
        labels  one short string per alternative
        Returns a number in 0..n-1. A single alternative is taken without asking and is not recorded.
        Raises  NoAlternative for n < 1; BadChoice if the subclass leaves the range.
        """
        if n == 1:
            return 0
        if n < 1:
            raise NoAlternative(kind, n)
        chosen = self.decide(n, kind, labels)
        if not 0 <= chosen < n:
            raise BadChoice(kind, n, chosen)
        self.made.append(Choice(kind, n, chosen))
        return chosen

    @abstractmethod
    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """Answer with a number in 0..n-1; n is at least 2."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The choices made so far, as a list that `ChoiceList` replays."""
        return tuple(choice.chosen for choice in self.made)


class Ordinary(ChoiceSource):
    """Always the ordinary course."""

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """Answer 0."""
        return 0


class ChoiceList(ChoiceSource):
    """A list of numbers read in order: out of range modulo n, past the end 0. Any list is a legal run."""

    def __init__(self, values: Iterable[int]) -> None:
        super().__init__()
        self.values = tuple(values)
        self._position = 0

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """Answer with the next number of the list."""
        if self._position >= len(self.values):
            return 0
        value = self.values[self._position]
        self._position += 1
        return value % n
