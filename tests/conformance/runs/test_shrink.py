"""Shrinking works on schedule, faults and scripts together, and finds choices again by their labels."""

from kmigrate.conformance import Oracles, Schedule, Systems, judged, shrink
from kmigrate.conformance.mutations.mutants import MACHINE
from kmigrate.conformance.mutations.mutation import mutated
from kmigrate.conformance.runs.shrink import Named, NamedChoices, SparseChoices
from kmigrate.conformance.settings.programs import CALL, GO, SPIN, Script
from kmigrate.conformance.settings.setting import Setting
from kmigrate.impl.system.faults import FaultKind, NetworkFault


def test_what_is_not_needed_goes() -> None:
    (mutant,) = [one for one in MACHINE if one.name == "release-forgets"]
    setting = Setting(
        clusters=3,
        scripts=(Script(1, (SPIN, CALL, GO), ((CALL,),)),),
        faults=(NetworkFault(300, FaultKind.LOST),),
    )
    oracles = Oracles(Systems())
    with mutated(mutant):
        outcome = judged(setting, Schedule("planned", 3, changes=2).driver(), oracles)
        assert outcome.finding is not None
        smaller = shrink(setting, outcome.values, oracles, outcome.signature)
    assert smaller.outcome.signature == outcome.signature
    kept = smaller.configuration
    assert (kept.clusters, kept.scripts, kept.faults) == (2, (Script(1, (GO,)),), ())
    assert smaller.deviations == 0


def test_choices_by_label_pass_over_what_is_no_longer_offered() -> None:
    driver = NamedChoices([Named("task", "gone"), Named("task", "b"), Named("task", "a")])
    assert driver.choose(2, "task", ("a", "b")) == 1
    assert driver.choose(2, "task", ("a", "b")) == 0
    assert driver.choose(2, "task", ("a", "b")) == 0


def test_a_departure_is_made_again_where_the_ordinary_course_would_do_what_was_passed_over() -> None:
    driver = SparseChoices([Named("task", "a", "a"), Named("task", "b", "a", 1), Named("task", "c", "a")])
    assert driver.choose(2, "task", ("a", "c")) == 0, "the first departure is not made yet"
    assert driver.choose(2, "task", ("a", "b")) == 0, "b has not been chosen before"
    assert driver.choose(2, "task", ("b", "a")) == 0
    assert driver.choose(2, "task", ("b", "a")) == 0, "the ordinary course would not do a"
    assert driver.choose(2, "task", ("a", "b")) == 1
    assert driver.choose(2, "task", ("a", "c")) == 1
    assert driver.choose(2, "task", ("a", "c")) == 0
