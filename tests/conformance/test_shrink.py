"""Shrinking works on schedule, faults and workload together, and finds choices again by their labels."""

from kmigrate.conformance import Oracles, Schedule, judged, shrink
from kmigrate.conformance.shrink import Named, NamedChoices
from kmigrate.impl import Cancel, Configuration, Defect, Request, Work

ORACLES = Oracles()


def test_a_workload_item_is_dropped_although_the_choices_then_stand_elsewhere() -> None:
    """The failure needs a certain order; the items before it shift every choice."""
    items = (Work(0, 0), Work(0, 1), Cancel(2_900_000, 1), Request(10, 0, 1), Request(20, 1, 0), Work(30, 1))
    configuration = Configuration(clusters=2, processes=2, variant="published", workload=items)
    for seed in range(40):
        outcome = judged(configuration, Schedule("random", seed, 40).driver(), ORACLES)
        if outcome.signature == ("end", "frozen"):
            break
    smaller = shrink(configuration, outcome, ORACLES)
    assert smaller.outcome.signature == ("end", "frozen")
    assert all(isinstance(item, Request) for item in smaller.configuration.workload)
    assert len(smaller.configuration.workload) == 2


def test_faults_that_are_not_needed_go_and_needed_ones_stay() -> None:
    configuration = Configuration(
        clusters=3,
        processes=1,
        workload=(Request(0, 0, 1), Work(5, 0)),
        losses=2,
        duplicates=1,
        defects=frozenset({Defect.THAW_AFTER_COMMIT}),
    )
    outcome = judged(configuration, Schedule("ordinary", faults=((60, 1),)).driver(), ORACLES)
    assert outcome.finding is not None
    smaller = shrink(configuration, outcome, ORACLES)
    kept = smaller.configuration
    assert (len(kept.workload), kept.losses, kept.duplicates, kept.clusters) == (1, 0, 0, 2)


def test_choices_by_label_pass_over_what_is_no_longer_offered() -> None:
    driver = NamedChoices([Named("task", "gone"), Named("task", "b"), Named("task", "a")])
    assert driver.choose(2, "task", ("a", "b")) == 1
    assert driver.choose(2, "task", ("a", "b")) == 0
    assert driver.choose(2, "task", ("a", "b")) == 0
