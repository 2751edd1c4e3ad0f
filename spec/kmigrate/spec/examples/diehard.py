"""Die Hard: measure four litres with a jug of three and a jug of five.

Source: Lamport's TLA+ example; 16 states, and the shortest way to four litres has six steps.
"""

from kmigrate.spec.language import Model, Range, action, invariant, variable


class DieHard(Model):
    """Two jugs without marks."""

    small: int = variable("litres in the small jug", of=Range(0, 3), init=0)
    big: int = variable("litres in the big jug", of=Range(0, 5), init=0)

    @action
    def fill_small(self) -> None:
        """Fill the small jug at the fountain."""
        self.small = 3

    @action
    def fill_big(self) -> None:
        """Fill the big jug at the fountain."""
        self.big = 5

    @action
    def empty_small(self) -> None:
        """Pour the small jug out."""
        self.small = 0

    @action
    def empty_big(self) -> None:
        """Pour the big jug out."""
        self.big = 0

    @action
    def small_to_big(self) -> None:
        """Pour from the small jug until it is empty or the big one is full."""
        total = self.small + self.big
        if total <= 5:
            self.big = total
            self.small = 0
        else:
            self.big = 5
            self.small = total - 5

    @action
    def big_to_small(self) -> None:
        """Pour from the big jug until it is empty or the small one is full."""
        total = self.small + self.big
        if total <= 3:
            self.small = total
            self.big = 0
        else:
            self.small = 3
            self.big = total - 3

    @invariant
    def big_is_not_4(self) -> bool:
        """The wish to be refuted: its counterexample measures four litres."""
        return self.big != 4
