"""Patterns of requests: who asks to move where, so that a hazard is shown by parameters alone.

Source: nanvix-facts 9 A, H3 to H6 and H8.
"""

from enum import IntEnum


class Pattern(IntEnum):
    """Which requests are made; a number, so that it can be set like any other parameter."""

    ANY = 0
    """Any request, at any time."""
    CROSSING = 1
    """Two clusters, each to the other (H3)."""
    CHAIN = 2
    """Each cluster but the last to its successor (H4)."""
    RING = 3
    """Each cluster to its successor, the last to the first (H5)."""
    CONVERGING = 4
    """Each cluster but the last to the last (H6)."""
    TWICE = 5
    """One cluster to two others (H8)."""


def requests_of(pattern: Pattern, clusters: int) -> tuple[tuple[int, int], ...]:
    """The requests of a pattern, (source, destination) by number; none for ANY and where clusters are too few."""
    match pattern:
        case Pattern.CROSSING if clusters >= 2:
            return ((0, 1), (1, 0))
        case Pattern.CHAIN:
            return tuple((c, c + 1) for c in range(clusters - 1))
        case Pattern.RING if clusters >= 2:
            return tuple((c, (c + 1) % clusters) for c in range(clusters))
        case Pattern.CONVERGING:
            return tuple((c, clusters - 1) for c in range(clusters - 1))
        case Pattern.TWICE if clusters >= 3:
            return ((0, 1), (0, 2))
        case _:
            return ()
