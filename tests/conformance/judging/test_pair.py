"""A pair says what it does not offer, and by which method it could."""

from collections.abc import Callable
from typing import Any

import pytest

from kmigrate.conformance.errors import NotOfferedByPair
from kmigrate.conformance.judging.pair import Pair


class Bare(Pair[int]):
    """A pair with nothing but what every pair must have."""

    name = "bare"
    model = table = make = abstraction = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("ask", "method"),
    [
        (lambda pair: pair.draw(None), "draw"),
        (lambda pair: pair.as_json(0), "as_json"),
    ],
    ids=["draw", "as_json"],
)
def test_what_a_pair_does_not_offer_names_the_mend(ask: Callable[[Any], object], method: str) -> None:
    with pytest.raises(NotOfferedByPair, match=f"'bare' does not offer .* give it a method {method}"):
        ask(Bare())
