"""Clusters with kernels and hardened daemons on one loop, until the whole machine offers the same."""

from __future__ import annotations

from collections.abc import Mapping

from impl.daemon.desk import NameService
from kmigrate.conformance.look import Whole
from kmigrate.conformance.programs import Script, machine_code
from kmigrate.conformance.table import Step
from kmigrate.impl.chip.core import Cores
from kmigrate.impl.chip.geometry import TINY, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.names import Record
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.kernel.execution import Execution
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.machinecode import MachineCode
from kmigrate.impl.kernel.network import Network
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.simulation.loop import Loop
from kmigrate.impl.simulation.trace import TraceEvent

SERVICE = 99
"""The number of the name service's kernel in the trace."""


class Rig:
    """Process p begins on cluster p; the name service is a kernel on node 0."""

    def __init__(
        self,
        scripts: tuple[Script, ...],
        clusters: int = 2,
        choices: ChoiceSource | None = None,
        patience: int = 400,
        geometry: Geometry = TINY,
    ) -> None:
        self.loop = Loop(choices or Ordinary())
        self.network = Network(Interconnect(geometry.torus.nodes, self.loop))
        self.first = geometry.torus.first_compute
        self.told: list[TraceEvent] = []
        self.kernels: list[Kernel] = []
        self.daemons: list[HardenedDaemon] = []
        placement = Placement.of(geometry)
        for cluster in range(-1, clusters):
            memory = Sram(geometry.memory_bytes)
            cores = Cores(memory, geometry)
            node = self.first + cluster if cluster >= 0 else 0
            code = MachineCode(cores, placement, slice_cycles=40)
            kernel = Kernel(memory, placement, code, node=node, network=self.network)
            kernel.boot()
            if cluster < 0:
                self.names = NameService(kernel, self.tell)
                self.names.start()
                self.service = Execution(kernel, self.loop, SERVICE)
                continue
            daemon = HardenedDaemon(kernel, cores, names=0, patience=patience, tell=self.tell)
            daemon.start()
            self.kernels.append(kernel)
            self.daemons.append(daemon)
            if cluster < len(scripts):
                base = placement.sections
                memory.write(base, machine_code(scripts[cluster], cluster, base, geometry.user_base))
                kernel.threads.create(base, 0)
                self.names.register(cluster, node)
                daemon.adopt(cluster)
        self.executions = [Execution(kernel, self.loop, c) for c, kernel in enumerate(self.kernels)]

    def tell(self, name: str, facts: Mapping[str, int | str]) -> None:
        """Write into the trace what a daemon tells."""
        self.told.append(self.loop.record(None, name, **facts))

    @property
    def whole(self) -> Whole:
        """What the abstraction looks at."""
        return Whole(self.kernels, self.daemons, self.records, self.first, lambda cluster: False)

    def records(self) -> dict[int, Record]:
        """The name service's records."""
        owner, recorded = self.names.owner, self.names.recorded
        return {container: Record(node, recorded[container]) for container, node in owner.items()}

    @property
    def settled(self) -> bool:
        """Whether no attempt is open."""
        return not any(daemon.source.current or daemon.destination.current for daemon in self.daemons)

    def step(self) -> Step | None:
        """Let one event happen, with all that is told while it does."""
        self.told = []
        event = self.loop.step()
        if event is None:
            return None
        cluster = None if event.cluster == SERVICE else event.cluster
        return Step(event.sequence, event.cycle, cluster, event.name, event.arguments, tuple(self.told))
