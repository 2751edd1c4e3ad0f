"""Mutants: wrong machines are caught, weakened judges are found out, and what is right in another way passes."""

from functools import cache

import pytest

from kmigrate.checker import Holds, check
from kmigrate.conformance.adequacy import Adequacy, Trial, cases_of, try_judge, try_machine
from kmigrate.conformance.mutants import MACHINE
from kmigrate.conformance.mutation import LostPoint, Mutant, mutated
from kmigrate.conformance.variants import BENIGN, JUDGE
from kmigrate.impl.daemon import hardened
from kmigrate.impl.daemon.source import SourceSide
from kmigrate.spec.language import forall, implies, invariant
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.protocol.hardened import Hardened
from kmigrate.spec.vocabulary import DestinationPhase, Message


class Said(Hardened):
    """The hardened protocol, asked one thing more: why `installed-unasked` is benign."""

    @invariant
    def yes_is_said_to_what_is_installed(self) -> bool:
        """Nobody says YES to a destination that still stages."""
        return forall(
            Attempt,
            lambda a: implies(
                self.sent[Message.YES, a], lambda: self.at_destination[a] != DestinationPhase.STAGING
            ),
        )


EVERYDAY = tuple(
    mutant
    for mutant in MACHINE
    if mutant.name in ("release-forgets", "barrier-unasked", "owner-unmoved", "copy-kept")
)
"""Those that the suite tries; `kmigrate campaign --mutants` tries all."""


@cache
def tried(mutant: Mutant) -> Trial:
    return try_machine(mutant, 1, 20, True)


def test_there_are_at_least_forty_of_the_machine_in_daemons_kernel_and_services() -> None:
    assert len(MACHINE) >= 40
    assert {mutant.part for mutant in MACHINE} == {"daemon", "kernel", "service"}
    names = [mutant.name for mutant in (*MACHINE, *JUDGE, *BENIGN)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("mutant", [*MACHINE, *JUDGE, *BENIGN], ids=lambda mutant: mutant.name)
def test_a_mutant_changes_something_while_it_holds_and_nothing_after(mutant: Mutant) -> None:
    assert mutant.difference().startswith("-")
    before = (SourceSide.request, vars(hardened)["AGAIN"])
    with mutated(mutant):
        pass
    assert (SourceSide.request, vars(hardened)["AGAIN"]) == before


@pytest.mark.parametrize("mutant", EVERYDAY, ids=lambda mutant: mutant.name)
def test_a_wrong_machine_is_caught(mutant: Mutant) -> None:
    assert tried(mutant).caught


@pytest.mark.campaign
@pytest.mark.parametrize("mutant", MACHINE, ids=lambda mutant: mutant.name)
def test_every_wrong_machine_is_caught(mutant: Mutant) -> None:
    assert try_machine(mutant, 1, 200, True).caught


@pytest.mark.campaign
@pytest.mark.parametrize("mutant", JUDGE, ids=lambda mutant: mutant.name)
def test_a_weakened_judge_is_found_out(mutant: Mutant) -> None:
    cases = cases_of([tried(wrong) for wrong in MACHINE], 1)
    assert try_judge(mutant, cases).caught


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(one, marks=[] if place < 1 else pytest.mark.campaign) for place, one in enumerate(BENIGN)],
    ids=lambda mutant: mutant.name,
)
def test_what_is_right_in_another_way_passes(mutant: Mutant) -> None:
    assert not try_machine(mutant, 1, 1, False).caught


@pytest.mark.campaign
def test_in_the_model_nobody_says_yes_to_a_destination_that_stages() -> None:
    found = check(Said(clusters=3, processes=2, attempts=2, sections=1))
    assert found.states == 27_683
    assert isinstance(found.answer("yes_is_said_to_what_is_installed").verdict, Holds)


def test_a_point_that_has_moved_is_an_error_and_not_a_mutant_that_survives() -> None:
    moved = Mutant("moved", "impl.daemon.source:SourceSide.request", "no such text", "pass", "")
    with pytest.raises(LostPoint, match="'no such text' stands 0 times"), mutated(moved):
        pass


def test_a_missed_mutant_or_a_false_alarm_misses_the_gate() -> None:
    missed = Trial(MACHINE[0])
    assert Adequacy(machines=[missed]).exit_code == 3
    assert Adequacy(benign=[tried(EVERYDAY[0])]).exit_code == 3
    assert Adequacy(machines=[tried(EVERYDAY[0])]).exit_code == 0
