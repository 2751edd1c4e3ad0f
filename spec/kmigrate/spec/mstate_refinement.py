"""How a transfer looks from the protocol above: its states, in groups, are the sections of the image.

A state whose list is empty moves no piece, so it could not be a section of its own; a group begins with a state
that always moves one. In between the protocol sees two moments of a group: its first piece arrives (the section is
sent), and the receiver's walk leaves it (the section is staged, or read).

Source: ours, from thesis 4.5.1.2. Deviations: spec/README.md.
"""

from kmigrate.spec.language import Model, forall, one_of
from kmigrate.spec.language.variable import ANY
from kmigrate.spec.mstate import Copy, Parcel, Pool, PublishedTransfer, Side, Slot, Task, Transfer
from kmigrate.spec.mstate.transfer import PAGE_BY_PAGE
from kmigrate.spec.protocol import ClusterId, Clusters, Hardened, ProcessId, Published
from kmigrate.spec.refinements import Refinement
from kmigrate.spec.vocabulary import DestinationPhase, Message, Mstate, Portal, Role, SourcePhase

GROUPS: tuple[tuple[Mstate, ...], ...] = (
    (Mstate.SECTIONS, Mstate.UAREA, Mstate.SYSBOARD, Mstate.PAGEDIR, Mstate.PAGETAB),
    (Mstate.KSTACKSIDS, Mstate.KSTACKSPHYS),
    (Mstate.FRAMES_BITMAP, Mstate.FRAMES_PHYS),
)
"""The states that make up each section of the protocol above."""

SOURCE, DESTINATION, PROCESS, NOTHING = ClusterId(0), ClusterId(1), ProcessId(0), ProcessId(-1)

ABOVE = {"clusters": 2, "processes": 1, "attempts": 1, "sections": len(GROUPS)}
"""The protocol of which one transfer is a part."""


def begin(model: Model) -> None:
    """Every variable as it is declared to start; what the transfer decides is assigned over it."""
    for slot in model.schema.slots:
        init = slot.variable.init
        value = init(model, *slot.index) if callable(init) and init is not ANY else init
        if slot.index:
            getattr(model, slot.variable.name)[slot.index] = value
        else:
            setattr(model, slot.variable.name, value)


def left_by_receiver(transfer: Transfer) -> int:
    """How many groups the receiver's walk has left."""
    groups = enumerate(GROUPS)
    return next((number for number, group in groups if one_of(transfer.state[Side.RECEIVER], *group)), len(GROUPS))


def first_piece_in(transfer: Transfer) -> bool:
    """Whether the first piece of the group at which the receiver stands has arrived."""
    first = GROUPS[min(left_by_receiver(transfer), len(GROUPS) - 1)][0]
    here = transfer.state[Side.RECEIVER] == first and transfer.whole[first] == Copy.OWN
    return not here or transfer.landing != Parcel.NONE or transfer.part[Side.RECEIVER] > 0


def group_intact(transfer: Transfer, group: int) -> bool:
    """Whether what the receiver holds of a group that it has left is the source's at the freeze."""
    pool = (None, Pool.KERNEL_PAGES, Pool.FRAMES)[group]
    elements = [state for state in GROUPS[group] if state not in PAGE_BY_PAGE]
    return forall(Mstate, lambda state: state not in elements or transfer.whole[state] == Copy.RIGHT) and (
        pool is None
        or forall(
            Slot,
            lambda slot: (
                transfer.there[pool, slot] == transfer.copied[pool, slot]
                and (
                    not transfer.copied[pool, slot]
                    or transfer.system_owned(pool, slot)
                    or transfer.placed[pool, slot] == Copy.RIGHT
                )
            ),
        )
    )


def _place_sections(transfer: Transfer, protocol: Clusters, groups: int) -> None:
    """The first so many groups stand at the destination, unless they are not what was frozen."""
    for group in range(groups):
        if group_intact(transfer, group):
            protocol.content[DESTINATION, group] = PROCESS


def ended_by(transfer: Transfer, side: Side) -> Task:
    """How a side has ended; LOOP stands for all that it may still be doing."""
    endings = (Task.DONE, Task.GIVEN_UP, Task.STOPPED)
    return next((ending for ending in endings if transfer.task[side] == ending), Task.LOOP)


