"""A prediction follows the daemon's own rules, and says when a mode cannot help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl.image.samples import unhurried
from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.daemon.prediction import Costs, Load, pages_within, pieces_of, predict
from kmigrate.impl.daemon.rounds import THROTTLE_MOST, Limits, Rounds
from kmigrate.impl.image import Shape
from kmigrate.impl.kernel.placement import Placement
from kmigrate.spec.vocabulary import Mode

SHAPE = Shape.of(Placement.of(MPPA256))
COSTS = Costs(piece=200_000, setup=50_000, freeze=10_000, commit=60_000, thaw=30_000, save=2_000)

loads = st.builds(
    lambda kernel_pages, frames, times, shares: Load(
        kernel_pages,
        frames,
        tuple(zip(sorted(times), sorted(share * frames // 100 for share in shares), strict=True)),
    ),
    st.integers(2, 36),
    st.integers(0, 128),
    st.lists(st.integers(1, 10**8), min_size=3, max_size=3, unique=True),
    st.lists(st.integers(0, 100), min_size=3, max_size=3),
)


@pytest.mark.parametrize(("threads", "pages"), [(1, 0), (2, 1), (17, 32)])
def test_pieces_are_those_of_the_formula(threads: int, pages: int) -> None:
    """Nine data pieces and one for each page, the manifest and the digest."""
    kernel_pages = 2 * threads + min(pages, 1)
    assert pieces_of(SHAPE, kernel_pages, pages) == 9 + kernel_pages + pages + 2


@unhurried
@given(loads, st.sampled_from(Mode))
def test_every_page_moves_once_at_least_and_the_fixed_part_is_in_every_downtime(load: Load, mode: Mode) -> None:
    found = predict(SHAPE, load, COSTS, mode)
    assert found.pages_ahead + found.pages_behind + found.frozen_pages >= load.frames
    assert found.downtime >= found.fixed
    assert found.total >= found.downtime + COSTS.setup
    assert found.rounds <= Limits().rounds


@unhurried
@given(loads)
def test_the_modes_stand_in_the_order_of_their_downtimes(load: Load) -> None:
    down = {mode: predict(SHAPE, load, COSTS, mode).downtime for mode in Mode}
    assert down[Mode.POST_COPY] <= down[Mode.PRE_COPY] <= down[Mode.STOP_AND_COPY] <= down[Mode.COLD]
    assert down[Mode.HYBRID] == down[Mode.POST_COPY]


@unhurried
@given(loads)
def test_pre_copy_is_predicted_to_be_shorter_unless_it_is_said_that_it_is_not(load: Load) -> None:
    pre, stop = (predict(SHAPE, load, COSTS, mode) for mode in (Mode.PRE_COPY, Mode.STOP_AND_COPY))
    assert (pre.downtime < stop.downtime) is (not pre.remark)


@unhurried
@given(loads, st.integers(0, 10**8))
def test_as_many_pages_as_fit_into_a_downtime_are_left(load: Load, downtime: int) -> None:
    pages = pages_within(SHAPE, load, COSTS, downtime)
    fixed = predict(SHAPE, load, COSTS, Mode.STOP_AND_COPY).fixed
    if pages is None:
        assert downtime < fixed
    else:
        assert fixed + pages * COSTS.piece <= downtime < fixed + (pages + 1) * COSTS.piece


def test_without_a_sample_everything_is_taken_as_written() -> None:
    assert Load(4, 9).dirty(1) == Load(4, 9).working_set == 9
    load = Load(4, 9, ((10, 2), (100, 6)))
    assert [load.dirty(cycles) for cycles in (0, 10, 11, 100, 900)] == [2, 2, 6, 6, 6]


@unhurried
@given(st.lists(st.integers(0, 20), min_size=1, max_size=12), st.integers(0, 20), st.integers(1, 8), st.booleans())
def test_copying_ahead_ends(left: list[int], pages: int, rounds: int, throttle: bool) -> None:
    """Whatever each round leaves: no more rounds than the limit, and the throttle stays below all."""
    account, limits = Rounds(), Limits(pages, rounds, throttle)
    for dirty in [20, *(left * rounds)]:
        if account.over(tuple(range(dirty)), limits):
            break
    else:
        raise AssertionError(account)
    assert account.number <= rounds
    assert account.throttle <= (THROTTLE_MOST if throttle else 0)
