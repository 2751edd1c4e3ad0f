"""Snapshots of a machine, copies of it, and its hash.

A snapshot is plain values: memories, cores and network interfaces as bytes and numbers, what each kernel and the
services keep beside them, and everything that is pending. It can be put back into any machine built alike; what has
been chosen so far is no part of it, nor are kept trace events. `copy` does both at once, leaving out clusters that
have not changed since it last did.

Two machines in the same state have the same hash, however they came there. The clock is part of the state; in which
order the events of a tie are offered is not.

Source: ours.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b

from kmigrate.impl.chip.noc import Links
from kmigrate.impl.simulation.loop import Pending
from kmigrate.impl.system.cluster import Armed, Cluster
from kmigrate.impl.system.errors import ClusterCrashed, OtherSystem
from kmigrate.impl.system.fabric import Transfer
from kmigrate.impl.system.faults import NetworkFault
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.moves import MoveStatus, Wish
from kmigrate.impl.system.process import Process
from kmigrate.impl.system.statics import MAILBOX, PORTAL, Value, fill

HASH_BYTES = 16

_SERVICES = "services"
"""The place of the services' node among the parts that were copied last."""


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One cluster but its memory and cores.

    kernel   what the kernel keeps in variables
    agent    what its agent keeps, and who waits for it
    daemon   what its migration daemon knows
    armed    what is pending at each core
    timer    its next tick
    """

    kernel: tuple[Value, ...]
    agent: tuple[Value, ...]
    daemon: tuple[object, ...]
    free_at: tuple[int, ...]
    ticks: int
    crash: ClusterCrashed | None
    runtime: str
    armed: tuple[Armed, ...]
    timer: Pending | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole machine at one moment.

    built     what the machine was built from
    clock     cycle, number of the next event, chain of the trace, events so far
    clusters  by number: memory, cores, the rest
    """

    built: tuple[object, ...]
    clock: tuple[int, int, bytes, int]
    links: Links
    counts: tuple[int, ...]
    faults: tuple[int, dict[int, NetworkFault]]
    clusters: dict[int | None, tuple[bytes, bytes, ClusterState]]
    transfers: tuple[tuple[Pending, Transfer], ...]
    services: tuple[Value, ...]
    served: tuple[tuple[Pending, int], ...]
    alarms: tuple[tuple[Pending, int], ...]
    wishes: tuple[tuple[Pending, Wish], ...]
    moves: tuple[dict[str, MoveStatus], dict[str, int], dict[int, int]]
    stops: tuple[tuple[Pending, int | None], ...]
    processes: tuple[Process, ...]
    ended: tuple[tuple[str, int], ...]


def built(system: Machine) -> tuple[object, ...]:
    """What a machine was built from; only machines built alike take one another's snapshots."""
    any_order = system.agenda.any_order
    return system.geometry, system.timing, system.uarea, system.exact, system.daemon_kind, any_order


# -- one cluster -----------------------------------------------------------------------------------------


def state_of(system: Machine, cluster: Cluster) -> ClusterState:
    """The state of a cluster but its memory and cores. Raises NoSnapshot."""
    keeper, agent = system.keepers[cluster.node], system.agents[cluster.node]
    return ClusterState(
        keeper.kept(),
        (keeper.keep(agent.state), keeper.keep(agent.waiting)),
        system.daemons[cluster.node].kept() if system.uarea else (),
        tuple(cluster.free_at),
        cluster.ticks,
        cluster.crash,
        cluster.runtime,
        tuple(cluster.armed),
        cluster.timer,
    )


def put_cluster(system: Machine, cluster: Cluster, state: ClusterState) -> None:
    """Bring a cluster into a state, its memory and cores apart; nothing of it is pending before this."""
    keeper, agent = system.keepers[cluster.node], system.agents[cluster.node]
    keeper.put(state.kernel)
    agent.state, agent.waiting = (keeper.put_one(one) for one in state.agent)
    if system.uarea:
        system.daemons[cluster.node].put(state.daemon)
    cluster.free_at[:] = state.free_at
    cluster.ticks, cluster.crash, cluster.runtime = state.ticks, state.crash, state.runtime
    keep = system.agenda.keep
    cluster.armed = [tuple((step, keep(event)) for step, event in armed) for armed in state.armed]
    cluster.timer = None if state.timer is None else keep(state.timer)
    cluster.version += 1


