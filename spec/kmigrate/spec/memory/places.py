"""The places of a cluster's memory and the words of a process: what the kernel knows of them.

A word stands for a page: user pages, which stand in frames and are reached through the TLB; thread stacks, which
stand in kernel pages; and the runtime's words, which stand in the kernel's own data. The text is one word that is
only fetched.

Source: thesis 4.4; nanvix-facts 1, 3.5, 6, 7.6. Deviations: spec/README.md.
"""

from enum import Enum

from kmigrate.spec.language import Map, Model, Range, array, one_of, parameter, switches, variable
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.protocol.clusters import Process, ProcessId
from kmigrate.spec.vocabulary import MEMORY_MECHANISMS, Mechanism

NOWHERE = -1
"""No place: a word that is not installed, a translation that a TLB does not hold."""

NO_TEXT = 0
"""No program's text; programs are numbered from 1."""


class Life(Enum):
    """Where the cluster is in the life of an occupant."""

    VACANT = "vacant"
    COMING = "coming"
    """The process is announced; until it is accepted it runs where it was."""
    INSTALLING = "installing"
    SETTLING = "settling"
    """Everything is installed; no user thread runs yet."""
    RUNNING = "running"
    FREEZING = "freezing"
    SENDING = "sending"
    CLEARING = "clearing"


Place = Range(0, "last_place")
"""Frames first, then kernel pages, last the kernel's own data."""
Word = Range(0, "last_word")
"""User pages first, then stacks, last the runtime's."""
Page = Range(0, "last_page")
Value = Range(0, "last_value")


class Places(Model):
    """What stands where in the memory of a cluster, and in which part of an occupant's life."""

    mechanisms: frozenset[Mechanism] = switches(MEMORY_MECHANISMS, "mechanisms of the memory of a cluster")

    processes: int = parameter(2, "processes that may live here, one after the other", low=1, high=4)
    cores: int = parameter(2, "slave cores, each with a user thread", low=1, high=4)
    frames: int = parameter(2, "frames for user pages", low=1, high=4)
    kernel_pages: int = parameter(2, "kernel pages for stacks", low=1, high=4)
    pages: int = parameter(2, "user pages of a process", low=1, high=4)
    stacks: int = parameter(1, "thread stacks of a process", low=1, high=4)
    values: int = parameter(2, "values that a word can have", low=1, high=4)
    programs: int = parameter(2, "different programs: processes share them in turn", low=1, high=4)
    layouts: int = parameter(2, "different layouts of the kernels from which processes come", low=1, high=2)

    def check_parameters(self) -> None:
        """Every word of a process has room."""
        for few, many in (("frames", "pages"), ("kernel_pages", "stacks")):
            if self.parameters[few] < self.parameters[many]:
                need = self.parameters[many]
                raise BadParameter(type(self).__name__, few, f"must not be less than {many} ({need})")

    @property
    def last_place(self) -> int:
        """The number of the kernel's own data, after all frames and kernel pages."""
        return self.frames + self.kernel_pages

    @property
    def last_word(self) -> int:
        """The number of the runtime's word, after all pages and stacks."""
        return self.pages + self.stacks

    @property
    def words(self) -> int:
        """How many words a process has; as the number of a word: its text."""
        return self.last_word + 1

    @property
    def last_page(self) -> int:
        """The highest user page."""
        return self.pages - 1

    @property
    def last_value(self) -> int:
        """The highest value of a word."""
        return self.values - 1

    @property
    def highest_result(self) -> int:
        """The highest value that an access may have."""
        return max(self.last_value, self.programs)

    @property
    def steps(self) -> int:
        """The length of the longest walk: the text and all words, or all places."""
        return max(self.words, self.last_place) + 1

    life: Life = variable("where the cluster is in the life of an occupant", of=Life, init=Life.VACANT)
    occupant: ProcessId = variable(
        "the process that is coming, here, or leaving", of=Process.or_null, init=Process.null
    )
    foreign: bool = variable("it comes from a kernel that is laid out otherwise", of=bool, init=False)
    image: Map[int, int] = array("the words of its image on the way here, and away", Word, of=Value, init=0)
    walked: int = variable(
        "how far the walk of installing, sending or clearing has come", of=Range(0, "steps"), init=0
    )
    program: Map[ProcessId, int] = array(
        "the program of a process; never changes",
        Process,
        of=Range(1, "programs"),
        init=lambda model, p: p.index % model.programs + 1,
    )

    owner: Map[int, ProcessId] = array(
        "whose place it is in the kernel's accounts", Place, of=Process.or_null, init=Process.null
    )
    data_of: Map[int, ProcessId] = array(
        "whose word stands at a place; none: a clean one", Place, of=Process.or_null, init=Process.null
    )
    data: Map[int, int] = array("the word itself", Place, of=Value, init=0)
    text: int = variable("the program whose text stands in memory", of=Range(NO_TEXT, "programs"), init=NO_TEXT)
    table: Map[int, int] = array(
        "directory and tables, and the UArea's stack pointers: where a word is",
        Word,
        of=Range(NOWHERE, "last_place"),
        init=NOWHERE,
    )

    def has(self, mechanism: Mechanism) -> bool:
        """Whether a mechanism is switched on."""
        return mechanism in self.mechanisms

    def is_page(self, word: int) -> bool:
        """Whether a word is a user page, which is reached through the TLB."""
        return word < self.pages

    def fits(self, word: int, place: int) -> bool:
        """Whether a place is of the kind that a word needs."""
        if self.is_page(word):
            return place < self.frames
        if word < self.last_word:
            return self.frames <= place < self.last_place
        return place == self.last_place

    def standing(self) -> bool:
        """Whether a whole process stands here."""
        return one_of(self.life, Life.SETTLING, Life.RUNNING, Life.FREEZING, Life.SENDING)
