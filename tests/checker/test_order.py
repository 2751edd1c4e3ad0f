"""The order theorem: how many orders of the nine data states are right, and which precedence says so."""

from itertools import permutations
from math import factorial

import pytest

from kmigrate.checker.order import NoSuchProperty, NoSuchStep, Orders, correct_orders
from kmigrate.spec.language import Map, Model, Range, action, array, invariant, require
from kmigrate.spec.order import Order, PublishedOrder
from kmigrate.spec.vocabulary import Mechanism

TINY = {"system": 1, "pages": 1, "frames": 1}
INTACT = ("walks_agree", "image_intact")
LISTS_FIRST = {("KSTACKSIDS", "KSTACKSPHYS"), ("FRAMES_BITMAP", "FRAMES_PHYS")}


def orders(model: Model, *properties: str) -> Orders:
    """The orders of the data states that are right."""
    return correct_orders(model, step="exchange", properties=properties or None)


@pytest.mark.parametrize("more", [{}, {"pages": 2}, {"frames": 2}])
def test_published_with_a_quiet_source_a_quarter_is_right_lists_before_pages(more: dict[str, int]) -> None:
    found = orders(PublishedOrder(**{**TINY, **more}), *INTACT)
    assert (found.correct, found.total) == (90720, 362880)
    assert found.relation is not None
    assert set(found.relation) == LISTS_FIRST
    assert found.witnesses["FRAMES_BITMAP", "FRAMES_PHYS"].labels == ("exchange(frames_phys)",)
    assert found.witnesses["KSTACKSIDS", "KSTACKSPHYS"].labels == ("exchange(kstacksphys)",)


def test_published_with_a_late_thread_no_order_is_right() -> None:
    for properties in (("walks_agree",), ("image_intact",)):
        found = orders(PublishedOrder(**TINY, late=1), *properties)
        assert (found.correct, found.relation) == (0, None)


def test_published_no_order_keeps_the_system_s_pages_and_owned_pages_mend_that_alone() -> None:
    assert orders(PublishedOrder(**TINY)).correct == 0
    mended = orders(PublishedOrder(**TINY, mechanisms=frozenset({Mechanism.OWNED_PAGES})))
    assert mended.correct == 90720


def test_hardened_every_order_is_right_whatever_a_late_thread_does() -> None:
    found = orders(Order(**TINY, late=1))
    assert (found.correct, found.total, found.relation) == (362880, 362880, ())


@pytest.mark.campaign
def test_hardened_every_order_is_right_with_more_pages_and_two_changes() -> None:
    assert orders(Order()).correct == 362880
    assert orders(Order(**TINY, late=2)).correct == 362880


def test_a_manifest_makes_every_published_order_right_for_one_late_change() -> None:
    manifest = frozenset({Mechanism.MANIFEST})
    assert orders(PublishedOrder(**TINY, late=1, mechanisms=manifest), *INTACT).correct == 362880


@pytest.mark.campaign
def test_for_two_late_changes_the_pages_must_be_pinned_as_well() -> None:
    manifest, pinned = Mechanism.MANIFEST, Mechanism.PINNED_PAGES
    for mechanisms, correct in ((frozenset({manifest}), 0), (frozenset({manifest, pinned}), 362880)):
        assert orders(PublishedOrder(**TINY, late=2, mechanisms=mechanisms), *INTACT).correct == correct


def test_with_an_unserved_board_only_the_boards_last_is_right() -> None:
    found = orders(PublishedOrder(**TINY, boards=1), *INTACT, "receiver_awake")
    assert found.correct == factorial(8) // 4
    assert found.relation is not None
    before_the_boards = {a for a, b in found.relation if b == "SYSBOARD"}
    assert before_the_boards == {"SECTIONS", "UAREA", "PAGEDIR", "PAGETAB", "KSTACKSPHYS", "FRAMES_PHYS"}
    assert set(found.relation) - {(a, "SYSBOARD") for a in before_the_boards} == LISTS_FIRST
    assert found.witnesses["PAGEDIR", "SYSBOARD"].labels == ("exchange(sysboard)", "exchange(pagedir)")


# -- the analysis, against all orders listed -------------------------------------------------------------

Step = Range(0, 3)


class Chores(Model):
    """Four steps, of which one must not be between two others; and something may happen before the last."""

    taken: Map[int, bool] = array("the step has been taken", Step, of=bool, init=False)
    spoilt: Map[int, bool] = array(
        "something has gone wrong; only the first is used", Range(0, 0), of=bool, init=False
    )

    @action(step=Step)
    def take(self, step: int) -> None:
        """Step 1 between steps 0 and 2 spoils everything."""
        require(not self.taken[step])
        self.taken[step] = True
        if step == 1 and self.taken[0] != self.taken[2]:
            self.spoilt[0] = True

    @action
    def rain(self) -> None:
        """Nothing may happen once step 3 has been taken; before step 0 it does not matter."""
        require(self.taken[0] and not self.taken[3])
        self.spoilt[0] = True

    @invariant
    def unspoilt(self) -> bool:
        """Nothing has gone wrong."""
        return not self.spoilt[0]


def test_orders_that_no_precedence_describes_are_counted_all_the_same() -> None:
    found = correct_orders(Chores(), step="take")
    right = [
        order
        for order in permutations(range(4))
        if order.index(3) < order.index(0)
        and (order.index(1) < order.index(0)) == (order.index(1) < order.index(2))
    ]
    assert (found.correct, found.total) == (len(right), 24)
    assert found.relation is None
    assert found.enforced == {("3", "0")}


def test_what_is_asked_must_be_there() -> None:
    with pytest.raises(NoSuchStep, match="has no action 'walk' to order: it has rain, take"):
        correct_orders(Chores(), step="walk")
    with pytest.raises(NoSuchProperty, match="has no invariant 'dry': it has unspoilt"):
        correct_orders(Chores(), step="take", properties=["dry"])
