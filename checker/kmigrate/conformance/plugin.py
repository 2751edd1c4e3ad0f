"""A pytest plugin: a pair of one's own under the judge, with a seed and a number of runs from the command line.

In a conftest.py: `pytest_plugins = ["kmigrate.conformance.plugin"]`. A test then takes the fixture `conforms` and
calls it with its pair; docs/campaigns.md has one from beginning to end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from kmigrate.conformance.judging.pair import Pair
from kmigrate.conformance.runs.run import Oracles, Outcome, judged
from kmigrate.conformance.runs.shrink import shrink
from kmigrate.conformance.settings.drivers import drawn_schedule

DRIVERS = ("planned", "random", "priorities", "delays")

HORIZONS = (4, 16, 70)
"""Deliveries among which two faults are planned: small protocols have few."""

Conforms = Callable[..., Counter[str]]


class DoesNotConform(AssertionError):
    """A machine left its model; the shrunk run is told, and the choices that repeat it."""

    def __init__(self, seed: int, number: int, configuration: Any, outcome: Outcome) -> None:
        assert outcome.finding is not None
        choices = [choice.chosen for choice in outcome.choices]
        super().__init__(
            f"run {number} of seed {seed}, shrunk to {configuration!r} with choices {choices}:\n"
            + outcome.finding.told()
        )
        self.outcome, self.configuration = outcome, configuration


def assert_conforms(pair: Pair[Any], *, traces: int = 200, seed: int = 1) -> Counter[str]:
    """Run `traces` runs of a pair under the judge; how often each action of the model was taken.

    Raises  DoesNotConform with the first failure, shrunk.
    """
    oracles = Oracles(pair)
    actions: Counter[str] = Counter()
    for number in range(traces):
        random = Random(f"{seed}:{number}")  # noqa: S311 - a schedule, not a secret
        configuration = pair.draw(random)
        outcome = judged(
            configuration, drawn_schedule(random, DRIVERS, 2, random.choice(HORIZONS)).driver(), oracles
        )
        if outcome.finding is not None:
            smaller = shrink(configuration, outcome.values, oracles, outcome.signature)
            raise DoesNotConform(seed, number, smaller.configuration, smaller.outcome)
        actions.update(outcome.actions)
    return actions


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options."""
    group = parser.getgroup("kmigrate")
    group.addoption("--campaign-seed", type=int, default=1, help="Seed of the campaigns of `conforms`.")
    group.addoption("--campaign-traces", type=int, default=200, help="Runs in each campaign of `conforms`.")


@pytest.fixture
def conforms(request: pytest.FixtureRequest) -> Conforms:
    """Call it with a pair: it runs a campaign and raises DoesNotConform with the first failure, shrunk."""

    def run(pair: Pair[Any], **bounds: int) -> Counter[str]:
        asked = {"traces": request.config.getoption("--campaign-traces")}
        asked["seed"] = request.config.getoption("--campaign-seed")
        return assert_conforms(pair, **{**asked, **bounds})

    return run
