"""What can go wrong with the cores of a chip, its programs and its network, one class per cause."""

from kmigrate.impl.errors import ImplError


class NoSuchCore(ImplError):
    """A core was named that the cluster does not have."""

    def __init__(self, core: int, cores: int) -> None:
        super().__init__(f"core {core}: this cluster has cores 0..{cores - 1}")
        self.core = core
        self.cores = cores


class NoSuchRegister(ImplError):
    """A register was named that a core does not have."""

    def __init__(self, register: int) -> None:
        super().__init__(f"register x{register}: a core has x0..x31")
        self.register = register


class BadCycles(ImplError):
    """A number of cycles was given that is none."""

    def __init__(self, what: str, cycles: int, most: int) -> None:
        super().__init__(f"{what} of {cycles} cycles: it must be in 0..{most}")
        self.what = what
        self.cycles = cycles
        self.most = most


class MisalignedAddress(ImplError):
    """An address was given that does not start a word, a page or whatever must stand there."""

    def __init__(self, what: str, address: int, multiple: int) -> None:
        super().__init__(f"{what} at {address:#x}: the address must be a multiple of {multiple}")
        self.what = what
        self.address = address
        self.multiple = multiple


class OtherCores(ImplError):
    """A snapshot was put back into cores that are built differently."""

    def __init__(self, size: int, needed: int) -> None:
        super().__init__(f"a snapshot of {size} bytes is not one of these cores, which need {needed}")
        self.size = size
        self.needed = needed


class BadElf(ImplError):
    """A file is not an ELF program that a core can run."""

    def __init__(self, where: str, found: str, needed: str) -> None:
        super().__init__(f"ELF {where}: {found}, but {needed}")
        self.where = where
        self.found = found
        self.needed = needed


class NoSuchSymbol(ImplError):
    """A program has no symbol of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the program has no symbol {name!r}")
        self.name = name


class NoSuchNode(ImplError):
    """A network node was named that the chip does not have."""

    def __init__(self, node: int, nodes: int) -> None:
        super().__init__(f"node {node}: this network has nodes 0..{nodes - 1}")
        self.node = node
        self.nodes = nodes


class BadTag(ImplError):
    """A tag was named that a network interface does not have."""

    def __init__(self, network: str, direction: str, number: int, needed: str) -> None:
        super().__init__(f"{network} {direction} tag {number}: {needed}")
        self.network = network
        self.direction = direction
        self.number = number


class BadMessage(ImplError):
    """A message cannot be sent over the network as it was described."""

    def __init__(self, field: str, value: int, needed: str) -> None:
        super().__init__(f"message: {field} is {value}, but {needed}")
        self.field = field
        self.value = value
