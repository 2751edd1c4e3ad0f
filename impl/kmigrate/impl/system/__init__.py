"""The whole machine, to be booted, run and looked into."""

from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.parts import IO
from kmigrate.impl.system.process import Phase, Process

__all__ = ["IO", "Cluster", "Machine", "Phase", "Process", "Timing"]
