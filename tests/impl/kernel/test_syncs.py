"""Sync points behave as Nanvix's own tests expect."""

from __future__ import annotations

import pytest

from kmigrate.impl.kernel.communicators import Ioctl
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.syncs import SYNC_MAX, SyncType
from kmigrate.impl.kernel.syscall import Call
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call, each
from support.world import MASTER, SLAVE, Pairing, World, asked, both, sync_signal

ONE, ALL = SyncType.ONE_TO_ALL, SyncType.ALL_TO_ONE
NODES = 24
MAKE = (Call.SYNC_CREATE, Call.SYNC_OPEN)
UNMAKE = {Call.SYNC_CREATE: Call.SYNC_UNLINK, Call.SYNC_OPEN: Call.SYNC_CLOSE}


def nodes_at(cluster: Cluster, *nodes: int) -> int:
    """A list of nodes in user memory."""
    place = cluster.heap + 5000
    for number, node in enumerate(nodes):
        cluster.memory.set_word(place + 4 * number, node)
    return place


def sync(cluster: Cluster, number: Call, kind: int, *nodes: int) -> Script:
    """Create or open a sync over some nodes."""
    return (yield from call(number, nodes_at(cluster, *nodes), len(nodes), kind))


def alone() -> Cluster:
    return World(MASTER)[MASTER]


GOOD = [
    (Call.SYNC_CREATE, ALL, (MASTER, SLAVE)),
    (Call.SYNC_CREATE, ONE, (SLAVE, MASTER)),
    (Call.SYNC_OPEN, ONE, (MASTER, SLAVE)),
    (Call.SYNC_OPEN, ALL, (SLAVE, MASTER)),
]


@behaviour("sync", "create and unlink", "open and close", "latency", "counters", "double")
@pytest.mark.parametrize(("number", "kind", "nodes"), GOOD)
def test_a_sync_can_be_made_once_and_unmade_once(number: Call, kind: SyncType, nodes: tuple[int, ...]) -> None:
    cluster = alone()
    made = Ioctl.CREATES if number is Call.SYNC_CREATE else Ioctl.OPENS
    unmade = Ioctl.UNLINKS if number is Call.SYNC_CREATE else Ioctl.CLOSES

    def main(_: int) -> Script:
        for round_number in range(3):
            identity = yield from sync(cluster, number, kind, *nodes)
            assert identity >= 0
            for request, expected in (
                (Ioctl.LATENCY, 0),
                (Ioctl.INPUTS, 0),
                (Ioctl.OUTPUTS, 0),
                (made, round_number + 1),
                (unmade, round_number),
            ):
                assert (yield from asked(cluster, Call.SYNC_IOCTL, identity, request)) == expected
            for _ in range(2):
                cluster.note((yield from call(UNMAKE[number], identity)))
        return 0

    assert cluster.run(main).names == ["OK", "EBADF"] * 3


@behaviour("sync", "virtualization")
def test_five_points_of_each_kind_stand_together() -> None:
    cluster = alone()

    def main(_: int) -> Script:
        made = []
        for number, kind, nodes in GOOD * 5:
            made.append((number, (yield from sync(cluster, number, kind, *nodes))))
        assert len({identity for _, identity in made}) == 20
        for number, identity in made:
            cluster.note((yield from call(UNMAKE[number], identity)))
        return 0

    assert cluster.run(main).results == [0] * 20


class Rounds(Pairing):
    """Ten rounds: the master signals all, the slave signals the one."""

    def main(self) -> Script:
        cluster = self.cluster
        if self.first:
            out = yield from sync(cluster, Call.SYNC_OPEN, ONE, MASTER, SLAVE)
            into = yield from sync(cluster, Call.SYNC_CREATE, ALL, MASTER, SLAVE)
        else:
            into = yield from sync(cluster, Call.SYNC_CREATE, ONE, MASTER, SLAVE)
            out = yield from sync(cluster, Call.SYNC_OPEN, ALL, MASTER, SLAVE)
        for _ in range(30):
            yield None
        for _ in range(10):
            order = (sync_signal(out), call(Call.SYNC_WAIT, into))
            for action in order if self.first else reversed(order):
                cluster.note((yield from action))
        assert (yield from asked(cluster, Call.SYNC_IOCTL, into, Ioctl.INPUTS)) == 10
        assert (yield from asked(cluster, Call.SYNC_IOCTL, out, Ioctl.OUTPUTS)) == 10
        assert (yield from asked(cluster, Call.SYNC_IOCTL, into, Ioctl.LATENCY)) > 0
        return 0


