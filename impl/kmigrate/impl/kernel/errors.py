"""What goes wrong in a kernel, one class per cause.

A `Refused` becomes the negative result of the call. The others say that the cluster itself is in a state from
which the real kernel would not come back.
"""

from kmigrate.impl.errors import ImplError
from kmigrate.impl.kernel.errno import Errno


class Refused(ImplError):
    """A kernel call is refused; its result is the negative number of the error."""

    def __init__(self, errno: Errno, why: str) -> None:
        super().__init__(f"{errno.name}: {why}")
        self.errno = errno
        self.why = why


class KernelPanic(ImplError):
    """The kernel stops, as the real one does at a failed assertion or an unhandled exception."""

    def __init__(self, why: str) -> None:
        super().__init__(f"kernel panic: {why}")
        self.why = why


class UnhandledException(KernelPanic):
    """User code fails in a way that nobody has said anything about.

    exception    its number, that of RISC-V's causes
    address      what it is about: an address, or the word of an illegal instruction
    instruction  where the instruction stands
    """

    def __init__(self, exception: int, tid: int, address: int, instruction: int) -> None:
        super().__init__(f"exception {exception} of thread {tid} at {address:#x} is neither handled nor ignored")
        self.exception = exception
        self.tid = tid
        self.address = address
        self.instruction = instruction


class BadStructure(ImplError):
    """A structure in memory was asked for a part that it does not have."""

    def __init__(self, structure: str, part: int, parts: int) -> None:
        super().__init__(f"{structure}: no part {part}; it has 0..{parts - 1}")
        self.structure = structure
        self.part = part
        self.parts = parts


class NoSuchField(ImplError):
    """A structure was asked for a field that it does not have."""

    def __init__(self, field: str, fields: tuple[str, ...]) -> None:
        super().__init__(f"no field {field}; there are {', '.join(fields) or 'none'}")
        self.field = field
        self.fields = fields