def _copy_cluster(system: Machine, cluster: Cluster, into: Machine, other: Cluster) -> None:
    """Bring a cluster of another machine into the state of one of this machine; the agenda is copied apart."""
    other.memory.data[:] = cluster.memory.data
    other.cores.copy_from(cluster.cores)
    into.matchers[other.node].match(system.matchers[cluster.node])
    into.agents[other.node].copy(system.agents[cluster.node])
    if system.uarea:
        into.daemons[other.node].copy(system.daemons[cluster.node])
    other.free_at[:] = cluster.free_at
    other.ticks, other.crash, other.runtime = cluster.ticks, cluster.crash, cluster.runtime
    other.armed[:], other.timer = cluster.armed, cluster.timer
    other.version += 1


# -- the whole -------------------------------------------------------------------------------------------


def snapshot(system: Machine) -> Snapshot:
    """The machine as it is. Raises NoSnapshot if a kernel keeps what is no plain value."""
    clusters = {
        number: (bytes(cluster.memory.data), cluster.cores.snapshot(), state_of(system, cluster))
        for number, cluster in system.clusters.items()
    }
    return _around(system, clusters)


@dataclass(frozen=True, slots=True)
class ServicesState:
    """The node of the services.

    state   what they know, and the interfaces' variables
    served  letters that are about to be dealt with: when, and the sender
    alarms  when they look after which request
    """

    state: tuple[Value, ...]
    served: tuple[tuple[Pending, int], ...]
    alarms: tuple[tuple[Pending, int], ...]


def services_of(system: Machine) -> ServicesState:
    """The state of the services' node. Raises NoSnapshot."""
    services = system.services
    keeper = next(iter(system.keepers.values()))
    own = [keeper.keep(getattr(part, name)) for part, name in interfaces(system)]
    return ServicesState(
        (keeper.keep(services.state), *own),
        tuple(services.pending),
        tuple(services.alarms),
    )


def put_services(system: Machine, kept: ServicesState) -> None:
    """Bring the services' node into a state; nothing of it is pending before this."""
    services = system.services
    keeper = next(iter(system.keepers.values()))
    services.version += 1
    state, *own = kept.state
    services.state = keeper.put_one(state)
    for (part, name), value in zip(interfaces(system), own, strict=True):
        setattr(part, name, keeper.put_one(value))
    keep = system.agenda.keep
    services.pending = [(keep(event), sender) for event, sender in kept.served]
    services.alarms = [(keep(event), number) for event, number in kept.alarms]


def _around(system: Machine, clusters: dict[int | None, tuple[bytes, bytes, ClusterState]]) -> Snapshot:
    """Everything but the clusters, with what is given for them."""
    agenda, moves, services = system.agenda, system.moves, services_of(system)
    return Snapshot(
        built(system),
        (agenda.now, agenda.sequence, agenda.tape.chain, agenda.tape.written),
        system.fabric.links,
        tuple(system.fabric.counts.values()),
        (system.fabric.carried, dict(system.fabric.plan)),
        clusters,
        tuple(system.fabric.under_way),
        services.state,
        services.served,
        services.alarms,
        tuple(system.wishes),
        (dict(moves.last), dict(moves.seen_on), dict(moves.incoming)),
        tuple(system.stops),
        tuple(system.processes.values()),
        tuple(system.ended.items()),
    )


def interfaces(system: Machine) -> list[tuple[object, str]]:
    """The variables of the interfaces of the node of the services."""
    services = system.services
    mailbox, portal = services.mailbox, services.portal
    return [*((mailbox, name) for name in MAILBOX), *((portal, name) for name in PORTAL)]


def put_back(system: Machine, kept: Snapshot) -> None:
    """Bring a machine into the state of a snapshot. Raises OtherSystem, NoSnapshot."""
    _compare(system, kept.built)
    _put_around(system, kept)
    for number, (memory, cores, state) in kept.clusters.items():
        cluster = system.clusters[number]
        cluster.memory.data[:] = memory
        cluster.cores.put_back(cores)
        put_cluster(system, cluster, state)


def _compare(system: Machine, other: tuple[object, ...]) -> None:
    own = built(system)
    if other == own:
        return
    names = ("the geometry", "the timing", "the UArea", "the caches", "the daemons", "any order")
    for what, found, needed in zip(names, other, own, strict=True):
        if found != needed:
            raise OtherSystem(what, found, needed)


