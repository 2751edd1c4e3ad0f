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


class MalformedMessage(ImplError):
    """The bytes of a message have no meaning."""

    def __init__(self, why: str) -> None:
        super().__init__(f"malformed message: {why}")
        self.why = why
