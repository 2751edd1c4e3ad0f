"""What stands in the clusters' memories, section by section, kept up to date by their write journals.

A section is looked at again when something was written into its bytes, or when everything is asked for.
"""

from __future__ import annotations

from kmigrate.impl import Machine
from kmigrate.spec.vocabulary import DATA_STATES


class Standing:
    """Whose complete section stands where, and which clusters are frozen, by the bytes alone.

    whose   for each cluster and section the process, or None
    frozen  for each cluster
    """

    def __init__(self, machine: Machine) -> None:
        processes = machine.configuration.processes
        program = machine.program
        self._containers = machine.containers
        self._identify = program.identify
        self._processes = range(processes)
        self._sections = range(len(DATA_STATES))
        self._spans = [
            [
                (program.address(mstate), program.address(mstate) + program.size(process, mstate))
                for process in self._processes
            ]
            for mstate in DATA_STATES
        ]
        self._low = [min((low for low, _ in spans), default=0) for spans in self._spans]
        self._high = [max((high for _, high in spans), default=0) for spans in self._spans]
        self._freezing = machine.layout.freezing
        self.whose: list[list[int | None]] = [[None] * len(DATA_STATES) for _ in self._containers]
        self.frozen = [False] * len(self._containers)
        for container in self._containers:
            container.memory.journal = []
        self.refresh(True)

    def refresh(self, whole: bool) -> bool:
        """Follow the journals, or look at every byte. Returns whether anything may have changed."""
        changed = whole
        for cluster, container in enumerate(self._containers):
            journal = container.memory.journal
            if not (journal or whole):
                continue
            changed = True
            assert journal is not None, "someone took the journal of a memory that is being looked at"
            if whole:
                dirty = list(self._sections)
            else:
                dirty = [
                    section
                    for section in self._sections
                    if any(
                        address < self._high[section] and self._low[section] < address + size
                        for address, size in journal
                    )
                ]
            journal.clear()
            whose = self.whose[cluster]
            for section in dirty:
                whose[section] = self._identify(container, DATA_STATES[section], self._processes)
            self.frozen[cluster] = container.memory.word(self._freezing) != 0
        return changed
