"""A process travels round the clusters and comes home, with its name where it is."""

from __future__ import annotations

import pytest

from kmigrate.impl.errors import BadConfiguration
from kmigrate.impl.experiments.ring import travel


def test_round_all_clusters_and_home_with_the_name_following() -> None:
    seen: list[int] = []
    ring = travel(progress=seen.append)
    assert [hop.cluster for hop in ring.hops] == [*range(16), 0]
    assert seen == list(range(1, 17))
    assert (ring.exit_value, ring.home, ring.named) == (0, True, True)
    assert ring.cycles > 16 * 12 * 100_000


def test_with_published_daemons_it_comes_home_and_the_name_stays_behind() -> None:
    ring = travel(3, "published")
    assert [hop.cluster for hop in ring.hops] == [0, 1, 2, 0]
    assert ring.home
    assert not ring.named
    assert {hop.named_node for hop in ring.hops} == {8}


@pytest.mark.parametrize("clusters", [1, 17])
def test_a_ring_of_too_few_or_too_many_is_refused(clusters: int) -> None:
    with pytest.raises(BadConfiguration, match=r"clusters is \d+, but it must be in 2..16"):
        travel(clusters)
