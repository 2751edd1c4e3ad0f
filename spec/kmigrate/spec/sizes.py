"""The table of checks: each model at named sizes, and which properties are known to fail there.

`quick` is what `kmigrate check --all` runs, `standard` takes minutes, `long` whatever the machine gives. `small` of
the machine is the small scope of campaigns, which they cover edge by edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmigrate.spec.catalogue import find
from kmigrate.spec.language import Model
from kmigrate.spec.protocol import Pattern

TABLES = ("quick", "standard", "long")
"""Which lines are run together: seconds, minutes, as long as it takes. Each has the lines of those before it."""


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
_WORD = {"cores": 1, "kernel_pages": 1, "pages": 1, "values": 1}
_TWO = {"clusters": 2, "processes": 1}
_THREE = {"clusters": 3, "processes": 2}
_MEMORY_FAILS = frozenset(
    {
        "image_intact",
        "pages_intact",
        "mappings_reach_own_places",
        "nothing_left_behind",
        "loads_give_own_words",
        "translations_are_current",
        "instructions_are_current",
    }
)
_CHANNELS_FAIL = frozenset({"no_message_lost", "every_message_arrives", "no_credit_lost", "deadlock"})
_LISTS = {"system": 1, "pages": 1, "frames": 1}
_EVERYTHING = {"outside": 1, "locking": 1}
_COVERED = {**_TWO, "attempts": 2, "threads": 2, "cores": 2, "frames": 0, "sections": 2}
_UNRELIABLE = {"lasting": 1, "calling": 1}
_TOURED = {**_COVERED, "attempts": 1, "lasting": 1, "calling": 0}
_ONE_MOVE = {**_TWO, "attempts": 1, "threads": 2, "cores": 2, "frames": 1}

SIZES: tuple[Size, ...] = (
    Size("residence", None, "small", {"clusters": 3, "processes": 2}),
    # L1, published
    Size("protocol", "published", "tiny", {"clusters": 2, "processes": 2, "attempts": 2}, fails=_PROTOCOL_FAILS),
    Size(
        "protocol",
        "published",
        "forged",
        {"clusters": 2, "processes": 1, "attempts": 1, "third_parties": 1},
        fails=_PROTOCOL_FAILS,
    ),
    Size(
        "protocol",
        "published",
        "ring-of-3",
        {"clusters": 3, "processes": 3, "attempts": 3, "pattern": Pattern.RING},
        fails=_PROTOCOL_FAILS,
    ),
    Size("protocol", "published", "standard", {**_THREE, "attempts": 3}, "standard", fails=_PROTOCOL_FAILS),
    Size(
        "protocol",
        "published",
        "ring-of-4",
        {"clusters": 4, "processes": 4, "attempts": 4, "pattern": Pattern.RING},
        "standard",
        fails=_PROTOCOL_FAILS,
    ),
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
    Size(
        "protocol",
        "hardened",
        "third-party",
        {**_THREE, "attempts": 2, "third_parties": 2, "losses": 1},
        "standard",
    ),
    Size("protocol", "hardened", "sections", {**_THREE, "attempts": 2, "sections": 3, "losses": 1}, "standard"),
    Size(
        "protocol",
        "hardened",
        "absent",
        {**_THREE, "clusters": 4, "attempts": 2, "absent": 1, "losses": 1},
        "standard",
    ),
    Size(
        "protocol",
        "hardened",
        "ring-of-4",
        {"clusters": 4, "processes": 3, "attempts": 4, "pattern": Pattern.RING},
        "standard",
    ),
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
    Size("mstate", "hardened", "large", {"late": 2, "faults": 1}, "standard"),
    Size(
        "order",
        "published",
        "tiny",
        _LISTS,
        fails=frozenset({"walks_agree", "no_system_page_written", "deadlock"}),
    ),
    Size("order", "hardened", "tiny", {**_LISTS, "late": 1}),
    Size("freeze", "published", "tiny", {"threads": 1, "cores": 1, "residents": 1}, fails=_FREEZE_FAILS),
    Size("freeze", "hardened", "small", _EVERYTHING),
    Size("freeze", "hardened", "strangers", {**_EVERYTHING, "strangers": 1}),
    Size("freeze", "hardened", "occupied", {**_EVERYTHING, "residents": 1}),
    Size(
        "freeze",
        "published",
        "faithful",
        {"prompt": 1, "drains": 1, "residents": 2, "spinning": 1},
        "standard",
        fails=frozenset({"every_move_ends", "freezes_end", "deadlock"}),
    ),
    Size(
        "freeze",
        "published",
        "standard",
        {**_EVERYTHING, "residents": 1},
        "standard",
        fails=_FREEZE_FAILS | {"locks_have_holders", "waiters_are_the_occupants"},
    ),
    Size("freeze", "hardened", "standard", {**_EVERYTHING, "threads": 4, "cores": 3}, "standard"),
    Size(
        "freeze", "hardened", "strangers-3", {**_EVERYTHING, "threads": 3, "cores": 3, "strangers": 1}, "standard"
    ),
    Size("freeze", "hardened", "occupied-2", {**_EVERYTHING, "residents": 2}, "standard"),
    Size("memory", "published", "tiny", _WORD, fails=_MEMORY_FAILS),
    Size("memory", "hardened", "tiny", _WORD),
    Size("memory", "hardened", "cores", {**_WORD, "cores": 2}),
    Size("memory", "published", "standard", {**_WORD, "cores": 2, "values": 2}, "standard", fails=_MEMORY_FAILS),
    Size("memory", "hardened", "standard", {}, "standard"),
    Size("channels", "published", "still", {"moves": 0}),
    Size("channels", "published", "small", {"moves": 1}, fails=_CHANNELS_FAIL),
    Size("channels", "hardened", "small", {}),
    Size("channels", "hardened", "moves", {"moves": 4, "messages": 3}, "standard"),
    Size(
        "channels",
        "hardened",
        "nodes",
        {"nodes": 4, "processes": 3, "ports": 3, "moves": 3, "messages": 1},
        "standard",
    ),
    Size("portals", "published", "small", {"moves": 2}, fails=_CHANNELS_FAIL | {"memory_of_others_is_spared"}),
    Size("portals", "hardened", "small", {}),
    Size("portals", "hardened", "nodes", {"nodes": 4, "processes": 3, "ports": 3, "moves": 3}, "standard"),
    Size(
        "syncs",
        "published",
        "small",
        {"moves": 1},
        fails=frozenset({"no_signal_lost", "every_barrier_opens", "deadlock"}),
    ),
    Size("syncs", "hardened", "small", {}),
    Size("syncs", "hardened", "moves", {"moves": 3}, "standard"),
    Size("modes", "published", "small", {}, fails=_MODES_FAIL),
    Size("modes", "hardened", "small", {}),
    Size("modes", "published", "standard", {"pages": 3}, "standard", fails=_MODES_FAIL),
    Size("modes", "hardened", "standard", {"pages": 3}, "standard"),
    Size("modes", "hardened", "versions", {"versions": 3}, "standard"),
    Size("modes", "hardened", "stops", {"losses": 2, "stops": 2}, "standard"),
    # L3
    Size("machine", None, "tiny", _ONE_MOVE),
    Size("machine", None, "faults", {**_ONE_MOVE, "frames": 2, "sections": 2, "losses": 1, "crashes": 1}),
    Size("machine", None, "small", _TOURED),
    Size("machine", None, "return", {**_COVERED, **_UNRELIABLE}),
    Size("machine", None, "calls", _COVERED, "standard"),
    Size("machine", None, "lively", {**_ONE_MOVE, "lively": 1, "scarce": 1, "lasting": 1}, "standard"),
    Size("machine", None, "standard", {**_COVERED, **_UNRELIABLE, "clusters": 3}, "standard"),
    Size("machine", None, "faults-2", {**_COVERED, **_UNRELIABLE, "frames": 1, "crashes": 1}, "standard"),
    Size(
        "machine",
        None,
        "crowd",
        {**_THREE, **_UNRELIABLE, "attempts": 2, "threads": 1, "cores": 1, "frames": 0},
        "standard",
    ),
    Size(
        "machine",
        None,
        "large",
        {**_ONE_MOVE, "attempts": 2, "sections": 2, "losses": 1, "duplicates": 1, "crashes": 1},
        "long",
    ),
)
"""The table. Lines of one model and variant stand together, smallest first."""


def lines_of(table: str) -> tuple[Size, ...]:
    """The lines of a table and of those before it, lines of one model and variant together."""
    within = TABLES[: TABLES.index(table) + 1]
    return tuple(size for size in SIZES if size.table in within)


NOT_EXPLORED: Mapping[str, str] = {
    "protocol": "more than 4 clusters, 3 processes or 4 requests; more than one section together with every kind "
    "of fault; more than one loss, duplicate and crash together; a name service that stops; clusters that lie.",
    "mstate": "more than 2 kernel pages, 2 frames and 2 pieces of the sections; more than one fault; "
    "the bytes themselves, which are right or wrong as a whole.",
    "order": "more than 2 pages and 2 frames.",
    "freeze": "more than one move; more than 4 threads; a second process at the destination that holds locks.",
    "memory": "more than 2 slave cores, 2 frames, 2 pages and 2 programs; the write buffer; huge pages.",
    "channels": "more than 4 nodes, 3 ports and 4 moves; several readers of one port; kernel buffers that run out.",
    "portals": "more than 4 nodes, 3 ports and 3 moves; one input port permitted for two writers in turn.",
    "syncs": "more than 3 moves; an upper model to refine.",
    "modes": "more than 3 pages, 3 versions and 2 rounds; throttling; several threads.",
    "machine": "more than 2 moves; more than 2 threads of a process with more than 2 cores; faults on 3 clusters.",
}
"""Model → what its lines leave out, in words."""
