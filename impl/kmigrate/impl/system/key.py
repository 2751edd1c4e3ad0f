"""The key of a machine in which everything may come in any order: its state without clocks.

Machines of one key have the same futures: what can happen next is the same, and leads to machines of one key again.
The key has memories, registers, TLBs and caches, what kernels and daemons keep, and what is pending or on its way;
of cycles only what a rule asks for. What is dead is cleared in the machine itself before its key is taken
(`remains`): images that are taken later, and their digests, then agree as well. Only a program that reads a clock
or a statistic can tell two machines of one key apart. The key of a cluster is put together from pieces that are
remembered (`pieces`).

Source: ours.
"""

from dataclasses import replace
from hashlib import blake2b

from kmigrate.impl.simulation.loop import Pending
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.fabric import Transfer
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.pieces import KEY_BYTES, Pieces
from kmigrate.impl.system.remains import Remains
from kmigrate.impl.system.snapshot import interfaces


def key(system: Machine) -> bytes:
    """The key of the machine, in which what is dead is cleared by this. Raises NoSnapshot."""
    whole = blake2b(repr(_around(system)).encode(), digest_size=KEY_BYTES)
    for number, cluster in system.clusters.items():
        known = system.keys.get(number)
        if known is None or known[0] != cluster.version:
            found = key_of_cluster(system, cluster)
            known = system.keys[number] = (cluster.version, found)
        whole.update(known[1])
    return whole.digest()


# -- what is between the clusters -------------------------------------------------------------------------


def _around(system: Machine) -> tuple[object, ...]:
    fabric = system.fabric
    transfers = sorted(
        ((transfer.label, number, transfer) for number, (_, transfer) in enumerate(_in_order(system))),
        key=lambda one: one[:2],
    )
    again = [replace(one, sent=0, again=0) for _, one in fabric.under_way if one.again is not None]
    return (
        [(label, one.interface, one.deliver, one.contents) for label, _, one in transfers if one.again is None],
        sorted(map(repr, again)),
        *key_of_services(system),
        [wished for _, wished in system.wishes],
        [cluster for _, cluster in system.stops],
        [
            (fault.position - fabric.carried, fault.kind, fault.amount)
            for fault in fabric.plan.values()
            if fault.position >= fabric.carried
        ],
    )


def key_of_services(system: Machine) -> tuple[object, ...]:
    """What the services' node knows, and what is pending there, without clocks. Raises NoSnapshot."""
    services = system.services
    state = services.state
    keeper = next(iter(system.keepers.values()))
    return (
        [keeper.keep(getattr(part, name)) for part, name in interfaces(system)],
        [(spawn.number, spawn.node, spawn.stage, spawn.tid) for spawn in state.spawns],
        sorted(state.names.items()),
        sorted(state.records.items()),
        state.requests,
        sorted((node, letters) for node, letters in state.letters.items() if letters),
        sorted((node, len(pieces), _digest(pieces)) for node, pieces in state.pieces.items() if pieces),
        sorted(state.heads.items()),
        sorted(sender for _, sender in services.pending),
        sorted(number for _, number in services.alarms),
    )


def _in_order(system: Machine) -> list[tuple[Pending, Transfer]]:
    return sorted(system.fabric.under_way, key=lambda one: one[0].key)


def _digest(pieces: list[bytes]) -> bytes:
    return blake2b(b"".join(pieces), digest_size=KEY_BYTES).digest()


# -- one cluster -----------------------------------------------------------------------------------------


def key_of_cluster(system: Machine, cluster: Cluster) -> bytes:
    """The key of one cluster, in which what is dead is cleared by this. Raises NoSnapshot."""
    if cluster.crash is not None:
        return b"stopped".ljust(KEY_BYTES)
    clear_remains(system, cluster)
    pieces = system.pieces.get(cluster.number)
    if pieces is None:
        pieces = system.pieces[cluster.number] = pieces_of(system, cluster)
    return pieces.key()


def pieces_of(system: Machine, cluster: Cluster) -> Pieces:
    """The pieces of a cluster's key, of which nothing is remembered yet."""
    node = cluster.node
    return Pieces(cluster, system.keepers[node], system.agents[node], system.daemons.get(node))


def clear_remains(system: Machine, cluster: Cluster) -> None:
    """Clear what is dead in a cluster of a machine in which everything may come in any order."""
    remains = system.remains.get(cluster.number)
    if remains is None:
        daemon, kept = system.daemons.get(cluster.node), system.keepers[cluster.node].waited_for
        repeats = system.daemon_kind is not DaemonKind.HARDENED
        remains = system.remains[cluster.number] = Remains(cluster, daemon, kept, repeats=repeats)
    remains.clear()
