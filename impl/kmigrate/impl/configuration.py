"""What a machine is built from."""

from dataclasses import dataclass, field

from kmigrate.impl.chip.geometry import TINY, Geometry
from kmigrate.impl.errors import BadConfiguration, NoSuchCluster
from kmigrate.impl.migration.defects import Defect
from kmigrate.impl.workload import Crash, Item, Meddle, Request

VARIANTS = ("published", "hardened")
"""The two protocols by name."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One machine and what is asked of it.

    clusters   compute clusters with a daemon, 1..geometry.clusters
    processes  user processes; process p starts on cluster p; 0..clusters
    variant    "published" or "hardened"
    geometry   the chip
    workload   what users do, in any order; of two items of one cycle the earlier in the tuple comes first
    defects    what is built wrong, for tests only
    losses     messages and pieces that the network may lose or damage; asked by choices of kind `fault`
    duplicates messages that it may deliver twice, asked likewise
    Raises     BadConfiguration; NoSuchCluster for a workload that names another cluster
    """

    clusters: int = 2
    processes: int = 1
    variant: str = "hardened"
    geometry: Geometry = TINY
    workload: tuple[Item, ...] = ()
    defects: frozenset[Defect] = field(default_factory=frozenset)
    losses: int = 0
    duplicates: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.clusters <= self.geometry.clusters:
            raise BadConfiguration(
                "clusters", self.clusters, f"{self.geometry.name} has 1..{self.geometry.clusters}"
            )
        if not 0 <= self.processes <= self.clusters:
            raise BadConfiguration("processes", self.processes, f"there is room for 0..{self.clusters}")
        if self.variant not in VARIANTS:
            raise BadConfiguration("variant", self.variant, f"it must be one of {', '.join(VARIANTS)}")
        for name, value, most in (("losses", self.losses, 3), ("duplicates", self.duplicates, 2)):
            if not 0 <= value <= most:
                raise BadConfiguration(name, value, f"it must be 0..{most}")
        if self.variant == "published" and self.faulty:
            raise BadConfiguration("variant", self.variant, "faults and third parties are for the hardened machine")
        for item in self.workload:
            if item.at < 0:
                raise BadConfiguration("workload", item, "time starts at cycle 0")
            named = (item.cluster, item.destination) if isinstance(item, (Request, Meddle)) else (item.cluster,)
            for cluster in named:
                if not 0 <= cluster < self.clusters:
                    raise NoSuchCluster(cluster, self.clusters)

    @property
    def faulty(self) -> bool:
        """Whether anything but the users and the schedule can disturb the protocol."""
        meddlers = any(isinstance(item, (Meddle, Crash)) for item in self.workload)
        return bool(self.losses or self.duplicates) or meddlers
