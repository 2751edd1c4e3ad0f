"""Each defect is visible on a machine that has it."""

from impl.schedules import Avoiding
from kmigrate.impl import Configuration, Defect, Inspection, Machine, Request


def drained(defect: Defect | None, variant: str = "hardened") -> Machine:
    defects = frozenset() if defect is None else frozenset({defect})
    made = Machine(Configuration(variant=variant, workload=(Request(0, 0, 1),), defects=defects))
    made.drain()
    return made


def running(made: Machine) -> list[int | None]:
    return [Inspection(made).running(cluster) for cluster in range(2)]


def test_without_a_defect_the_process_moves() -> None:
    assert running(drained(None)) == [None, 0]


def test_a_commit_without_acknowledgement_loses_a_process_whose_commit_was_ruled_out() -> None:
    """The destination asks and fences before COM arrives: it clears, and the source has discarded already."""
    made = Machine(
        Configuration(workload=(Request(0, 0, 1),), defects=frozenset({Defect.COMMIT_WITHOUT_ACKNOWLEDGEMENT}))
    )
    while (event := made.step()) is not None and event.name != "commit_asked":
        pass
    assert Inspection(made).standing(0, 0) is None, "discarded before any answer"
    made.loop.choices = Avoiding("c0>io:deliver", "c0>c1:deliver")
    while (event := made.step()) is not None and event.name != "copy_cleared":
        pass
    made.drain()
    assert running(made) == [None, None]


def test_a_thaw_after_commit_leaves_two_running_copies() -> None:
    assert running(drained(Defect.THAW_AFTER_COMMIT)) == [0, 0]


def test_a_permission_counted_twice_loses_a_piece() -> None:
    hardened = drained(Defect.PERMISSION_COUNTED_TWICE)
    assert any(event.arguments.get("overwritten") == 1 for event in hardened.trace.events)
    assert running(hardened) == [0, None], "framing notices; the attempt ends at home, never at the destination"
    published = drained(Defect.PERMISSION_COUNTED_TWICE, "published")
    assert running(published) != [0, 0]
