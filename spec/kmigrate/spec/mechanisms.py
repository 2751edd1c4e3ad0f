"""Why each mechanism is there: at each level, the smallest model in which its absence breaks something.

What it breaks, and in how many steps, is for the checker to find; here stand only the sizes at which to look.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmigrate.spec import vocabulary
from kmigrate.spec.catalogue import find
from kmigrate.spec.language import Model
from kmigrate.spec.language.variable import Switches
from kmigrate.spec.modes import NUMBERS
from kmigrate.spec.vocabulary import Mechanism, Mode


@dataclass(frozen=True, slots=True)
class Removal:
    """One mechanism of one model, to be switched off alone where its absence shows.

    explained   why nothing breaks without it; empty where something does
    """

    level: str
    mechanism: Mechanism
    parameters: Mapping[str, Any] = field(default_factory=dict)
    explained: str = ""

    def without(self) -> Model:
        """The hardened model without the mechanism."""
        kind = find(self.level)
        return kind(mechanisms=all_mechanisms(kind) - {self.mechanism}, **self.parameters)

    def whole(self) -> Model:
        """The hardened model at the same size with all its mechanisms."""
        return find(self.level)(**self.parameters)


def all_mechanisms(kind: type[Model]) -> frozenset[Mechanism]:
    """The mechanisms that a model has unless some are switched off; none where it has none to switch."""
    return next((p.default for p in kind.declared_parameters.values() if isinstance(p, Switches)), frozenset())


def meanings() -> dict[Mechanism, str]:
    """Mechanism → what it does, as the vocabulary says it."""
    tree = ast.parse(inspect.getsource(vocabulary))
    kind = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == Mechanism.__name__)
    found: dict[Mechanism, str] = {}
    for member, text in zip(kind.body, kind.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            name = member.targets[0]
            assert isinstance(name, ast.Name)
            found[Mechanism[name.id]] = str(text.value.value).strip()
    return found


_M = Mechanism
_ALONE = {"clusters": 2, "processes": 1, "attempts": 2}
_LISTS = {"system": 1, "pages": 1, "frames": 1}
_TINY = {"threads": 1, "cores": 1}
_WORD = {"cores": 1, "kernel_pages": 1, "pages": 1, "values": 1}
_PAGE = {"pages": 1, "rounds": 1, "losses": 0, "stops": 0}
_ONE_MOVE = {"clusters": 2, "processes": 1, "attempts": 1, "threads": 2, "cores": 2, "frames": 1}
STOP_AND_COPY, PRE_COPY, POST_COPY, HYBRID = (
    NUMBERS[mode] for mode in (Mode.STOP_AND_COPY, Mode.PRE_COPY, Mode.POST_COPY, Mode.HYBRID)
)

REMOVALS: tuple[Removal, ...] = (
    Removal("protocol", _M.ADMISSION, {"clusters": 2, "processes": 2, "attempts": 2}),
    Removal("protocol", _M.RESERVATION, {"clusters": 3, "processes": 2, "attempts": 2}),
    Removal("protocol", _M.STALE_REFUSAL, {"clusters": 3, "processes": 1, "attempts": 2, "lasting": 1}),
    Removal("protocol", _M.SOURCE_WAITS, _ALONE),
    Removal("protocol", _M.DESTINATION_WAITS, _ALONE),
    Removal("protocol", _M.DISCARD_AFTER_ANSWER, _ALONE),
    Removal("protocol", _M.RUN_AFTER_ANSWER, _ALONE),
    Removal("protocol", _M.FENCING, _ALONE),
    Removal("protocol", _M.EPOCH_CHECK, _ALONE),
    Removal("protocol", _M.COMMIT_MEMORY, {"clusters": 2, "processes": 1, "attempts": 1, "duplicates": 1}),
    Removal("protocol", _M.LEFT_MEANS_COMMITTED, {"clusters": 3, "processes": 1, "attempts": 2, "lasting": 1}),
    Removal("protocol", _M.NACK_GATE, {"clusters": 2, "processes": 1, "attempts": 1, "duplicates": 1}),
    Removal("protocol", _M.SILENCE, {"clusters": 2, "processes": 1, "attempts": 1, "duplicates": 1}),
    Removal("protocol", _M.SOURCE_TIMEOUT, {**_ALONE, "losses": 1}),
    Removal("protocol", _M.SOURCE_QUESTION, {**_ALONE, "losses": 1}),
    Removal("protocol", _M.DESTINATION_TIMEOUT, _ALONE),
    Removal("protocol", _M.DESTINATION_QUESTION, {**_ALONE, "losses": 1}),
    Removal("protocol", _M.ONE_REQUEST, _ALONE),
    Removal("protocol", _M.AUTHORITY, {"clusters": 3, "processes": 2, "attempts": 1, "third_parties": 1}),
    Removal("mstate", _M.MANIFEST, {**_LISTS, "late": 1}),
    Removal("mstate", _M.PINNED_PAGES, {**_LISTS, "late": 2}),
    Removal("mstate", _M.FRAMING, {**_LISTS, "faults": 1}),
    Removal("mstate", _M.CHECKSUM, {**_LISTS, "faults": 1}),
    Removal("mstate", _M.OWNED_PAGES, _LISTS),
    Removal("mstate", _M.INSTALL_ANSWER, _LISTS),
    Removal("mstate", _M.SOURCE_TIMEOUT, _LISTS),
    Removal("mstate", _M.DESTINATION_TIMEOUT, _LISTS),
    Removal("mstate", _M.DRAIN_BOARDS, {**_LISTS, "boards": 1}),
    Removal("freeze", _M.ADMISSION, {**_TINY, "residents": 1, "outside": 1}),
    Removal("freeze", _M.FREEZE_SENDER, {**_TINY, "calling": 0, "strangers": 1}),
    Removal("freeze", _M.FREEZE_BARRIER),
    Removal("freeze", _M.DRAIN_BOARDS),
    Removal("freeze", _M.SAFE_POINTS, {"locking": 1, "calling": 0}),
    Removal("freeze", _M.REFUSE_WAITERS, {"outside": 1, "calling": 0}),
    Removal("freeze", _M.CALLER_WAITS, _TINY),
    Removal(
        "freeze",
        _M.FLAG_IN_KERNEL,
        {"outside": 1, "locking": 1, "strangers": 1},
        explained="where every sender is frozen its flag is the destination's; needed by the published one (H21)",
    ),
    Removal("memory", _M.TLB_SHOOTDOWN, _WORD),
    Removal("memory", _M.ICACHE_SHOOTDOWN, _WORD),
    Removal("memory", _M.SCRUBBING, {**_WORD, "processes": 1, "programs": 1, "layouts": 1}),
    Removal("memory", _M.RUNTIME_IN_CONTAINER, _WORD),
    Removal("memory", _M.SAME_LAYOUT, _WORD),
    Removal("channels", _M.VIRTUAL_NAMES, {"moves": 1}),
    Removal("channels", _M.QUIESCE_FLOWS, {"moves": 1, "messages": 2}),
    Removal("portals", _M.VIRTUAL_NAMES, {"moves": 1}),
    Removal("portals", _M.QUIESCE_FLOWS, {"moves": 1}),
    Removal("syncs", _M.VIRTUAL_NAMES, {"moves": 1}),
    Removal("modes", _M.ERASE_SOURCE, {**_PAGE, "mode": STOP_AND_COPY}),
    Removal("modes", _M.WRITE_PROTECT, {**_PAGE, "mode": PRE_COPY}),
    Removal("modes", _M.RECOPY_DIRTY, {**_PAGE, "mode": PRE_COPY}),
    Removal("modes", _M.ROUND_LIMIT, {**_PAGE, "mode": PRE_COPY}),
    Removal("modes", _M.DISCARD_STALE, {**_PAGE, "mode": HYBRID}),
    Removal("modes", _M.FAULT_ON_MISSING, {**_PAGE, "mode": POST_COPY}),
    Removal("modes", _M.IGNORE_LATE_PUSH, {**_PAGE, "mode": POST_COPY}),
    Removal("modes", _M.KEEP_UNTIL_ARRIVED, {**_PAGE, "mode": POST_COPY, "losses": 1}),
    Removal("modes", _M.VERIFY_BEFORE_SWITCH, {**_PAGE, "mode": STOP_AND_COPY}),
    Removal("modes", _M.RESEND, {**_PAGE, "mode": STOP_AND_COPY, "losses": 1}),
    Removal("modes", _M.GIVE_UP, {**_PAGE, "mode": STOP_AND_COPY, "stops": 1}),
    Removal("modes", _M.NO_RETURN, {**_PAGE, "mode": POST_COPY}),
    Removal("modes", _M.BACKGROUND_PUSH, {**_PAGE, "mode": POST_COPY, "pages": 2}),
    Removal("machine", _M.FREEZE_BARRIER, _ONE_MOVE),
    Removal("machine", _M.DRAIN_BOARDS, _ONE_MOVE),
)
"""Every mechanism of every level. Those of the protocol that the machine has as well stand with the protocol."""
