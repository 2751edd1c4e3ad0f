"""The ring and the crossing."""

import pytest

from impl.schedules import Uniform
from kmigrate.impl import MPPA256, TINY, Geometry, crossing, ring


@pytest.mark.parametrize("geometry", [MPPA256, TINY], ids=lambda geometry: geometry.name)
def test_a_hardened_ring_carries_every_byte_round(geometry: Geometry) -> None:
    result = ring(geometry.clusters, geometry=geometry).run()
    assert [hop.cluster for hop in result.hops] == [*range(geometry.clusters), 0]
    assert result.intact
    assert result.running == (0, *[None] * (geometry.clusters - 1))
    assert {hop.downtime_cycles for hop in result.hops[1:]} == {result.hops[1].downtime_cycles}


def test_a_published_ring_leaves_a_duplicate_everywhere() -> None:
    result = ring(16, variant="published").run()
    assert result.intact
    assert result.running == (0,) * 16


def test_downtime_is_nearly_all_pieces_on_the_wire() -> None:
    result = ring(2).run()
    pieces = 9 + 2 + 1 + 1
    assert 0.9 < pieces * 205_600 / result.hops[1].downtime_cycles < 1


def test_a_crossing_freezes_both_clusters_under_the_published_protocol() -> None:
    result = crossing(variant="published").run()
    assert result.frozen == (True, True)
    assert result.running == (None, None)
    assert result.refusals == ()


def test_a_crossing_is_refused_by_the_hardened_protocol() -> None:
    result = crossing().run()
    assert result.frozen == (False, False)
    assert result.running == (0, 1)
    assert result.refusals == ("occupied", "occupied")


def test_a_crossing_under_other_schedules_ends_with_both_processes_running() -> None:
    for seed in range(30):
        result = crossing().run(Uniform(seed))
        assert result.running == (0, 1)
