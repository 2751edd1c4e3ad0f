"""What L2 says of a transfer: pinned counts, what each mechanism is for, how much holds of the published walks."""

from collections.abc import Iterator
from functools import cache

import pytest

from kmigrate.checker import Report, Violated, check
from kmigrate.checker.interpret import Interpreter
from kmigrate.checker.refine import refines
from kmigrate.spec.language import Map, array
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.mstate import Pool, PublishedTransfer, Side, Slot, Task, Transfer
from kmigrate.spec.mstate.sizes import MPPA256, image_bytes, kernel_pages_used, piece_bytes
from kmigrate.spec.mstate_refinement import HARDENED_TRANSFER, PUBLISHED_TRANSFER, begin
from kmigrate.spec.protocol import Hardened
from kmigrate.spec.refinements import Refinement
from kmigrate.spec.vocabulary import MSTATE_MECHANISMS, Mechanism, Mstate

TINY = {"system": 1, "pages": 1, "frames": 1}


@cache
def published(**parameters: int) -> Report:
    """The check of the tiny published transfer, without a mechanism."""
    return check(PublishedTransfer(**TINY, **parameters))


def violated(report: Report) -> dict[str, int]:
    """The properties that fail, with the lengths of their traces."""
    return {answer.name: answer.length for answer in report.answers if answer.length is not None}


def ending(report: Report, name: str) -> dict[str, str]:
    """The last state of a property's counterexample."""
    verdict = report.answer(name).verdict
    assert isinstance(verdict, Violated)
    return verdict.trace.model.schema.show(verdict.trace.end)


# -- counts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "states", "edges", "depth"),
    [(TINY, 10869, 31282, 131), ({}, 143235, 438800, 151)],
)
def test_the_hardened_transfer_holds_as_pinned(
    parameters: dict[str, int], states: int, edges: int, depth: int
) -> None:
    report = check(Transfer(**parameters), engine="interpret" if parameters else "native")
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == {}
    assert report.never_enabled == []
    assert report.vacuous == ()


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("parameters", "states", "edges"),
    [({"late": 2, "parts": 2, "boards": 1}, 1943338, 7701596), ({"late": 1, "faults": 1}, 2244675, 8374744)],
)
def test_the_hardened_transfer_holds_at_standard_size(parameters: dict[str, int], states: int, edges: int) -> None:
    report = check(Transfer(**parameters))
    assert (report.states, report.edges) == (states, edges)
    assert violated(report) == {}
    assert report.never_enabled == []


@pytest.mark.parametrize(
    ("parameters", "states", "edges", "depth", "fails"),
    [
        (TINY, 6524, 11392, 141, {"no_system_page_written": 95, "source_is_last": 120}),
        pytest.param(
            *({}, 94184, 164512, 161, {"no_system_page_written": 95, "source_is_last": 126}),
            marks=pytest.mark.campaign,
        ),
    ],
)
def test_the_published_transfer_of_a_quiet_source_arrives_and_writes_one_page_of_the_system(
    parameters: dict[str, int], states: int, edges: int, depth: int, fails: dict[str, int]
) -> None:
    report = check(PublishedTransfer(**parameters))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == fails
    assert report.never_enabled == []


def test_what_a_late_thread_does_breaks_the_published_transfer_as_pinned() -> None:
    report = published(late=1)
    assert (report.states, report.edges, report.depth) == (22687, 52455, 142)
    assert violated(report) == {
        "walks_agree": 109,
        "image_intact": 117,
        "no_system_page_written": 95,
        "source_is_last": 117,
        "each_side_can_end": 73,
        "each_side_ends": 123,
        "deadlock": 123,
    }


# -- mechanisms ------------------------------------------------------------------------------------------

