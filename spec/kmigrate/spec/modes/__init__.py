"""L2, modes: the five ways to move a process, page by page."""

from kmigrate.spec.modes.arcs import LEGAL_ARCS, Arc
from kmigrate.spec.modes.modes import Modes, PublishedModes
from kmigrate.spec.modes.needs import NEEDS
from kmigrate.spec.modes.pages import NUMBERS, Arrival, Channel, Page, Side, Upkeep

__all__ = [
    "LEGAL_ARCS",
    "NEEDS",
    "NUMBERS",
    "Arc",
    "Arrival",
    "Channel",
    "Modes",
    "Page",
    "PublishedModes",
    "Side",
    "Upkeep",
]
