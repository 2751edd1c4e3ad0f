"""L3, machine: the protocol over the kernels, at the grain of the implementation's atomic steps."""

from kmigrate.spec.machine.machine import Machine

__all__ = ["Machine"]