@behaviour("sync", "wait")
def test_ten_rounds_of_signal_and_wait_are_counted() -> None:
    world = World()
    both(world, Rounds)
    assert world[MASTER].results == world[SLAVE].results == [0] * 20


@behaviour("sync", "multiplexation")
def test_signals_of_one_point_do_not_satisfy_another() -> None:
    world = World()
    master, slave = world[MASTER], world[SLAVE]
    ready = slave.allocate(4)

    def signaller(_: int) -> Script:
        """Both points lead from the master to the slave; only their kinds differ."""
        first = yield from sync(master, Call.SYNC_OPEN, ONE, MASTER, SLAVE)
        second = yield from sync(master, Call.SYNC_OPEN, ALL, SLAVE, MASTER)
        while not slave.word(ready):
            yield None
        for identity in (second, second, first):
            yield from sync_signal(identity)
        return 0

    def waiter(_: int) -> Script:
        first = yield from sync(slave, Call.SYNC_CREATE, ONE, MASTER, SLAVE)
        second = yield from sync(slave, Call.SYNC_CREATE, ALL, SLAVE, MASTER)
        slave.memory.set_word(ready, 1)
        yield from call(Call.SYNC_WAIT, first)
        counts = yield from each(
            asked(slave, Call.SYNC_IOCTL, identity, Ioctl.INPUTS) for identity in (first, second)
        )
        assert counts == [1, 0]
        for _ in range(2):
            yield from call(Call.SYNC_WAIT, second)
        slave.note((yield from asked(slave, Call.SYNC_IOCTL, second, Ioctl.INPUTS)))
        return 0

    world.run({MASTER: signaller, SLAVE: waiter})
    assert slave.results == [2]


LISTS = [
    (0, 2, ALL, "no list"),
    (None, -1, ALL, "-1 nodes"),
    (None, 0, ALL, "no nodes"),
    (None, 1, ALL, "one node"),
    (None, NODES + 1, ALL, "too many nodes"),
    (None, 2, -1, "type -1"),
    (None, 2, 2, "the first type that does not exist"),
]


@behaviour("sync", "fault")
@pytest.mark.parametrize(("where", "count", "kind", "why"), LISTS, ids=lambda value: str(value))
def test_a_bad_list_or_type_is_refused(where: int | None, count: int, kind: int, why: str) -> None:
    cluster = alone()

    def main(_: int) -> Script:
        place = nodes_at(cluster, MASTER, SLAVE) if where is None else where
        for number in MAKE:
            cluster.note((yield from call(number, place, count, kind)))
        return 0

    assert cluster.run(main).names == ["EINVAL", "EINVAL"], why


BAD_NODES = [(MASTER, SLAVE, SLAVE), (MASTER, MASTER), (MASTER, -1), (MASTER, NODES), (SLAVE, SLAVE + 1)]


@behaviour("sync", "fault", "bad create", "bad open")
def test_bad_nodes_and_wrong_places_are_refused() -> None:
    cluster = alone()
    wrong: list[tuple[Call, SyncType, tuple[int, ...]]] = [
        (Call.SYNC_CREATE, ONE, (MASTER, SLAVE)),
        (Call.SYNC_CREATE, ALL, (SLAVE, MASTER)),
        (Call.SYNC_OPEN, ONE, (SLAVE, MASTER)),
        (Call.SYNC_OPEN, ALL, (MASTER, SLAVE)),
    ]
    wrong += [(number, kind, nodes) for number in MAKE for kind in SyncType for nodes in BAD_NODES]
    wrong += [(number, kind, nodes[::-1]) for number in MAKE for kind in SyncType for nodes in BAD_NODES]

    def main(_: int) -> Script:
        for number, kind, nodes in wrong:
            cluster.note((yield from sync(cluster, number, kind, *nodes)))
        return 0

    assert cluster.run(main).names == ["EINVAL"] * len(wrong)