ALONE: dict[Mechanism, tuple[dict[str, int], dict[str, int]]] = {
    Mechanism.MANIFEST: ({"late": 1}, {"image_intact": 111}),
    Mechanism.PINNED_PAGES: ({"late": 2}, {"image_intact": 118}),
    Mechanism.FRAMING: ({"faults": 1}, {"walks_agree": 17, "image_intact": 100, "nothing_stale_is_mapped": 100}),
    Mechanism.CHECKSUM: ({"faults": 1}, {"image_intact": 110, "nothing_stale_is_mapped": 110}),
    Mechanism.OWNED_PAGES: ({}, {"no_system_page_written": 95}),
    Mechanism.INSTALL_ANSWER: ({}, {"source_is_last": 110}),
    Mechanism.SOURCE_TIMEOUT: ({}, {"each_side_can_end": 1, "each_side_ends": 5, "deadlock": 5}),
    Mechanism.DESTINATION_TIMEOUT: ({}, {"each_side_can_end": 1, "each_side_ends": 6, "deadlock": 6}),
    Mechanism.DRAIN_BOARDS: ({"boards": 1}, {"each_side_can_end": 44, "each_side_ends": 45, "deadlock": 45}),
}
"""Mechanism → what else is needed to miss it, and what breaks then."""


def test_every_mechanism_is_asked_about() -> None:
    assert set(ALONE) == MSTATE_MECHANISMS


@pytest.mark.parametrize("mechanism", ALONE, ids=lambda mechanism: mechanism.value)
def test_without_one_mechanism_the_hardened_transfer_breaks(mechanism: Mechanism) -> None:
    parameters, breaks = ALONE[mechanism]
    without = Transfer(**TINY, **parameters, mechanisms=MSTATE_MECHANISMS - {mechanism})
    large = "faults" in parameters or parameters.get("late", 0) > 1
    assert violated(check(without, engine="native" if large else "interpret")) == breaks


@pytest.mark.parametrize("parameters", [{"late": 2, "boards": 1}, {"faults": 1}])
def test_with_all_mechanisms_it_holds_where_it_would_break(parameters: dict[str, int]) -> None:
    report = check(Transfer(**TINY, **parameters), engine="native")
    assert violated(report) == {}
    assert report.never_enabled == []


@pytest.mark.parametrize(
    "mechanism",
    [
        Mechanism.MANIFEST,
        pytest.param(Mechanism.PINNED_PAGES, marks=pytest.mark.campaign),
        pytest.param(Mechanism.FRAMING, marks=pytest.mark.campaign),
        pytest.param(Mechanism.CHECKSUM, marks=pytest.mark.campaign),
    ],
)
def test_the_shortest_counterexamples_are_the_interpreter_s_too(mechanism: Mechanism) -> None:
    parameters, breaks = ALONE[mechanism]
    without = Transfer(**TINY, **parameters, mechanisms=MSTATE_MECHANISMS - {mechanism})
    plain, native = check(without, engine="interpret"), check(without, engine="native")
    assert violated(plain) == violated(native) == breaks
    assert (plain.states, plain.edges, plain.depth) == (native.states, native.edges, native.depth)


@pytest.mark.parametrize(
    ("mechanism", "parameters", "mended"),
    [
        (Mechanism.MANIFEST, {"late": 1}, {"walks_agree", "image_intact", "each_side_ends"}),
        (Mechanism.FRAMING, {"late": 1}, {"walks_agree"}),
        (Mechanism.OWNED_PAGES, {}, {"no_system_page_written"}),
        (Mechanism.INSTALL_ANSWER, {}, {"source_is_last"}),
        (Mechanism.DRAIN_BOARDS, {"boards": 1}, {"each_side_ends"}),
    ],
)
def test_added_to_the_published_transfer_a_mechanism_mends_what_it_is_for(
    mechanism: Mechanism, parameters: dict[str, int], mended: set[str]
) -> None:
    bare = violated(published(**parameters))
    added = violated(check(PublishedTransfer(**TINY, **parameters, mechanisms=frozenset({mechanism}))))
    assert mended <= set(bare)
    assert not mended & set(added)


