"""A machine copied, and a machine's state as a key: what exploring a machine exhaustively needs.

The copy starts with an empty trace. The key leaves time out: where every pending event is offered at every step,
its cycle decides nothing but the order in which the alternatives are listed.

Source: ours.
"""

import pickle
from hashlib import blake2b
from io import BytesIO
from typing import Any

from kmigrate.impl.hal.interference import Copy
from kmigrate.impl.machine import Machine
from kmigrate.impl.migration.attempt import DestinationRecord, SourceRecord
from kmigrate.impl.migration.hardened import HardenedDaemon
from kmigrate.impl.migration.published import PublishedDaemon
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.simulation.trace import Trace


class Snapshot:
    """One state of a machine, from which as many machines as wanted are made."""

    def __init__(self, machine: Machine) -> None:
        self._shared = (machine.configuration, machine.layout, machine.program, machine.loop.choices)
        trace = machine.loop.trace
        machine.loop.trace = Trace()
        try:
            kept = BytesIO()
            pickler = pickle.Pickler(kept, protocol=5)
            setattr(pickler, "persistent_id", self._place)  # noqa: B010 - a slot of the C type
            pickler.dump(machine)
            self._content = kept.getvalue()
        finally:
            machine.loop.trace = trace

    def _place(self, one: object) -> int | None:
        for place, shared in enumerate(self._shared):
            if one is shared:
                return place
        return None

    def machine(self, choices: ChoiceSource) -> Machine:
        """A machine in this state, whose choices another source makes from here on."""
        unpickler = pickle.Unpickler(BytesIO(self._content))  # noqa: S301 - written by this object, never from outside
        setattr(unpickler, "persistent_load", lambda place: self._shared[place])  # noqa: B010
        made: Machine = unpickler.load()
        made.loop.choices = choices
        return made


def key(machine: Machine) -> bytes:
    """The state of a machine in 16 bytes: two machines with the same key have the same future, times apart."""
    parts: list[Any] = [container.memory.data for container in machine.containers]
    words: list[Any] = [
        (mailbox.delivered, [(sender, mailbox.outstanding(sender)) for sender in mailbox.senders])
        for mailbox in machine.noc.mailboxes
    ]
    words += [
        (portal.permissions, portal.landing, portal.allowed, portal.pieces_on_wire)
        for portal in machine.noc.portals
    ]
    words.append((machine.names.owner, machine.names.recorded, machine.names.waiting))
    for cluster in range(machine.configuration.clusters):
        daemon = machine.daemon(cluster)
        words.append(_hardened(daemon) if isinstance(daemon, HardenedDaemon) else _published(daemon))
    if machine.interference is not None:
        interference = machine.interference
        damaged = sorted((str(attempt), section, transfer) for attempt, section, transfer in interference.damaged)
        words.append((interference.lost, damaged, [_copy(copy) for copy in interference.copies]))
    words.append(sorted((event.label, _arguments(event.arguments)) for event in machine.loop.pending))
    hashed = blake2b(repr(words).encode(), digest_size=16)
    for part in parts:
        hashed.update(part)
    return hashed.digest()


def _arguments(arguments: tuple[object, ...]) -> str:
    """What a pending event carries, records and copies by their state."""
    return repr(
        [
            _copy(one)
            if isinstance(one, Copy)
            else str(one.attempt)
            if isinstance(one, (SourceRecord, DestinationRecord))
            else one
            for one in arguments
        ]
    )


def _copy(copy: Copy) -> tuple[Any, ...]:
    return copy.node, copy.sender, copy.content, copy.waiting, copy.pending


def _hardened(daemon: HardenedDaemon) -> tuple[Any, ...]:
    sides = daemon.source, daemon.destination
    return (
        daemon.stopped,
        sorted(daemon.station.seen.items()),
        daemon.waiting,
        [None if side.current is None else str(side.current.attempt) for side in sides],
        [list(side.records.values()) for side in sides],
        daemon.source.last_to,
    )


def _published(daemon: PublishedDaemon) -> tuple[Any, ...]:
    written = {peer: count - daemon.read.get(peer, 0) for peer, count in sorted(daemon.written.items())}
    return (
        (daemon.call.name, daemon.called, daemon.role.name, daemon.peer, daemon.walked, daemon.allowed),
        daemon.progress,
        sorted(daemon.snapshots.items()),
        written,
        sorted(daemon.read.items()),
    )
