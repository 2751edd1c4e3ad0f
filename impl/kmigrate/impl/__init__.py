"""The reference implementation: clusters, network, daemons and processes as bytes, on one event loop."""

from kmigrate.impl.chip.geometry import GEOMETRIES, MPPA256, TINY, Geometry
from kmigrate.impl.configuration import Configuration
from kmigrate.impl.errors import ImplError
from kmigrate.impl.inspection import Inspection
from kmigrate.impl.machine import Machine
from kmigrate.impl.migration.defects import Defect
from kmigrate.impl.scenario import crossing, ring
from kmigrate.impl.simulation.choice import ChoiceList, Ordinary
from kmigrate.impl.workload import Cancel, Crash, Meddle, Request, Work

__all__ = [
    "GEOMETRIES",
    "MPPA256",
    "TINY",
    "Cancel",
    "ChoiceList",
    "Configuration",
    "Crash",
    "Defect",
    "Geometry",
    "ImplError",
    "Inspection",
    "Machine",
    "Meddle",
    "Ordinary",
    "Request",
    "Work",
    "crossing",
    "ring",
]