def test_without_faults_the_walks_end_even_without_timeouts() -> None:
    both = {Mechanism.SOURCE_TIMEOUT, Mechanism.DESTINATION_TIMEOUT}
    report = check(Transfer(**TINY, late=1, mechanisms=MSTATE_MECHANISMS - both))
    assert violated(report) == {}
    assert report.states == 19014


def test_a_published_side_waits_for_ever_for_one_that_has_stopped() -> None:
    report = check(PublishedTransfer(**TINY, faults=1), engine="native")
    assert violated(report)["each_side_ends"] == 5
    last = ending(report, "each_side_can_end")
    assert Task.STOPPED.value in (last["task[sender]"], last["task[receiver]"])


def test_an_unserved_board_leaves_the_destination_asleep_before_the_page_directory() -> None:
    last = ending(published(boards=1), "deadlock")
    assert (last["state[receiver]"], last["task[receiver]"]) == ("pagedir", "asleep")


# -- mutants ---------------------------------------------------------------------------------------------


class FromTheFirst(PublishedTransfer):
    """A loop over the kernel pages that begins with the first."""

    def lower_bound(self, pool: Pool) -> int:
        """The first page, whoever owns it."""
        return 0


def test_a_loop_from_the_first_kernel_page_writes_more_than_one_of_the_system() -> None:
    assert "one_system_page_written" in violated(check(FromTheFirst(system=2, pages=1, frames=1)))


class Keeping(Transfer):
    """A receiver that gives up and keeps what it has."""

    def leave(self, side: Side, task: Task) -> None:
        """Only the task ends."""
        self.task[side] = task


def test_a_receiver_that_keeps_its_pages_leaves_a_half_image_mapped() -> None:
    assert "nothing_half_is_mapped" in violated(check(Keeping(**TINY)))


class Sparing(PublishedTransfer):
    """A walk on both sides that leaves the last frame out."""

    def end_index(self, state: Mstate) -> int:
        """One frame less."""
        return super().end_index(state) - (state == Mstate.FRAMES_PHYS)


def test_a_walk_that_ends_too_soon_leaves_a_stale_frame_mapped() -> None:
    assert {"image_intact", "nothing_stale_is_mapped"} <= set(violated(check(Sparing(**TINY))))


# -- the size of a transfer ------------------------------------------------------------------------------


def pieces(kind: type[Transfer], threads: int, pages: int) -> Iterator[int]:
    """The useful bytes of each piece of one ordinary transfer of the real size, as the model's text runs."""
    kernel_pages = MPPA256["system"] + kernel_pages_used(threads, pages)

    class OneProcess(kind):  # type: ignore[misc, valid-type]
        used: Map[tuple[Pool, int], bool] = array(
            "the pages of one process",
            Pool,
            Slot,
            of=bool,
            init=lambda _, pool, slot: slot < (kernel_pages if pool == Pool.KERNEL_PAGES else pages),
        )
        there: Map[tuple[Pool, int], bool] = array(
            "an empty destination",
            Pool,
            Slot,
            of=bool,
            init=lambda model, pool, slot: model.system_owned(pool, slot),
        )

    model = OneProcess(**MPPA256)
    interpreter = Interpreter(model)
    (state,) = initial_states(model)
    names = [slot.name for slot in model.schema.slots]
    where, part = names.index("state[receiver]"), names.index("part[receiver]")
    ordinary = [n for n, one in enumerate(interpreter.actions) if one.name != "give_up"]
    while not interpreter.terminal(state):
        number = next(n for n in ordinary if interpreter.effect(n, state) is not None)
        if interpreter.actions[number].name == "deliver":
            yield piece_bytes(tuple(Mstate)[state[where]], state[part])
        after = list(state)
        for slot, code in interpreter.effect(number, state) or ():
            after[slot] = code
        state = tuple(after)
    assert interpreter.true("image_intact", state)


