"""The order model is what the walks do, task by task, in the same order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kmigrate.checker import check
from kmigrate.checker.interpret import check as interpret
from kmigrate.spec.mstate import PublishedTransfer, Transfer
from kmigrate.spec.order import Order, PublishedOrder
from kmigrate.spec.vocabulary import DATA_STATES, Mechanism, Mstate

TINY = {"system": 1, "pages": 1, "frames": 1}


def walked_in(kind: type[Transfer], order: tuple[Mstate, ...]) -> Transfer:
    """The transfer whose two sides walk the states in another order."""

    class Reordered(kind):  # type: ignore[misc, valid-type]
        pass

    Reordered.order = (*order, Mstate.FINISH)
    return Reordered(**TINY)


def broken(model: Transfer) -> set[str]:
    """What fails of the image, of the agreement, and of the end."""
    names = ("walks_agree", "image_intact", "each_side_can_end")
    return {a.name for a in interpret(model).answers if a.length is not None and a.name in names}


def lists_first(order: tuple[Mstate, ...]) -> bool:
    """Whether each list comes before the pages that it lists."""
    place = order.index
    return place(Mstate.KSTACKSIDS) < place(Mstate.KSTACKSPHYS) and place(Mstate.FRAMES_BITMAP) < place(
        Mstate.FRAMES_PHYS
    )


@settings(max_examples=6, deadline=None)
@given(st.permutations(DATA_STATES))
def test_task_by_task_the_published_walks_are_right_in_just_these_orders(order: list[Mstate]) -> None:
    assert (not broken(walked_in(PublishedTransfer, tuple(order)))) == lists_first(tuple(order))


@settings(max_examples=3, deadline=None)
@given(st.permutations(DATA_STATES))
def test_task_by_task_the_hardened_walks_are_right_in_any_order(order: list[Mstate]) -> None:
    assert not broken(walked_in(Transfer, tuple(order)))


def test_pages_before_their_list_are_wrong_task_by_task() -> None:
    states = [state for state in DATA_STATES if state != Mstate.FRAMES_PHYS]
    assert "walks_agree" in broken(walked_in(PublishedTransfer, (Mstate.FRAMES_PHYS, *states)))


def test_the_order_models_are_as_pinned() -> None:
    hardened, published = check(Order(**TINY)), check(PublishedOrder(**TINY))
    assert (hardened.states, hardened.edges, hardened.depth) == (4608, 22272, 10)
    assert (published.states, published.edges, published.depth) == (4480, 15680, 10)
    assert {a.name: a.length for a in hardened.answers if a.length is not None} == {}
    assert {a.name: a.length for a in published.answers if a.length is not None} == {
        "walks_agree": 1,
        "no_system_page_written": 1,
        "deadlock": 1,
    }
    assert hardened.never_enabled == published.never_enabled == []


def test_allocation_after_the_freeze_spoils_an_image_whose_walks_agree() -> None:
    report = check(PublishedOrder(**TINY, late=1))
    assert (report.states, report.edges) == (20864, 74936)
    assert report.answer("image_intact").length == 10
    assert report.never_enabled == []


def test_an_unserved_board_puts_the_dispatcher_to_sleep_at_the_piece_after_it() -> None:
    assert check(PublishedOrder(**TINY, boards=1)).answer("receiver_awake").length == 2
    drained = PublishedOrder(**TINY, boards=1, mechanisms=frozenset({Mechanism.DRAIN_BOARDS}))
    assert check(drained).answer("receiver_awake").length is None
