"""The reference implementation: a chip, a kernel on each of its clusters, daemons, services and programs.

from kmigrate.impl import MPPA256, Machine
system = Machine(MPPA256)
"""

from kmigrate.impl.chip.geometry import GEOMETRIES, MPPA256, TINY, Geometry
from kmigrate.impl.errors import ImplError
from kmigrate.impl.simulation.choice import ChoiceList, Ordinary
from kmigrate.impl.system.machine import Machine

__all__ = ["GEOMETRIES", "MPPA256", "TINY", "ChoiceList", "Geometry", "ImplError", "Machine", "Ordinary"]