@pytest.mark.parametrize(("threads", "pages"), [(1, 0), (1, 1), (17, 32), (18, 0)])
def test_a_published_transfer_has_as_many_pieces_as_the_code_and_a_page_more_than_the_thesis_says(
    threads: int, pages: int
) -> None:
    moved = list(pieces(PublishedTransfer, threads, pages))
    assert len(moved) == 10 + 2 * threads + pages + min(pages, 1)
    assert sum(moved) == image_bytes(threads, pages) + 4096


def test_a_hardened_transfer_moves_exactly_the_bytes_of_equation_5_4() -> None:
    moved = list(pieces(Transfer, 3, 5))
    assert len(moved) == 9 + 2 * 3 + 5 + 1
    assert sum(moved) == image_bytes(3, 5)


# -- refinement ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters", [{"faults": 1}, pytest.param({"late": 1, "faults": 1, "parts": 2}, marks=pytest.mark.campaign)]
)
def test_the_hardened_transfer_refines_the_protocol_from_frozen_on(parameters: dict[str, int]) -> None:
    report = refines(Transfer(**TINY, **parameters), HARDENED_TRANSFER)
    assert report.verdict.word == "holds", report.reason
    assert all(report.seen[name] for name in HARDENED_TRANSFER.opens)
    assert bool(report.seen["crash"]) == bool(parameters.get("faults"))


def test_the_published_transfer_of_a_quiet_source_refines_the_published_protocol() -> None:
    report = refines(PublishedTransfer(**TINY), PUBLISHED_TRANSFER)
    assert report.verdict.word == "holds", report.reason
    assert all(report.seen[name] for name in PUBLISHED_TRANSFER.opens)


def test_with_a_late_thread_it_does_not_for_a_section_arrives_that_is_not_the_source_s() -> None:
    report = refines(PublishedTransfer(**TINY, late=1), PUBLISHED_TRANSFER)
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.length == 99
    assert any(label.startswith(("take_late", "give_back_late")) for label in report.verdict.trace.labels)
    assert "walked[c1]: 1 → 2" in report.reason
    assert "content[c1,1]" not in report.reason


@pytest.mark.parametrize(
    ("mechanism", "parameters"),
    [
        (Mechanism.INSTALL_ANSWER, {}),
        pytest.param(Mechanism.MANIFEST, {"late": 1}, marks=pytest.mark.campaign),
        pytest.param(Mechanism.FRAMING, {"faults": 1}, marks=pytest.mark.campaign),
    ],
)
def test_without_a_mechanism_the_hardened_transfer_does_not_refine(
    mechanism: Mechanism, parameters: dict[str, int]
) -> None:
    without = Transfer(**TINY, **parameters, mechanisms=MSTATE_MECHANISMS - {mechanism})
    assert isinstance(refines(without, HARDENED_TRANSFER).verdict, Violated)


def nothing_asked_yet(transfer: Transfer, protocol: Hardened) -> None:
    """Everything looks like the first state of the protocol."""
    begin(protocol)


def test_an_abstraction_that_maps_everything_to_one_state_fails() -> None:
    blind = Refinement(
        "blind",
        Transfer,
        Hardened,
        nothing_asked_yet,
        opens=HARDENED_TRANSFER.opens,
        fixed=HARDENED_TRANSFER.fixed,
    )
    report = refines(Transfer(**TINY), blind)
    assert isinstance(report.verdict, Violated)
    assert "is never seen" in report.reason


def test_the_tasks_are_those_of_the_figure_from_the_fourth_on() -> None:
    figure = ["state-handler", "loop", "write", "awrite", "wwait", "read", "allow", "aread", "rwait", "finish"]
    assert [task.value for task in Task][: len(figure)] == figure
    actions = {one.name for one in Transfer(**TINY).schema.actions}
    assert {name.replace("-", "_") for name in figure} <= actions