def frozen_attempt(transfer: Transfer, protocol: Hardened) -> None:
    """Hardened: an attempt whose source is frozen and whose destination is staging, until the one has installed."""
    begin(protocol)
    sender, receiver = ended_by(transfer, Side.SENDER), ended_by(transfer, Side.RECEIVER)
    staged = left_by_receiver(transfer)
    if staged == len(GROUPS) and receiver != Task.DONE:
        staged = len(GROUPS) - 1  # above, the last section is staged when the whole is verified
    protocol.requested = 1
    protocol.process[0], protocol.source[0], protocol.destination[0], protocol.epoch[0] = (
        PROCESS,
        SOURCE,
        DESTINATION,
        1,
    )
    protocol.seen[SOURCE, PROCESS] = protocol.seen[DESTINATION, PROCESS] = 1

    at_source, at_destination = SourcePhase.FROZEN, DestinationPhase.STAGING
    if sender == Task.DONE:
        at_source = SourcePhase.COMMITTING
    elif sender in (Task.GIVEN_UP, Task.STOPPED):
        at_source = SourcePhase.CLOSED
    if receiver == Task.DONE:
        at_destination = DestinationPhase.INSTALLED
    elif receiver in (Task.GIVEN_UP, Task.STOPPED):
        at_destination = DestinationPhase.CLOSED
    protocol.at_source[0], protocol.at_destination[0] = at_source, at_destination
    source_closed = at_source == SourcePhase.CLOSED
    destination_closed = at_destination == DestinationPhase.CLOSED
    protocol.frozen[SOURCE], protocol.frozen[DESTINATION] = not source_closed, not destination_closed

    protocol.crashed[SOURCE], protocol.crashed[DESTINATION] = sender == Task.STOPPED, receiver == Task.STOPPED
    if sender == Task.STOPPED:
        for group in range(len(GROUPS)):
            protocol.content[SOURCE, group] = NOTHING
    if not destination_closed:
        _place_sections(transfer, protocol, staged)
    if at_destination == DestinationPhase.STAGING:
        protocol.staged[0] = staged
    if not (source_closed and destination_closed):
        protocol.sent[Message.NO, 0] = sender == Task.GIVEN_UP
        protocol.sent[Message.NACK, 0] = receiver == Task.GIVEN_UP
        protocol.sent[Message.INST, 0] = receiver == Task.DONE and sender != Task.DONE
        protocol.sent[Message.COM, 0] = sender == Task.DONE
        if staged < len(GROUPS):
            arrived = staged == 0 or first_piece_in(transfer)
            protocol.want[0, staged] = not arrived
            protocol.sect[0, staged] = arrived


def two_daemons(transfer: PublishedTransfer, protocol: Published) -> None:
    """Published: a daemon that sends and one that receives, both frozen, until each has finished."""
    begin(protocol)
    group = left_by_receiver(transfer)
    arrived = group < len(GROUPS) and first_piece_in(transfer)
    permitted = group < len(GROUPS) and (arrived or transfer.permitted)
    protocol.requested = 1
    sending = transfer.task[Side.SENDER] != Task.DONE
    receiving = transfer.task[Side.RECEIVER] != Task.DONE
    if sending:
        protocol.role[SOURCE], protocol.peer[SOURCE] = Role.SENDING, DESTINATION
        protocol.walked[SOURCE] = group + arrived
    if receiving:
        protocol.role[DESTINATION], protocol.peer[DESTINATION] = Role.RECEIVING, SOURCE
        protocol.walked[DESTINATION] = group
    protocol.frozen[SOURCE], protocol.frozen[DESTINATION] = sending, receiving
    _place_sections(transfer, protocol, group)
    if permitted:
        protocol.portal[SOURCE, DESTINATION] = Portal.FULL if arrived else Portal.ALLOWED
    if arrived:
        protocol.cargo[SOURCE, DESTINATION] = PROCESS


HARDENED_TRANSFER = Refinement(
    "hardened-transfer",
    Transfer,
    Hardened,
    frozen_attempt,
    opens=("send_section", "stage", "commit", "cancel", "time_out_staging"),
    fixed={**ABOVE, "crashes": 2},
)
"""The hardened transfer is what the hardened protocol does between FROZEN and COMMITTING, or giving up."""

PUBLISHED_TRANSFER = Refinement(
    "published-transfer",
    PublishedTransfer,
    Published,
    two_daemons,
    opens=("allow", "write", "read", "finish"),
    fixed=ABOVE,
)
"""The published transfer is what both daemons do from taking their request to their own finish."""
