"""A choice source of our own: uniform, by a linear congruential generator."""

from collections.abc import Sequence

from kmigrate.impl.simulation.choice import ChoiceSource


class Uniform(ChoiceSource):
    """Departs from the ordinary course with a chance of `boldness` percent at each choice."""

    def __init__(self, seed: int, boldness: int = 100) -> None:
        super().__init__()
        self._state = seed * 2 + 1
        self._boldness = boldness

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        return self._number(n) if self._number(100) < self._boldness else 0

    def _number(self, n: int) -> int:
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        return (self._state >> 33) % n


class Avoiding(ChoiceSource):
    """Takes the first alternative whose label contains none of some words, if there is one."""

    def __init__(self, *words: str) -> None:
        super().__init__()
        self.words = words

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        return next((i for i, label in enumerate(labels) if not any(word in label for word in self.words)), 0)
