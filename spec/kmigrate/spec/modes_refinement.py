"""How a move page by page looks from above: from residence, and from the hardened protocol's transfer.

Source: ours. Deviations: spec/README.md.
"""

from kmigrate.spec.language import exists, forall
from kmigrate.spec.modes import Arrival, Modes, Page, PublishedModes, Side, Upkeep
from kmigrate.spec.protocol import ClusterId, Hardened, ProcessId
from kmigrate.spec.refinements import NoAbstraction, Refinement
from kmigrate.spec.residence import Residence
from kmigrate.spec.vocabulary import DestinationPhase, Message, MovePhase, SourcePhase

ALONE = {"clusters": 2, "processes": 1}


def home_where_it_runs(modes: Modes, residence: Residence) -> None:
    """A process lives where it runs; where it is frozen or lost, where the record says."""
    if modes.runs[Side.SOURCE] and modes.runs[Side.DESTINATION]:
        raise NoAbstraction("the process runs at both nodes, which is no state of L0")
    runs_there = modes.runs[Side.DESTINATION]
    there = runs_there or (not modes.runs[Side.SOURCE] and modes.owner == Side.DESTINATION)
    residence.home[ProcessId(0)] = ClusterId(1) if there else ClusterId(0)


def one_section(modes: Modes, protocol: Hardened) -> None:
    """Stop-and-copy: the pages together are the one section of an attempt that has been granted.

    The first page that leaves is the section that leaves, the last that lands is the section staged. What follows
    the switch looks like INSTALLED still: commit and start belong to the coordination, which is not opened here.
    """
    process, source, destination = ProcessId(0), ClusterId(0), ClusterId(1)
    cancelled = modes.phase == MovePhase.CANCELLED
    cleared = cancelled and not modes.reserved
    staged = forall(Page, lambda p: modes.arrival[p] == Arrival.HERE)
    if modes.owner == Side.DESTINATION and not staged:
        raise NoAbstraction("the process runs at the destination before its pages are staged")
    sent = exists(Page, lambda p: modes.upkeep[p] != Upkeep.OWED)
    for message in Message:
        protocol.sent[message, 0] = False
    if not cleared:
        protocol.sent[Message.INST, 0] = staged
        protocol.sent[Message.NO, 0] = cancelled
    if cancelled:
        protocol.at_source[0] = SourcePhase.CLOSED
    else:
        protocol.at_source[0] = SourcePhase.FROZEN if sent else SourcePhase.FREEZING
    if cleared:
        protocol.at_destination[0] = DestinationPhase.CLOSED
    else:
        protocol.at_destination[0] = DestinationPhase.INSTALLED if staged else DestinationPhase.STAGING
    protocol.sect[0, 0] = sent and not staged and not cleared
    protocol.content[source, 0] = process
    protocol.content[destination, 0] = process if staged and not cleared else ProcessId(-1)
    protocol.frozen[source] = sent and not cancelled
    protocol.frozen[destination] = not cleared
    protocol.requested = 1
    protocol.process[0] = process
    protocol.source[0] = source
    protocol.destination[0] = destination
    protocol.epoch[0] = 1
    protocol.staged[0] = 0
    protocol.want[0, 0] = False
    protocol.owner[process] = source
    protocol.recorded[process] = 0
    for cluster in (source, destination):
        protocol.seen[cluster, process] = 1
        protocol.crashed[cluster] = False


REFINES_RESIDENCE = Refinement("modes-residence", Modes, Residence, home_where_it_runs, fixed=ALONE)
"""Every mode: the switch is the move."""

PUBLISHED_REFINES_RESIDENCE = Refinement(
    "published-modes-residence", PublishedModes, Residence, home_where_it_runs, fixed=ALONE
)
"""What the published variant fails."""

REFINES_TRANSFER = Refinement(
    "stop-and-copy-transfer",
    Modes,
    Hardened,
    one_section,
    opens=("pass_barrier", "stage", "cancel", "clear_copy"),
    fixed={**ALONE, "attempts": 1, "sections": 1, "losses": 0},
)
"""Stop-and-copy without faults (mode 2, losses 0, stops 0): its pages are what L1 moves as one section."""