@behaviour("sync", "invalid id", "bad id", "double", "ioctl")
def test_wrong_ids_and_requests_are_refused_by_name() -> None:
    cluster = alone()
    answer = cluster.allocate(4)
    numbers = (Call.SYNC_UNLINK, Call.SYNC_CLOSE, Call.SYNC_SIGNAL, Call.SYNC_WAIT)

    def main(_: int) -> Script:
        for identity in (-1, SYNC_MAX, 77):
            for number in numbers:
                cluster.note((yield from call(number, identity)))
            cluster.note((yield from call(Call.SYNC_IOCTL, identity, Ioctl.LATENCY, answer)))
        into = yield from sync(cluster, Call.SYNC_CREATE, ALL, MASTER, SLAVE)
        out = yield from sync(cluster, Call.SYNC_OPEN, ONE, MASTER, SLAVE)
        for number, identity in (
            (Call.SYNC_UNLINK, out),
            (Call.SYNC_CLOSE, into),
            (Call.SYNC_SIGNAL, into),
            (Call.SYNC_WAIT, out),
        ):
            cluster.note((yield from call(number, identity)))
        cluster.note((yield from call(Call.SYNC_IOCTL, into, Ioctl.VOLUME, answer)))
        cluster.note((yield from call(Call.SYNC_IOCTL, into, 99, answer)))
        cluster.note((yield from call(Call.SYNC_IOCTL, into, Ioctl.LATENCY, 0)))
        return 0

    assert cluster.run(main).names == [
        *["EINVAL"] * 10,
        *["EBADF"] * 5,
        *["EBADF"] * 4,
        *("ENOTSUP", "ENOTSUP", "EFAULT"),
    ]


# -- what the facts say beyond ----------------------------------------------------------------------------


def test_a_second_signal_waits_for_the_acknowledgement() -> None:
    world = World()
    master, slave = world[MASTER], world[SLAVE]

    def waiter(_: int) -> Script:
        yield from sync(slave, Call.SYNC_CREATE, ONE, MASTER, SLAVE)
        return 0

    def signaller(_: int) -> Script:
        out = yield from sync(master, Call.SYNC_OPEN, ONE, MASTER, SLAVE)
        master.note((yield from call(Call.SYNC_SIGNAL, out)))
        master.note((yield from call(Call.SYNC_SIGNAL, out)))
        return 0

    world[SLAVE].run(waiter)
    master.run(signaller)
    assert master.names == ["OK", "EAGAIN"]


def test_one_signal_ends_one_wait() -> None:
    world = World()
    master, slave = world[MASTER], world[SLAVE]

    def waiter(_: int) -> Script:
        into = yield from sync(slave, Call.SYNC_CREATE, ONE, MASTER, SLAVE)
        for _ in range(2):
            slave.note((yield from call(Call.SYNC_WAIT, into)))
        return 0

    def signaller(_: int) -> Script:
        for _ in range(100):
            yield None
        out = yield from sync(master, Call.SYNC_OPEN, ONE, MASTER, SLAVE)
        return (yield from call(Call.SYNC_SIGNAL, out))

    slave.start(waiter)
    world.run({MASTER: signaller})
    for _ in range(300):
        world.step()
    assert slave.results == [0]


def test_a_signal_for_a_point_that_is_not_there_is_a_panic_at_the_receiver() -> None:
    world = World()
    master = world[MASTER]

    def signaller(_: int) -> Script:
        out = yield from sync(master, Call.SYNC_OPEN, ONE, MASTER, SLAVE)
        return (yield from call(Call.SYNC_SIGNAL, out))

    master.run(signaller)
    with pytest.raises(KernelPanic, match="sync point not found for a signal of node 8 to node 9"):
        world.loop.step()


def test_a_signal_to_a_node_that_is_switched_off_is_never_acknowledged() -> None:
    world = World(MASTER)
    master = world[MASTER]

    def signaller(_: int) -> Script:
        out = yield from sync(master, Call.SYNC_OPEN, ONE, MASTER, SLAVE)
        yield from call(Call.SYNC_SIGNAL, out)
        for _ in range(100):
            yield None
        master.note((yield from call(Call.SYNC_SIGNAL, out)))
        return 0

    world.run({MASTER: signaller})
    assert master.names == ["EAGAIN"]


def test_a_sync_for_which_a_thread_waits_cannot_be_unlinked() -> None:
    cluster = alone()

    def waiter(identity: int) -> Script:
        return (yield from call(Call.SYNC_WAIT, identity))

    def main(_: int) -> Script:
        into = yield from sync(cluster, Call.SYNC_CREATE, ALL, MASTER, SLAVE)
        yield from cluster.create(waiter, into)
        for _ in range(50):
            yield None
        cluster.note((yield from call(Call.SYNC_UNLINK, into)))
        return 0

    assert cluster.run(main).names == ["EBUSY"]
