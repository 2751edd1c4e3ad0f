"""Mutants: wrong machines are caught, weakened judges are found out, and what is right in another way passes."""

from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from kmigrate.checker import Holds, check
from kmigrate.conformance.campaigns.adequacy import Adequacy, Trial, Unjudged, cases_of, try_judge, try_machines
from kmigrate.conformance.campaigns.plan import Plan
from kmigrate.conformance.judging import judge
from kmigrate.conformance.mutations.infection import watched
from kmigrate.conformance.mutations.mutants import MACHINE
from kmigrate.conformance.mutations.mutation import LostPoint, Mutant, mutated, place_of
from kmigrate.conformance.mutations.variants import BENIGN, JUDGE
from kmigrate.conformance.runs.run import Oracles, judged
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


SHORT_RUN = 7
"""The shortest of the first runs of seed 2."""

EVERYDAY = tuple(
    mutant
    for mutant in MACHINE
    if mutant.name in ("release-forgets", "barrier-unasked", "owner-unmoved", "copy-kept")
)
"""Those that the suite tries; `kmigrate campaign --mutants` tries all."""


@cache
def tried(mutant: Mutant) -> Trial:
    (trial,) = try_machines([mutant], seed=1, runs=40)
    return trial


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
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_campaign_catches_nineteen_of_twenty_wrong_machines(seed: int) -> None:
    trials = try_machines(MACHINE, seed=seed, runs=400)
    missed = [trial.mutant.name for trial in trials if not trial.caught]
    assert len(missed) <= len(MACHINE) // 20, missed


@pytest.mark.campaign
@pytest.mark.parametrize("mutant", JUDGE, ids=lambda mutant: mutant.name)
def test_a_weakened_judge_is_found_out(mutant: Mutant) -> None:
    cases = cases_of([tried(wrong) for wrong in MACHINE])
    assert try_judge(mutant, cases).caught


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(one, marks=[] if place < 1 else pytest.mark.campaign) for place, one in enumerate(BENIGN)],
    ids=lambda mutant: mutant.name,
)
def test_what_is_right_in_another_way_passes(mutant: Mutant) -> None:
    (trial,) = try_machines([mutant], seed=1, runs=4)
    assert not trial.caught


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
    assert Adequacy(machines=[missed, tried(EVERYDAY[0])]).exit_code == 3
    assert Adequacy(50.0, machines=[missed, tried(EVERYDAY[0])]).exit_code == 0
    assert Adequacy(50.0, judges=[missed]).exit_code == 3


def hash_of(number: int) -> str:
    plan = Plan(seed=2)
    configuration, schedule = plan.drawn(number, [])
    plan.pair.prepare(configuration)
    return judged(configuration, schedule.driver(), Oracles(Unjudged())).trace_hash


def infecting(number: int) -> tuple[str, set[str]]:
    plan = Plan(seed=2)
    plan.pair.prepare(plan.drawn(number, [])[0])
    with watched((*MACHINE, *BENIGN)) as infected:
        return hash_of(number), set(infected)


def test_probes_change_no_run_and_are_gone_afterwards() -> None:
    before = {mutant.point: vars(place_of(mutant)[0])[place_of(mutant)[1]] for mutant in (*MACHINE, *BENIGN)}
    assert infecting(SHORT_RUN)[0] == hash_of(SHORT_RUN)
    for mutant in (*MACHINE, *BENIGN):
        owner, name = place_of(mutant)
        assert vars(owner)[name] is before[mutant.point]


@pytest.mark.parametrize("name", ["cno-commits", "epoch-unchecked", "abandons-installed"])
def test_where_a_mutant_does_not_infect_its_run_is_that_of_the_right_machine(name: str) -> None:
    right, infected = infecting(SHORT_RUN)
    (mutant,) = (one for one in MACHINE if one.name == name)
    assert name not in infected
    with mutated(mutant):
        assert hash_of(SHORT_RUN) == right


@pytest.mark.campaign
@pytest.mark.parametrize("number", range(12))
def test_no_mutant_changes_a_run_that_it_does_not_infect(number: int) -> None:
    right, infected = infecting(number)
    for mutant in (*MACHINE, *BENIGN):
        if mutant.name not in infected:
            with mutated(mutant):
                assert hash_of(number) == right, mutant.name


def test_a_changed_value_infects_only_where_it_is_another_one() -> None:
    point, old = "conformance.judging.judge:_value", "0 <= code < slot.domain.size"
    below = Mutant("below", point, old, "code < slot.domain.size", "numbers below none")
    last = Mutant("last", point, old, "0 <= code <= slot.domain.size", "one number too many")
    slot: Any = SimpleNamespace(domain=SimpleNamespace(size=2, values="ab"))
    with watched([below, last]) as infected:
        assert (judge._value(slot, 1), set(infected)) == ("b", set())
        assert (judge._value(slot, 2), set(infected)) == ("no value (2)", {"last"})
        assert (judge._value(slot, -1), set(infected)) == ("no value (-1)", {"last", "below"})


def test_a_mutant_of_a_statement_infects_where_it_is_reached() -> None:
    (copy_kept,) = (one for one in MACHINE if one.name == "copy-kept")
    (often,) = (one for one in BENIGN if one.name == "often-again")
    with watched([copy_kept, often]) as infected:
        assert infected == {"often-again"}
