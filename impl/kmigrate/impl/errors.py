"""What can go wrong in the reference implementation, one class per cause."""


class ImplError(Exception):
    """Base of every error of the reference implementation."""


class BadGeometry(ImplError):
    """A chip of these measures cannot be built."""

    def __init__(self, field: str, value: int, needed: str) -> None:
        super().__init__(f"geometry: {field} is {value}, but {needed}")
        self.field = field
        self.value = value
        self.needed = needed


class BadConfiguration(ImplError):
    """A machine cannot be built from this configuration."""

    def __init__(self, field: str, value: object, needed: str) -> None:
        super().__init__(f"configuration: {field} is {value}, but {needed}")
        self.field = field
        self.value = value
        self.needed = needed


class NoAlternative(ImplError):
    """A choice was asked for among nothing."""

    def __init__(self, kind: str, n: int) -> None:
        super().__init__(f"choice of kind {kind!r} among {n} alternatives: there must be at least one")
        self.kind = kind
        self.n = n


class BadChoice(ImplError):
    """A choice source answered with a number that stands for no alternative."""

    def __init__(self, kind: str, n: int, chosen: int) -> None:
        super().__init__(f"choice of kind {kind!r}: {chosen} is not one of 0..{n - 1}")
        self.kind = kind
        self.n = n
        self.chosen = chosen


class NotPending(ImplError):
    """An event was withdrawn that is no longer pending."""

    def __init__(self, label: str) -> None:
        super().__init__(f"event {label} is not pending: it has run or was withdrawn before")
        self.label = label


class OutOfMemoryBounds(ImplError):
    """An access leaves a cluster's memory."""

    def __init__(self, address: int, size: int, memory_bytes: int) -> None:
        super().__init__(f"{size} bytes at {address:#x} leave the memory of {memory_bytes:#x} bytes")
        self.address = address
        self.size = size
        self.memory_bytes = memory_bytes


class MessageTooLong(ImplError):
    """A message does not fit a mailbox slot."""

    def __init__(self, size: int, capacity: int) -> None:
        super().__init__(f"a message of {size} bytes does not fit a mailbox slot of {capacity} bytes")
        self.size = size
        self.capacity = capacity


class SlotEmpty(ImplError):
    """A message was read from a mailbox slot that holds none."""

    def __init__(self, node: int, sender: int) -> None:
        super().__init__(f"mailbox of node {node}: no message from node {sender}")
        self.node = node
        self.sender = sender


class AlreadyAllowed(ImplError):
    """A second piece was allowed before the first was consumed (nanvix-facts 2.4: -EBUSY)."""

    def __init__(self, sender: int, receiver: int) -> None:
        super().__init__(f"portal c{sender}>c{receiver}: the permission given before is not consumed yet")
        self.sender = sender
        self.receiver = receiver


class NotAllowed(ImplError):
    """A piece was sent without a permission (nanvix-facts 2.4: -EACCES)."""

    def __init__(self, sender: int, receiver: int) -> None:
        super().__init__(f"portal c{sender}>c{receiver}: the receiver has not allowed a piece")
        self.sender = sender
        self.receiver = receiver


class NothingLanded(ImplError):
    """A piece was read from a portal into which none has arrived."""

    def __init__(self, sender: int, receiver: int) -> None:
        super().__init__(f"portal c{sender}>c{receiver}: no piece has arrived")
        self.sender = sender
        self.receiver = receiver


class PieceTooLong(ImplError):
    """A piece does not fit the wire."""

    def __init__(self, size: int, capacity: int) -> None:
        super().__init__(f"a piece of {size} bytes does not fit the {capacity} bytes of a transfer")
        self.size = size
        self.capacity = capacity


class MalformedMessage(ImplError):
    """The bytes of a message have no meaning."""

    def __init__(self, why: str) -> None:
        super().__init__(f"malformed message: {why}")
        self.why = why


class BadSectionSize(ImplError):
    """Bytes were put in place of a section that has another size."""

    def __init__(self, section: str, size: int, needed: int) -> None:
        super().__init__(f"section {section}: {size} bytes given, {needed} needed")
        self.section = section
        self.size = size
        self.needed = needed


class ProcessTooLarge(ImplError):
    """A cluster of this geometry has no room for the process."""

    def __init__(self, process: int, resource: str, needed: int, available: int) -> None:
        super().__init__(f"process {process} needs {needed} {resource}; a cluster has {available}")
        self.process = process
        self.resource = resource
        self.needed = needed
        self.available = available


class NoSuchCluster(ImplError):
    """A cluster was named that the machine does not have."""

    def __init__(self, cluster: int, clusters: int) -> None:
        super().__init__(f"no cluster {cluster}: the machine has 0..{clusters - 1}")
        self.cluster = cluster
        self.clusters = clusters


class OtherVariant(ImplError):
    """Something was asked of a machine that only the other variant of the protocol has."""

    def __init__(self, needed: str, variant: str) -> None:
        super().__init__(f"this machine runs the {variant} protocol; only the {needed} one has what was asked for")
        self.needed = needed
        self.variant = variant


class NeverQuiet(ImplError):
    """A machine still had something to do after the most events that were granted."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the machine is not quiet after {limit} events")
        self.limit = limit
