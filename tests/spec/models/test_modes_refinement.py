"""A move page by page looks from above like one move of L0, and stop-and-copy like one section of L1."""

from dataclasses import replace

import pytest

from kmigrate.checker import Violated
from kmigrate.checker.refine import refines
from kmigrate.spec.modes import NUMBERS, Modes, PublishedModes
from kmigrate.spec.modes_refinement import (
    ALONE,
    PUBLISHED_REFINES_RESIDENCE,
    REFINES_RESIDENCE,
    REFINES_TRANSFER,
    one_section,
)
from kmigrate.spec.protocol import ClusterId, Hardened, ProcessId
from kmigrate.spec.refinements import Refinement
from kmigrate.spec.residence import Residence
from kmigrate.spec.vocabulary import MODES_MECHANISMS, DestinationPhase, Mechanism, Message, Mode, SourcePhase

FAULTLESS = {"losses": 0, "stops": 0}


@pytest.mark.parametrize(
    ("mode", "moves"),
    [(Mode.COLD, 16), (Mode.STOP_AND_COPY, 8), (Mode.PRE_COPY, 28), (Mode.POST_COPY, 4), (Mode.HYBRID, 96)],
    ids=lambda value: value.value if isinstance(value, Mode) else str(value),
)
def test_each_mode_refines_residence(mode: Mode, moves: int) -> None:
    report = refines(Modes(mode=NUMBERS[mode]), REFINES_RESIDENCE)
    assert report.verdict.word == "holds"
    assert report.seen == {"move": moves}


def test_a_published_stop_and_copy_does_not_since_both_copies_run_on() -> None:
    report = refines(PublishedModes(mode=NUMBERS[Mode.STOP_AND_COPY]), PUBLISHED_REFINES_RESIDENCE)
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.labels == ("start()", "copy(1)", "copy(0)", "switch()")
    assert "runs at both nodes" in report.reason


def test_a_move_that_may_return_after_the_switch_does_not() -> None:
    returning = Modes(mode=NUMBERS[Mode.POST_COPY], mechanisms=MODES_MECHANISMS - {Mechanism.NO_RETURN})
    report = refines(returning, REFINES_RESIDENCE)
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.labels == ("start()", "switch()", "cancel()")


def at_home(modes: Modes, residence: Residence) -> None:
    """Everything looks like the first state."""
    residence.home[ProcessId(0)] = ClusterId(0)


def test_an_abstraction_that_maps_everything_to_one_state_fails() -> None:
    report = refines(Modes(pages=1), Refinement("blind", Modes, Residence, at_home, fixed=ALONE))
    assert isinstance(report.verdict, Violated)
    assert "move is never seen" in report.reason


@pytest.mark.parametrize(
    ("pages", "seen"),
    [
        (1, {"pass_barrier": 2, "stage": 2, "cancel": 8, "clear_copy": 8}),
        (2, {"pass_barrier": 8, "stage": 8, "cancel": 40, "clear_copy": 64}),
        (3, {"pass_barrier": 24, "stage": 24, "cancel": 224, "clear_copy": 512}),
    ],
)
def test_a_stop_and_copy_of_pages_is_the_transfer_of_one_section(pages: int, seen: dict[str, int]) -> None:
    report = refines(Modes(mode=NUMBERS[Mode.STOP_AND_COPY], pages=pages, **FAULTLESS), REFINES_TRANSFER)
    assert report.verdict.word == "holds"
    assert {name: report.seen[name] for name in REFINES_TRANSFER.opens} == seen


def test_a_stop_and_copy_that_does_not_verify_runs_before_its_section_is_staged() -> None:
    hasty = MODES_MECHANISMS - {Mechanism.VERIFY_BEFORE_SWITCH}
    model = Modes(mode=NUMBERS[Mode.STOP_AND_COPY], mechanisms=hasty, pages=1, **FAULTLESS)
    report = refines(model, REFINES_TRANSFER)
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.labels == ("start()", "copy(0)", "switch()")
    assert "before its pages are staged" in report.reason


def test_a_post_copy_is_no_transfer_of_one_section() -> None:
    report = refines(Modes(mode=NUMBERS[Mode.POST_COPY], **FAULTLESS), REFINES_TRANSFER)
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.labels == ("start()", "switch()")


def granted_for_ever(modes: Modes, protocol: Hardened) -> None:
    """Everything looks like an attempt before the barrier."""
    one_section(modes, protocol)
    protocol.at_source[0] = SourcePhase.FREEZING
    protocol.at_destination[0] = DestinationPhase.STAGING
    protocol.content[ClusterId(1), 0] = ProcessId(-1)
    protocol.frozen[ClusterId(0)] = False
    protocol.frozen[ClusterId(1)] = True
    protocol.sect[0, 0] = False
    for message in Message:
        protocol.sent[message, 0] = False


def test_a_transfer_that_never_begins_is_none() -> None:
    blind = replace(REFINES_TRANSFER, abstraction=granted_for_ever)
    report = refines(Modes(mode=NUMBERS[Mode.STOP_AND_COPY], **FAULTLESS), blind)
    assert isinstance(report.verdict, Violated)
    assert "pass_barrier, stage, cancel, clear_copy is never seen" in report.reason
