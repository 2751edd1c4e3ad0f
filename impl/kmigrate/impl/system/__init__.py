"""The whole machine, to be booted, run and looked into."""

from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.parts import IO
from kmigrate.impl.system.process import Phase, Process
from kmigrate.impl.system.system import System

__all__ = ["IO", "Cluster", "Phase", "Process", "System", "Timing"]
