"""Routes, links and tags of the network."""

from collections import Counter
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmigrate.impl.chip import MPPA256, TINY, Torus
from kmigrate.impl.chip.errors import BadMessage, BadTag, NoSuchNode
from kmigrate.impl.chip.noc import Direction, Link, Links, Network, Passage, links_of, neighbour, place_of, route
from kmigrate.impl.chip.tag import RECEIVE_TAGS, TRANSMIT_TAGS, Arrival, Service, arrival, receive_tag

TORUS = MPPA256.torus
FIRST = TORUS.first_compute
tori = st.builds(
    lambda columns, rows, clusters, nodes: Torus(columns, rows, clusters, min(nodes, columns)),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 2),
    st.integers(1, 5),
)


@st.composite
def journeys(draw: st.DrawFn) -> tuple[Torus, int, int]:
    torus = draw(tori)
    nodes = st.integers(0, torus.nodes - 1)
    return torus, draw(nodes), draw(nodes)


def graph(torus: Torus) -> nx.DiGraph:
    """The network as it is wired, from the places of its nodes alone."""
    wired = nx.DiGraph()
    wired.add_nodes_from(range(torus.nodes))
    for node in range(torus.nodes):
        place = place_of(torus, node)
        for other in range(torus.nodes):
            there = place_of(torus, other)
            if place.out is None and there.out is None:
                across, down = (place.column - there.column) % torus.columns, (place.row - there.row) % torus.rows
                beside = across in (1, torus.columns - 1) and down == 0
                if (beside or (across == 0 and down in (1, torus.rows - 1))) and node != other:
                    wired.add_edge(node, other)
            elif (place.out is None) != (there.out is None) and (place.column, place.row) == (
                there.column,
                there.row,
            ):
                wired.add_edge(node, other)
    return wired


# -- routes ----------------------------------------------------------------------------------------------


@given(journeys())
def test_a_route_leads_to_its_destination_the_shortest_way(journey: tuple[Torus, int, int]) -> None:
    torus, source, destination = journey
    way = route(torus, source, destination)
    links = links_of(torus, source, way)
    nodes = [link.node for link in links] + [destination]
    wired = graph(torus)
    assert nodes[0] == source
    assert all(wired.has_edge(a, b) for a, b in pairwise(nodes))
    assert len(way) == nx.shortest_path_length(wired, source, destination)


def test_a_message_goes_along_its_row_first_and_east_where_both_ways_are_as_long() -> None:
    assert route(TORUS, FIRST, FIRST + 10) == (
        Direction.EAST,
        Direction.EAST,
        Direction.SOUTH,
        Direction.SOUTH,
    )
    assert route(TORUS, FIRST, FIRST + 15) == (Direction.WEST, Direction.NORTH)


def test_the_nodes_of_the_io_clusters_hang_on_the_first_and_the_last_row() -> None:
    assert route(TORUS, 2, FIRST + 2) == (Direction.IN,)
    assert route(TORUS, FIRST + 12, 4) == (Direction.IO_SECOND,)
    assert route(TORUS, 0, 1) == (Direction.IN, Direction.EAST, Direction.IO_FIRST)


@pytest.mark.parametrize(
    ("node", "direction"),
    [
        (0, Direction.EAST),
        (FIRST, Direction.IN),
        (FIRST, Direction.IO_SECOND),
        (FIRST + 4, Direction.IO_FIRST),
    ],
)
def test_a_way_that_does_not_exist_is_refused(node: int, direction: Direction) -> None:
    with pytest.raises(BadMessage, match=f"nothing leads {direction.name} from node {node}"):
        neighbour(TORUS, node, direction)


def test_a_chip_has_only_its_nodes() -> None:
    with pytest.raises(NoSuchNode, match=r"node 24: this network has nodes 0\.\.23"):
        route(TORUS, 0, 24)
    assert TINY.torus.nodes == 5
    with pytest.raises(NoSuchNode):
        place_of(TINY.torus, -1)


# -- time ------------------------------------------------------------------------------------------------


