"""How the machine looks from L1: as L1, its kernels and images not looked at.

The protocol's variables are the same in both, so the abstraction is the projection onto them; that every step of
the machine is then a step of the protocol or none is what the check says.
"""

from kmigrate.spec.machine.machine import Machine
from kmigrate.spec.protocol import Hardened
from kmigrate.spec.refinements import Refinement


def without_kernels(machine: Machine, protocol: Hardened) -> None:
    """Every variable of the protocol has the value that it has in the machine."""
    for slot in protocol.schema.slots:
        name = slot.variable.name
        if slot.index:
            getattr(protocol, name)[slot.index] = getattr(machine, name)[slot.index]
        else:
            setattr(protocol, name, getattr(machine, name))


MACHINE_PROTOCOL = Refinement("machine-protocol", Machine, Hardened, without_kernels)
