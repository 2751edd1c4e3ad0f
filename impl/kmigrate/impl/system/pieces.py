"""The key of one cluster in pieces, each remembered until something in it has changed.

Searches ask for a key after each event, and an event changes little. What is plain is compared with what it was
when its piece was taken; of tasks, of which there are hundreds, those are looked at that were touched since. A
piece never depends on what was remembered: pieces taken from nothing are the same, which a test asks after any run.

Source: ours; the variables are those of `statics`.
"""

from collections import deque
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import numpy as np

from kmigrate.impl.kernel.communicators import Table
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.task import Task
from kmigrate.impl.system.agent import Agent, AgentState
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.daemons import Daemon
from kmigrate.impl.system.statics import COUNTED, STATISTICS, Keeper, fields_of

KEY_BYTES = 16

BLOCK_WORDS = 64
"""Memory is hashed in blocks of so many words, each when something in it has changed."""

_PLAIN = frozenset((int, bool, str, bytes, type(None)))

_NEVER = object()
"""What no variable is."""


def _as_it_is(value: Any) -> Any:
    """What equals a value for as long as it is as it is now, and no longer; for what may change unseen, nothing."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return list(value) if _PLAIN.issuperset(map(type, value)) else [_as_it_is(one) for one in value]
    if kind is tuple:
        return tuple([_as_it_is(one) for one in value])
    if kind is dict:
        return {key: _as_it_is(one) for key, one in value.items()}
    if kind is deque:
        return deque(_as_it_is(one) for one in value)
    if kind is WaitList:
        made = WaitList(value._memory)
        made.copy(value)
        return made
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is not None and not parameters.frozen and kind is not Task:
        return object()
    return value


@cache
def _reader(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    """Reads what an end has but its statistics and who waits for it."""
    return attrgetter(*[name for name in fields_of(kind) if name not in (*STATISTICS, "waiting")])


def _digest(content: bytes | memoryview) -> bytes:
    return blake2b(content, digest_size=KEY_BYTES).digest()


def _piece(text: str) -> bytes:
    return _digest(text.encode())


class Pieces:
    """The pieces of one cluster's key.

    agent, daemon  of the same cluster; a kernel without the UArea has no daemon

    Of tasks and communicators those are looked at that were noted since; at first, all.
    """

    def __init__(self, cluster: Cluster, keeper: Keeper, agent: Agent, daemon: Daemon | None) -> None:
        self._cluster, self._keeper, self._agent, self._daemon = cluster, keeper, agent, daemon
        self._numbers: list[tuple[Any, str]] = []
        self._lists: list[list[Any] | deque[Any]] = []
        self._dicts: list[dict[Any, Any]] = []
        self._tables: list[tuple[Table[Any], dict[int, tuple[object, str]]]] = []
        for part, name in keeper.places:
            value = getattr(part, name)
            if isinstance(part, Table) and name == "_entries":
                self._tables.append((part, {}))
            elif name in COUNTED:
                continue
            elif isinstance(value, dict):
                self._dicts.append(value)
            elif isinstance(value, (list, deque, WaitList)):
                self._lists.append(value._addresses if isinstance(value, WaitList) else value)
            else:
                self._numbers.append((part, name))
        flows, self._graph = keeper.kernel.flows, keeper.graph
        assert flows is not None, "a kernel of a machine is on its network"
        self._progress = [flows.progress.transfers, flows.progress.done]
        self._variables: list[Any] = [_NEVER] * len([*self._numbers, *self._lists, *self._dicts, *self._progress])
        self._texts = [""] * len(self._variables)
        self._tasks: dict[int, tuple[object, str]] = {}
        self._ends_differ = False
        self._begun = False
        self._agent_was: AgentState | None = None
        self._agent_lists: list[Any] = []
        self._cores_were = b""
        self._daemon_was: object = _NEVER
        self._pending_was: object = _NEVER
        self._memory = np.frombuffer(cluster.memory.data, dtype=np.uint32)
        self._memory_was = ~self._memory
        self._blocks = [b""] * (len(self._memory) // BLOCK_WORDS + 1)
        pieces = ("variables", "ends", "tasks", "agent", "daemon", "pending", "cores", "memory")
        self._pieces = dict.fromkeys(pieces, _piece(""))

    def key(self) -> bytes:
        """The key of the cluster as it is now, in which what is dead is cleared already. Raises NoSnapshot."""
        self._keeper.check_tasks()
        self._take_variables()
        self._take_ends()
        self._take_tasks()
        self._take_agent()
        self._begun = True
        self._take_pending()
        cores = self._cluster.cores.timeless()
        if cores is not self._cores_were:
            self._cores_were = cores
            self._pieces["cores"] = _digest(cores)
        self._take_memory()
        return _digest(b"".join(self._pieces.values()))

    def _take_memory(self) -> None:
        """The memory in blocks."""
        now, was, blocks = self._memory, self._memory_was, self._blocks
        changed = np.flatnonzero(now != was)
        if len(changed):
            for block in dict.fromkeys((changed // BLOCK_WORDS).tolist()):
                blocks[block] = _digest(now[block * BLOCK_WORDS : (block + 1) * BLOCK_WORDS].data)
            was[changed] = now[changed]
            self._pieces["memory"] = _digest(b"".join(blocks))

    def _take_variables(self) -> None:
        """What the kernel keeps in variables, and its flows: queues and tables in their order."""
        now: list[Any] = [getattr(part, name) for part, name in self._numbers]
        now += self._lists
        now += [list(one.items()) for one in self._dicts]
        now += self._progress
        if now == self._variables:
            return
        keep, texts = self._keeper.keep, self._texts
        sparse = len(now) - len(self._progress)
        for i, (value, was) in enumerate(zip(now, self._variables, strict=True)):
            if value != was:
                if i >= sparse:
                    texts[i] = repr([(n, one) for n, one in enumerate(value) if one])
                elif type(value) is list and _PLAIN.issuperset(map(type, value)):
                    texts[i] = repr(value)
                else:
                    texts[i] = repr(keep(value))
                self._variables[i] = _as_it_is(value)
        self._pieces["variables"] = _piece("".join(texts))

    def _take_ends(self) -> None:
        """The communicators without their statistics."""
        for table, ends in self._tables:
            for identity in table.unsaid if self._begun else range(len(table._entries)):
                end, was = table._entries[identity], ends.get(identity)
                if end is None:
                    self._ends_differ |= ends.pop(identity, None) is not None
                    continue
                found = _reader(end.__class__)(end), tuple(end.waiting._addresses)
                if was is None or was[0] != found:
                    self._ends_differ = True
                    ends[identity] = found, repr(self._keeper.communicator(end))
            table.unsaid.clear()
        if self._ends_differ:
            texts = [ends[identity][1] for _, ends in self._tables for identity in sorted(ends)]
            self._pieces["ends"] = _piece("".join(texts))
            self._ends_differ = False

    def _take_tasks(self) -> None:
        """The tasks that are not as after the boot."""
        touched = self._graph.unsaid if self._begun else self._graph.touched
        if not touched:
            return
        tasks, changed = self._tasks, False
        for identity in touched:
            found = self._keeper.timeless(identity)
            was = tasks.get(identity)
            if found is None:
                changed |= tasks.pop(identity, None) is not None
            elif was is None or was[0] != found:
                tasks[identity] = found, repr((identity, found))
                changed = True
        self._graph.unsaid.clear()
        if changed:
            self._pieces["tasks"] = _piece("".join([tasks[identity][1] for identity in sorted(tasks)]))

    def _take_agent(self) -> None:
        """What the agent knows, and who waits for it."""
        state, was = self._agent.state, self._agent_was
        now: list[Any] = [self._agent.waiting._addresses, list(state.asked.items()), list(state.answers.items())]
        if state != was or now != self._agent_lists:
            keep = self._keeper.keep
            self._pieces["agent"] = _piece(repr((keep(state), keep(self._agent.waiting))))
            self._agent_was, self._agent_lists = state.copy(), _as_it_is(now)

    def _take_pending(self) -> None:
        """What the daemon says, and what is pending."""
        cluster = self._cluster
        daemon = () if self._daemon is None else self._daemon.said()
        pending = [[step for step, _ in armed] for armed in cluster.armed], cluster.timer is None, cluster.runtime
        if daemon != self._daemon_was:
            self._pieces["daemon"] = _piece(repr(daemon))
            self._daemon_was = daemon
        if pending != self._pending_was:
            self._pieces["pending"] = _piece(repr(pending))
            self._pending_was = pending
