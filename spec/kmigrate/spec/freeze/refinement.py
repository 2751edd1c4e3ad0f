"""How the freeze of one cluster looks from L1: the steps from the request to the last section.

The three objects are three sections. From the last one on, this level says nothing that L1 does not say better: the
commit is L1's, and the part ends there.
"""

from kmigrate.spec.freeze.freeze import Freeze
from kmigrate.spec.freeze.image import OBJECTS, AtDestination, AtSource
from kmigrate.spec.protocol import ClusterId, Hardened, ProcessId
from kmigrate.spec.refinements import Refinement
from kmigrate.spec.vocabulary import DestinationPhase, Message, SourcePhase

_SOURCE, _DESTINATION = ClusterId(0), ClusterId(1)
_PROCESS = ProcessId(0)
_ATTEMPT = 0


def as_an_attempt(freeze: Freeze, protocol: Hardened) -> None:
    """One attempt: asked for, granted, frozen, and its sections staged one by one."""
    if freeze.at_source == AtSource.IDLE:
        return
    protocol.requested = 1
    protocol.process[_ATTEMPT] = _PROCESS
    protocol.source[_ATTEMPT] = _SOURCE
    protocol.destination[_ATTEMPT] = _DESTINATION
    protocol.epoch[_ATTEMPT] = 1
    protocol.seen[_SOURCE, _PROCESS] = 1
    if freeze.at_source == AtSource.ASKED and freeze.at_destination == AtDestination.IDLE:
        protocol.at_source[_ATTEMPT] = SourcePhase.ASKING
        protocol.sent[Message.REQ, _ATTEMPT] = True
        return
    protocol.seen[_DESTINATION, _PROCESS] = 1
    if freeze.at_source == AtSource.REFUSED:
        protocol.at_source[_ATTEMPT] = SourcePhase.CLOSED
        waiting = freeze.at_destination == AtDestination.RECEIVING
        protocol.at_destination[_ATTEMPT] = DestinationPhase.STAGING if waiting else DestinationPhase.CLOSED
        protocol.frozen[_DESTINATION] = waiting
        protocol.sent[Message.NO, _ATTEMPT] = waiting
        return
    protocol.frozen[_DESTINATION] = True
    installed = next((number for number in range(OBJECTS) if freeze.installed == number), OBJECTS)
    for number in range(installed):
        protocol.content[_DESTINATION, number] = _PROCESS
    if installed < OBJECTS:
        protocol.at_destination[_ATTEMPT] = DestinationPhase.STAGING
        protocol.staged[_ATTEMPT] = installed
    else:
        protocol.at_destination[_ATTEMPT] = DestinationPhase.INSTALLED
        protocol.sent[Message.INST, _ATTEMPT] = True
    if freeze.at_source == AtSource.ASKED:
        protocol.at_source[_ATTEMPT] = SourcePhase.ASKING
        protocol.want[_ATTEMPT, 0] = True
    elif freeze.at_source == AtSource.FREEZING:
        protocol.at_source[_ATTEMPT] = SourcePhase.FREEZING
    else:
        protocol.at_source[_ATTEMPT] = SourcePhase.FROZEN
        protocol.frozen[_SOURCE] = True
        if installed < OBJECTS:
            protocol.sect[_ATTEMPT, installed] = freeze.leaving()
            protocol.want[_ATTEMPT, installed] = not freeze.leaving()


FREEZE_PROTOCOL = Refinement(
    "freeze-protocol",
    Freeze,
    Hardened,
    as_an_attempt,
    opens=("request", "grant", "start_freeze", "pass_barrier", "send_section", "stage", "cancel", "clear_copy"),
    fixed={"clusters": 2, "processes": 1, "attempts": 1, "sections": OBJECTS},
)
