"""The table of checks: each model at named sizes, and which properties are known to fail there.

`quick` is what `kmigrate check --all` runs, `standard` takes minutes, `long` whatever the machine gives. `small` of
the machine is what campaigns cover edge by edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmigrate.spec.catalogue import find
from kmigrate.spec.language import Model

TABLES = ("quick", "standard", "long")
"""Which lines are run together: seconds, minutes, as long as it takes."""


@dataclass(frozen=True, slots=True)
class Size:
    """One line of the table: a model, a variant, a named size.

    name    tiny, small, standard, large, or what is special about the line
    fails   names of the properties that are violated; the run decides, this is what it is held against
    """

    model: str
    variant: str | None
    name: str
    parameters: Mapping[str, Any]
    table: str = "quick"
    fails: frozenset[str] = field(default_factory=frozenset)

    def instance(self) -> Model:
        """The model at this size."""
        return find(self.model, self.variant)(**self.parameters)


_PROTOCOL_FAILS = frozenset(
    {
        "no_process_lost",
        "every_process_returns",
        "one_live_copy",
        "image_stands_still",
        "freezes_end",
        "every_request_ends",
        "kernel_survives",
        "deadlock",
    }
)
_FREEZE_FAILS = frozenset(
    {
        "running_threads_are_on_a_core",
        "ready_threads_are_queued",
        "sleepers_are_awaited",
        "exactly_once",
        "the_master_hears_its_calls",
        "credits_match_boards",
        "cores_run_the_occupant",
        "every_move_ends",
        "freezes_end",
        "deadlock",
    }
)
_MODES_FAIL = frozenset(
    {
        "no_process_lost",
        "one_live_copy",
        "image_intact",
        "completed_means_complete",
        "every_request_ends",
        "moves_end",
        "deadlock",
    }
)
_TWO = {"clusters": 2, "processes": 1}
_THREE = {"clusters": 3, "processes": 2}
_LISTS = {"system": 1, "pages": 1, "frames": 1}
_EVERYTHING = {"outside": 1, "locking": 1}
_ONE_MOVE = {**_TWO, "attempts": 1, "threads": 2, "cores": 2, "frames": 1}

SIZES: tuple[Size, ...] = (
    Size("residence", None, "small", {"clusters": 3, "processes": 2}),
    # L1, published
    Size("protocol", "published", "tiny", {"clusters": 2, "processes": 2, "attempts": 2}, fails=_PROTOCOL_FAILS),
    # L1, hardened
    Size("protocol", "hardened", "small", {**_THREE, "attempts": 2}),
    Size("protocol", "hardened", "faults", {**_TWO, "attempts": 2, "losses": 1, "duplicates": 1, "crashes": 1}),
    Size("protocol", "hardened", "lasting", {**_TWO, "attempts": 2, "sections": 2, "lasting": 1, "crashes": 1}),
    Size(
        "protocol",
        "hardened",
        "standard",
        {**_THREE, "attempts": 2, "losses": 1, "duplicates": 1, "crashes": 1},
        "standard",
    ),
    Size("protocol", "hardened", "set-mode", {**_THREE, "attempts": 3, "lasting": 1, "crashes": 1}, "standard"),
    # L2
    Size("mstate", "published", "tiny", _LISTS, fails=frozenset({"no_system_page_written", "source_is_last"})),
    Size(
        "mstate",
        "published",
        "late",
        {**_LISTS, "late": 1},
        fails=frozenset(
            {
                "walks_agree",
                "image_intact",
                "no_system_page_written",
                "source_is_last",
                "each_side_can_end",
                "each_side_ends",
                "deadlock",
            }
        ),
    ),
    Size("mstate", "hardened", "tiny", _LISTS),
    Size("mstate", "hardened", "small", {}),
    Size("mstate", "hardened", "faults", {**_LISTS, "faults": 1}),
    Size("mstate", "hardened", "late", {"late": 2, "parts": 2, "boards": 1}, "standard"),
    Size("mstate", "hardened", "standard", {"late": 1, "faults": 1}, "standard"),
    Size("mstate", "hardened", "large", {"late": 2, "faults": 1}, "long"),
    Size("freeze", "published", "tiny", {"threads": 1, "cores": 1, "residents": 1}, fails=_FREEZE_FAILS),
    Size("freeze", "hardened", "small", _EVERYTHING),
    Size("freeze", "hardened", "strangers", {**_EVERYTHING, "strangers": 1}),
    Size("freeze", "hardened", "occupied", {**_EVERYTHING, "residents": 1}),
    Size("modes", "published", "small", {}, fails=_MODES_FAIL),
    Size("modes", "hardened", "small", {}),
    # L3
    Size("machine", None, "tiny", _ONE_MOVE),
    Size("machine", None, "faults", {**_ONE_MOVE, "frames": 2, "sections": 2, "losses": 1, "crashes": 1}),
    Size("machine", None, "small", {**_TWO, "attempts": 2, "threads": 2, "cores": 2, "frames": 0, "sections": 2}),
)
"""The table. Lines of one model and variant stand together, smallest first."""

NOT_EXPLORED: Mapping[str, str] = {}
"""Model → what its lines leave out, in words."""
