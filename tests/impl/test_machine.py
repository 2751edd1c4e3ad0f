"""Configurations and the machine as a whole."""

import copy

import pytest

from kmigrate.impl import Cancel, ChoiceList, Configuration, Defect, Inspection, Machine, Request, Work
from kmigrate.impl.errors import BadConfiguration, NeverQuiet, NoSuchCluster, OtherVariant
from kmigrate.impl.migration.events import HARDENED_EVENTS, HIDDEN_EVENTS, PUBLISHED_EVENTS


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"clusters": 5}, r"clusters is 5, but tiny has 1\.\.4"),
        ({"processes": 3}, r"processes is 3, but there is room for 0\.\.2"),
        ({"variant": "softened"}, "variant is softened, but it must be one of published, hardened"),
        ({"workload": (Work(-1, 0),)}, "time starts at cycle 0"),
    ],
)
def test_a_wrong_configuration_names_the_field(fields: dict[str, object], said: str) -> None:
    with pytest.raises(BadConfiguration, match=said):
        Configuration(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("item", [Request(0, 0, 2), Request(0, 2, 0), Cancel(0, 7), Work(0, -1)])
def test_a_workload_cannot_name_a_cluster_that_is_not_there(item: Request | Cancel | Work) -> None:
    with pytest.raises(NoSuchCluster, match=r"the machine has 0\.\.1"):
        Configuration(workload=(item,))


def test_a_machine_without_work_has_nothing_to_do() -> None:
    made = Machine(Configuration())
    assert made.step() is None
    assert made.run(10) == 0
    assert made.drain() == 0


def test_parts_of_the_other_variant_are_not_there() -> None:
    with pytest.raises(OtherVariant):
        _ = Machine(Configuration()).published
    with pytest.raises(OtherVariant):
        _ = Machine(Configuration(variant="published")).hardened


def test_a_drain_that_does_not_end_says_so() -> None:
    with pytest.raises(NeverQuiet, match="not quiet after 5 events"):
        Machine(Configuration(workload=(Request(0, 0, 1),))).drain(5)


def test_a_cancel_on_a_published_machine_is_ignored() -> None:
    event = Machine(Configuration(variant="published", workload=(Cancel(0, 0),))).step()
    assert event is not None
    assert event.name == "cancel_ignored"


def test_work_where_nothing_runs_is_refused() -> None:
    made = Machine(Configuration(workload=(Work(0, 1), Work(1, 0))))
    assert [event.name for event in (made.step(), made.step()) if event is not None] == ["work_refused", "worked"]
    assert made.program.steps_of(made.containers[0]) == 1


def test_the_same_choices_give_the_same_trace_and_a_copy_goes_the_same_way() -> None:
    configuration = Configuration(
        clusters=3, processes=2, workload=(Request(0, 0, 2), Request(0, 1, 2), Work(9, 0))
    )
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9] * 5
    first = Machine(configuration, ChoiceList(values))
    first.run(40)
    second = copy.deepcopy(first)
    again = Machine(configuration, ChoiceList(values))
    for made in (first, second, again):
        made.run(1000)
        made.drain()
    assert first.trace_hash == second.trace_hash == again.trace_hash
    assert Machine(configuration).trace_hash == ""


def test_visible_and_hidden_events_are_told_apart() -> None:
    assert not HARDENED_EVENTS.keys() & PUBLISHED_EVENTS.keys()
    assert not (HARDENED_EVENTS.keys() | PUBLISHED_EVENTS.keys()) & HIDDEN_EVENTS
    assert len(set(HARDENED_EVENTS.values())) == 26
    assert len(set(PUBLISHED_EVENTS.values())) == 10


def test_inspection_changes_nothing() -> None:
    watched, alone = (Machine(Configuration(workload=(Request(0, 0, 1),))) for _ in range(2))
    inspection = Inspection(watched)
    while watched.step() is not None:
        alone.step()
        assert inspection.messages is not None
        assert inspection.sections_on_their_way is not None
        assert [inspection.running(cluster) for cluster in range(2)]
    assert watched.trace_hash == alone.trace_hash
    assert inspection.names == ((1, 1),)
    assert inspection.names_idle
    assert inspection.seen(1, 0) == 1


def test_sixty_requests_in_a_row_come_to_rest() -> None:
    workload = tuple(Request(i * 3_000_000, i % 3, (i + 1) % 3) for i in range(60))
    machine = Machine(Configuration(clusters=3, processes=2, workload=workload))
    assert machine.drain() > 60
    assert sorted(p for c in range(3) if (p := Inspection(machine).running(c)) is not None) == [0, 1]
    assert Inspection(machine).network_empty


def test_defects_are_named_in_words() -> None:
    assert [defect.value for defect in Defect] == [
        "commit-without-acknowledgement",
        "thaw-after-commit",
        "permission-counted-twice",
    ]
