"""The catalogue of hazards: each known way in which a migration fails, and what stops it.

A hazard is shown by a common model at the smallest parameters: a property fails with the mechanism missing
and holds with it. Nothing in the models exists for one hazard alone; the checker decides. What no model can show is
listed with the reason.

Source: nanvix-facts section 9, whose numbers the ids up to H31 are; those that the checker found come after.
"""

from __future__ import annotations

from kmigrate.spec.hazard import Explained, Hazard
from kmigrate.spec.mechanisms import POST_COPY, PRE_COPY
from kmigrate.spec.protocol import Pattern
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism

_M = Mechanism
_TINY = {"threads": 1, "cores": 1}
_LISTS = {"system": 1, "pages": 1, "frames": 1}
_TWO = {"clusters": 2, "processes": 1, "attempts": 1}
_WORD = {"cores": 1, "kernel_pages": 1, "pages": 1, "values": 1}
_PAGE = {"pages": 1, "rounds": 1, "losses": 0, "stops": 0}
_ERASING = frozenset({Mechanism.ERASE_SOURCE})

HAZARDS: tuple[Hazard, ...] = (
    # -- coordination between clusters: L1 --------------------------------------------------------------------
    Hazard(
        "H1",
        "both ends run on after a move",
        "protocol",
        "one_live_copy",
        _M.ERASE_SOURCE,
        _TWO,
        shown_in="published",
        stopped_in="published",
        note="erasing at the sender's own finish stops the duplicate and opens H13: nothing is acknowledged",
    ),
    Hazard(
        "H2",
        "a busy destination loses its own process",
        "protocol",
        "no_process_lost",
        _M.ADMISSION,
        {**_TWO, "processes": 2},
        shown_in="published",
        wider={"clusters": 3},
    ),
    Hazard(
        "H3",
        "crossing requests freeze both clusters for ever",
        "protocol",
        "every_request_ends",
        _M.ADMISSION,
        {"clusters": 2, "processes": 2, "attempts": 2, "pattern": Pattern.CROSSING},
        shown_in="published",
        wider={"clusters": 3, "pattern": Pattern.ANY},
    ),
    Hazard(
        "H4",
        "the middle of a chain sends on, unfrozen, what has just arrived",
        "protocol",
        "image_stands_still",
        _M.ADMISSION,
        {"clusters": 3, "processes": 2, "attempts": 2, "pattern": Pattern.CHAIN},
        shown_in="published",
        note="a single request never does this: it takes the second, whose TO has grown stale",
    ),
    Hazard(
        "H5",
        "a ring freezes all its clusters for ever, though no two requests cross",
        "protocol",
        "every_request_ends",
        _M.ADMISSION,
        {"clusters": 3, "processes": 3, "attempts": 3, "pattern": Pattern.RING},
        shown_in="published",
        wider={"processes": 2},
    ),
    Hazard(
        "H6",
        "two senders to one destination: the second overwrites for good what the first has sent",
        "protocol",
        "every_process_returns",
        _M.RESERVATION,
        {"clusters": 3, "processes": 2, "attempts": 2, "pattern": Pattern.CONVERGING, "mechanisms": _ERASING},
        shown_in="published",
        wider={"mechanisms": HARDENED_MECHANISMS},
        note="shown with erasing sources, so that the duplicates of H1 do not hide the loss",
    ),
    Hazard(
        "H7",
        "a reset in the middle of a request stops its flow of tasks for ever",
        "protocol",
        "kernel_survives",
        _M.ADMISSION,
        {"clusters": 2, "processes": 2, "attempts": 2},
        shown_in="published",
        wider={"clusters": 3},
        note="hardened keeps one record per attempt and no global status that a reset could close",
    ),
    Hazard(
        "H8",
        "a second call splits a request: TO goes to a cluster that was never told",
        "protocol",
        "every_request_ends",
        _M.ONE_REQUEST,
        {"clusters": 3, "processes": 1, "attempts": 2, "pattern": Pattern.TWICE, "late_calls": 1},
        shown_in="published",
        stopped_in="published",
    ),
    Hazard(
        "H9",
        "a source waits for ever for a peer without a daemon",
        "protocol",
        "every_request_ends",
        _M.SOURCE_TIMEOUT,
        {**_TWO, "absent": 1},
        shown_in="published",
        wider={"clusters": 3},
    ),
    Hazard(
        "H10",
        "a malformed message ends one side, and nobody tells the other",
        "protocol",
        "kernel_survives",
        _M.AUTHORITY,
        {**_TWO, "third_parties": 1},
        shown_in="published",
        stopped_in="published",
    ),
    Hazard(
        "H11",
        "a forged TO ships a running process",
        "protocol",
        "image_stands_still",
        _M.FREEZE_SENDER,
        {**_TWO, "processes": 2, "third_parties": 1},
        shown_in="published",
        stopped_in="published",
    ),
    Hazard(
        "H12",
        "pieces without framing: once the walks disagree, everything lands one place too far",
        "mstate",
        "walks_agree",
        _M.FRAMING,
        {**_LISTS, "late": 1},
        shown_in="published",
        stopped_in="published",
    ),
    Hazard(
        "H13",
        "no commit point: the source discards before anyone has answered",
        "protocol",
        "no_process_lost",
        _M.DISCARD_AFTER_ANSWER,
        _TWO,
    ),
    # -- freezing and the snapshot: L2 ------------------------------------------------------------------------
    Hazard(
        "H14",
        "the dispatcher's kernel stack is overwritten while it runs on it",
        "mstate",
        "no_system_page_written",
        _M.OWNED_PAGES,
        _LISTS,
        shown_in="published",
        stopped_in="published",
    ),
    Hazard(
        "H15",
        "a core that is late is copied with its thread still running: the copy has no core",
        "freeze",
        "running_threads_are_on_a_core",
        _M.FREEZE_BARRIER,
        {"calling": 0},
    ),
    Hazard(
        "H16",
        "a thread is frozen with a lock of the runtime that the dispatcher needs",
        "freeze",
        "every_move_ends",
        _M.SAFE_POINTS,
        {"locking": 1, "calling": 0},
    ),
    Hazard(
        "H17",
        "a call in flight takes effect at both ends",
        "freeze",
        "exactly_once",
        _M.DRAIN_BOARDS,
        note="or stops the destination's dispatcher for want of a credit: the same mechanism missing in mstate",
    ),
    Hazard(
        "H18",
        "UArea and boards are two snapshots: a call that ends between them wakes nobody",
        "freeze",
        "sleepers_are_awaited",
        _M.DRAIN_BOARDS,
    ),
    Hazard(
        "H19",
        "allocation after the freeze changes the list that is being walked",
        "mstate",
        "image_intact",
        _M.MANIFEST,
        {**_LISTS, "late": 1},
        shown_in="published",
        stopped_in="published",
    ),
    Hazard(
        "H20",
        "the caller is moved with its own freeze call ahead of it, and freezes the destination",
        "freeze",
        "every_move_ends",
        _M.CALLER_WAITS,
        _TINY,
    ),
    Hazard(
        "H21",
        "the freezing flag travels in the image and thaws the destination in the middle",
        "freeze",
        "half_an_image_never_runs",
        _M.FLAG_IN_KERNEL,
        {**_TINY, "calling": 0, "strangers": 1},
        shown_in="published",
        stopped_in="published",
    ),
    Hazard(
        "H22",
        "the arriving READY queue overwrites one that holds the master",
        "freeze",
        "the_master_hears_its_calls",
        _M.ADMISSION,
        {**_TINY, "residents": 1},
    ),
    Hazard(
        "H23",
        "the arriving boards wipe a call whose credit stays: the dispatcher's own is answered early",
        "freeze",
        "credits_match_boards",
        _M.ADMISSION,
        {**_TINY, "residents": 1},
    ),
    # -- state that is not migrated ---------------------------------------------------------------------------
    Hazard(
        "H24",
        "a thread asleep in a queue of the kernel arrives asleep, and nobody will wake it",
        "freeze",
        "sleepers_are_awaited",
        _M.REFUSE_WAITERS,
        {"outside": 1, "calling": 0},
    ),
    Hazard(
        "H25",
        "a waiter of the former process is linked to a slot of the new one",
        "freeze",
        "waiters_are_the_occupants",
        _M.ADMISSION,
        {**_TINY, "residents": 1, "outside": 1},
    ),
    Hazard(
        "H26",
        "what is meant for a process that has moved does not reach it",
        "channels",
        "every_message_arrives",
        _M.VIRTUAL_NAMES,
        {"moves": 1},
        shown_in="published",
    ),
    Hazard(
        "H27",
        "a read in flight writes into the memory of the next resident",
        "portals",
        "memory_of_others_is_spared",
        _M.QUIESCE_FLOWS,
        {"moves": 2},
        shown_in="published",
        stopped_in="published",
    ),
    Hazard(
        "H28",
        "the runtime's own words stay behind",
        "memory",
        "image_intact",
        _M.RUNTIME_IN_CONTAINER,
        {**_WORD, "frames": 1, "processes": 1, "programs": 1, "layouts": 1},
        shown_in="published",
        stopped_in="published",
    ),
    Hazard(
        "H30",
        "a core executes lines of the program that stood there before",
        "memory",
        "instructions_are_current",
        _M.ICACHE_SHOOTDOWN,
        {**_WORD, "frames": 1, "layouts": 1},
        shown_in="published",
        stopped_in="published",
        note="with kernels laid out alike; otherwise raw addresses name other places, which same-layout stops",
    ),
    Hazard(
        "H31",
        "slave cores keep translations of an earlier stay",
        "memory",
        "translations_are_current",
        _M.TLB_SHOOTDOWN,
        {**_WORD, "processes": 1, "programs": 1, "layouts": 1},
        shown_in="published",
        stopped_in="published",
        note="data lines stay current: every context switch drops them",
    ),
    # -- beyond the list: found by the checker in what a hardened kernel might do ------------------------------
    Hazard(
        "H32",
        "a page of the image is given back after the freeze, and handed out again before it is sent",
        "mstate",
        "image_intact",
        _M.PINNED_PAGES,
        {**_LISTS, "late": 2},
        note="walking the copied list alone does not stop it: the list is right and the page is not",
    ),
    Hazard(
        "H33",
        "a late push overwrites what the destination has already written",
        "modes",
        "image_intact",
        _M.IGNORE_LATE_PUSH,
        {**_PAGE, "mode": POST_COPY},
    ),
    Hazard(
        "H34",
        "pre-copy follows a process that writes for ever",
        "modes",
        "moves_end",
        _M.ROUND_LIMIT,
        {**_PAGE, "mode": PRE_COPY},
    ),
    Hazard(
        "H35",
        "a process that has moved with a message under way overtakes itself",
        "channels",
        "received_once_and_in_order",
        _M.QUIESCE_FLOWS,
        {"moves": 1, "messages": 2},
    ),
)
"""Every hazard that a model shows, in the order of its number."""

EXPLAINED: tuple[Explained, ...] = (
    Explained(
        "H29",
        "a process that has remembered its node number is wrong after the move",
        "outside the model: what a program has stored in its own data is right until the program uses it as an "
        "address; a logical name, resolved at each use, is what a program should keep instead",
    ),
)
"""Those that no model of ours can show, and why."""


def hazard(identity: str) -> Hazard | Explained | None:
    """The hazard with an id, whatever the case of its letter; None if it is not in the catalogue."""
    everything: tuple[Hazard | Explained, ...] = (*HAZARDS, *EXPLAINED)
    return next((one for one in everything if one.id.lower() == identity.lower()), None)