def _put_around(system: Machine, kept: Snapshot) -> None:
    """Everything but the clusters; nothing of theirs is pending after this."""
    moves, fabric, keep = system.moves, system.fabric, system.agenda.keep
    system.agenda.put_back(*kept.clock)
    fabric.links = kept.links
    fabric.counts = dict(zip(fabric.counts, kept.counts, strict=True))
    fabric.carried, plan = kept.faults
    fabric.plan = dict(plan)
    fabric.under_way = [(keep(event), transfer) for event, transfer in kept.transfers]
    put_services(system, ServicesState(kept.services, kept.served, kept.alarms))
    system.wishes = [(keep(event), wished) for event, wished in kept.wishes]
    last, seen_on, incoming = kept.moves
    moves.last, moves.seen_on, moves.incoming = dict(last), dict(seen_on), dict(incoming)
    system.stops = [(keep(event), cluster) for event, cluster in kept.stops]
    system.processes = {process.name: process for process in kept.processes}
    system.ended = dict(kept.ended)


def _copy_around(system: Machine, into: Machine) -> None:
    """Everything but the clusters, and all that is pending, whosesoever it is."""
    fabric = into.fabric
    into.agenda.copy(system.agenda)
    fabric.links = system.fabric.links
    fabric.counts.update(system.fabric.counts)
    fabric.carried, fabric.plan = system.fabric.carried, dict(system.fabric.plan)
    fabric.under_way[:] = system.fabric.under_way
    into.wishes[:], into.stops[:] = system.wishes, system.stops
    into.moves.copy(system.moves)
    _copy_services(system, into)
    into.processes, into.ended = dict(system.processes), dict(system.ended)


def _copy_services(system: Machine, into: Machine) -> None:
    """The services' node; what is pending there is copied apart."""
    services, own = system.services, into.services
    own.pending[:], own.alarms[:] = services.pending, services.alarms
    if into.copied.get(_SERVICES) == (services, services.version, own.version):
        return
    own.state = services.state.copy()
    for (part, name), (source, _) in zip(interfaces(into), interfaces(system), strict=True):
        fill(getattr(part, name), getattr(source, name))
    own.version += 1
    into.copied[_SERVICES] = (services, services.version, own.version)


def copy(system: Machine, into: Machine) -> None:
    """Bring another machine into the state of this one; clusters that are alike already stay as they are.

    Raises  OtherSystem, NoSnapshot
    """
    _compare(into, built(system))
    _copy_around(system, into)
    for number, cluster in system.clusters.items():
        other = into.clusters[number]
        if into.copied.get(number) != (cluster, cluster.version, other.version):
            _copy_cluster(system, cluster, into, other)
            into.copied[number] = (cluster, cluster.version, other.version)


def clone(system: Machine) -> Machine:
    """Another machine in the state of this one, with a choice source of its own: the ordinary course."""
    made = Machine(
        system.geometry,
        timing=system.timing,
        uarea=system.uarea,
        daemon=system.daemon_kind,
        exact=system.exact,
        any_order=system.agenda.any_order,
    )
    copy(system, made)
    return made


def state_hash(system: Machine) -> str:
    """A hash of the state, 32 hexadecimal digits. Raises NoSnapshot."""
    around = replace(_around(system, {}), clock=(system.now, 0, b"", 0))
    whole = blake2b(digest_size=HASH_BYTES)
    whole.update(repr(_ranked(around)).encode())
    for number, cluster in system.clusters.items():
        known = system.digests.get(number)
        if known is None or known[0] != cluster.version:
            part = blake2b(cluster.memory.data, digest_size=HASH_BYTES)
            part.update(cluster.cores.snapshot())
            part.update(repr(_said(system, cluster)).encode())
            known = system.digests[number] = (cluster.version, part.digest())
        whole.update(known[1])
    whole.update(repr(_order(system)).encode())
    return whole.hexdigest()


def _ranked(around: Snapshot) -> tuple[object, ...]:
    """What a snapshot says beside the clusters, without the numbers of events."""
    pending = [
        [(event.cycle, *rest) for event, *rest in some]
        for some in (around.transfers, around.served, around.alarms, around.wishes, around.stops)
    ]
    return around.clock[0], around.links, around.services, around.moves, pending


def _said(system: Machine, cluster: Cluster) -> tuple[object, ...]:
    """The state of a cluster, its daemon in short, without the numbers of events."""
    state = state_of(system, cluster)
    armed = [[(step, event.cycle) for step, event in some] for some in state.armed]
    timer = None if state.timer is None else state.timer.cycle
    daemon = system.daemons[cluster.node].said() if system.daemons else ()
    return replace(state, daemon=daemon, armed=(), timer=None), armed, timer


def _order(system: Machine) -> list[tuple[int, int, str]]:
    """What is pending, by cycle, class and label."""
    return sorted((event.cycle, event.key[1], event.label) for event in system.agenda.pending)