@given(journeys(), st.integers(1, 5000), st.integers(0, 1000))
def test_an_idle_network_costs_hops_and_bytes(journey: tuple[Torus, int, int], size: int, at: int) -> None:
    torus, source, destination = journey
    hops = len(route(torus, source, destination))
    _, passage = Links.of(torus).reserve(Network.DATA, source, destination, size, at)
    body = -(-size // torus.link_bytes_per_cycle) if hops else 0
    assert passage == Passage(at, at + hops * torus.hop_cycles + body)


def test_messages_over_one_link_follow_one_another() -> None:
    links = Links.of(TORUS)
    links, first = links.reserve(Network.DATA, FIRST, FIRST + 1, 4112, 0)
    links, second = links.reserve(Network.DATA, FIRST, FIRST + 1, 4112, 0)
    assert (first.departs, second.departs) == (0, 1028)
    assert second.arrives - first.arrives == 1028
    assert links.free_at(Network.DATA, Link(FIRST, Direction.EAST)) == 2056


def test_the_networks_share_no_link_and_disjoint_routes_do_not_meet() -> None:
    links = Links.of(TORUS)
    links, _ = links.reserve(Network.DATA, FIRST, FIRST + 1, 4112, 0)
    _, control = links.reserve(Network.CONTROL, FIRST, FIRST + 1, 8, 0)
    _, beside = links.reserve(Network.DATA, FIRST + 4, FIRST + 5, 4112, 0)
    assert (control.departs, beside.departs) == (0, 0)


def test_a_worm_that_waits_keeps_the_links_that_it_stands_on() -> None:
    """No virtual channels: A→B is blocked behind a message from the middle, and so blocks its own first link."""
    links = Links.of(TORUS)
    links, _ = links.reserve(Network.DATA, FIRST + 1, FIRST + 2, 4000, 0)
    links, waiting = links.reserve(Network.DATA, FIRST, FIRST + 2, 40, 0)
    assert waiting == Passage(0, 1000 + 7 + 10)
    assert links.free_at(Network.DATA, Link(FIRST, Direction.EAST)) == 1000 + 10 - 7
    _, behind = links.reserve(Network.DATA, FIRST, FIRST + 1, 4, 5)
    assert behind.departs == 1003


@given(
    torus=tori,
    messages=st.lists(
        st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(1, 200), st.integers(0, 50)), max_size=12
    ),
)
def test_a_link_carries_one_message_at_a_time(torus: Torus, messages: list[tuple[int, int, int, int]]) -> None:
    links, at, carried = Links.of(torus), 0, Counter[Link]()
    for source, destination, size, pause in messages:
        at += pause
        source, destination = source % torus.nodes, destination % torus.nodes
        before = links
        links, passage = links.reserve(Network.DATA, source, destination, size, at)
        for link in links_of(torus, source, route(torus, source, destination)):
            carried[link] += -(-size // torus.link_bytes_per_cycle)
            assert links.free_at(Network.DATA, link) > before.free_at(Network.DATA, link)
            assert carried[link] <= links.free_at(Network.DATA, link) <= passage.arrives
        assert passage.departs >= at


def test_reserving_leaves_the_value_as_it_was() -> None:
    links = Links.of(TORUS)
    links.reserve(Network.DATA, 0, 5, 100, 0)
    assert links == Links.of(TORUS)


@pytest.mark.parametrize(("size", "at", "field"), [(0, 0, "size_bytes"), (1, -1, "at")])
def test_a_message_of_nothing_or_before_time_is_refused(size: int, at: int, field: str) -> None:
    with pytest.raises(BadMessage, match=field):
        Links.of(TORUS).reserve(Network.DATA, 0, 1, size, at)


# -- tags ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("torus", [TORUS, TINY.torus])
def test_every_receive_tag_tells_the_service_and_the_sender(torus: Torus) -> None:
    seen = set()
    for service in Service:
        for sender in range(torus.nodes):
            tag = receive_tag(torus, service, sender)
            assert 2 <= tag < RECEIVE_TAGS[service.network]
            assert arrival(torus, service.network, tag) == Arrival(service, sender)
            seen.add((service.network, tag))
    assert len(seen) == len(Service) * torus.nodes


def test_transmit_tags_are_split_as_nanvix_splits_them() -> None:
    assert (Service.MAILBOX.transmit, Service.PORTAL.transmit) == (range(4), range(4, 8))
    used = {tag for service in Service if service.network is Network.CONTROL for tag in service.transmit}
    assert used == {0, 1, 2}
    assert all(max(service.transmit) < TRANSMIT_TAGS[service.network] for service in Service)


def test_tags_that_are_nobodys_are_refused() -> None:
    for tag in (0, 1, 2 + 2 * TORUS.nodes):
        with pytest.raises(BadTag, match=f"DATA receive tag {tag}"):
            arrival(TORUS, Network.DATA, tag)
    with pytest.raises(NoSuchNode):
        receive_tag(TORUS, Service.PORTAL, 24)
    with pytest.raises(BadTag, match="there are 128"):
        receive_tag(Torus(8, 8, 0, 1), Service.SYNC_ACKNOWLEDGEMENT, 0)
