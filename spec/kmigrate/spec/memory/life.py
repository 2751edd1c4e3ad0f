"""The life of an occupant: it is announced, installed word by word, thawed; frozen, sent, cleared away.

Installing writes memory alone; what cores hold of an earlier occupant is dropped only where an action says so.

Source: thesis 4.5.1.2 (tasks 4 and 13); nanvix-facts 7.6, 7.7, 9 C and D. Deviations: spec/README.md.
"""

from kmigrate.spec.language import action, exists, forall, require
from kmigrate.spec.memory.cores import Cores, Slave, SlaveId
from kmigrate.spec.memory.places import NO_TEXT, NOWHERE, Life, Page, Place, Value, Word
from kmigrate.spec.protocol.clusters import Process, ProcessId
from kmigrate.spec.vocabulary import Mechanism


class Lives(Cores):
    """How processes come and go, one after the other."""

    @action(process=Process, foreign=bool)
    def announce(self, process: ProcessId, foreign: bool) -> None:
        """A process that lives elsewhere wants to come."""
        require(self.life == Life.VACANT)
        require(self.layouts == 2 or not foreign)
        self.life = Life.COMING
        self.occupant = process
        self.foreign = foreign

    @action(word=Word, value=Value)
    def write_elsewhere(self, word: int, value: int) -> None:
        """It still runs where it is."""
        require(self.life == Life.COMING)
        self.image[word] = value
        self.show(word, self.occupant, value)

    @action
    def refuse(self) -> None:
        """Its kernel is laid out otherwise: addresses in its image would mean something else here."""
        require(self.has(Mechanism.SAME_LAYOUT))
        require(self.life == Life.COMING and self.foreign)
        self.leave_vacant()

    @action
    def accept(self) -> None:
        """From here on its image is fixed. Whoever was here before has no claim any more."""
        require(self.life == Life.COMING)
        require(not (self.has(Mechanism.SAME_LAYOUT) and self.foreign))
        self.life = Life.INSTALLING
        for place in range(self.last_place + 1):
            self.owner[place] = Process.null
        for word in range(self.words):
            self.table[word] = NOWHERE
        self.show_nothing()

    @action
    def install_text(self) -> None:
        """The sections are overwritten first (MSTATE SECTIONS)."""
        require(self.life == Life.INSTALLING and self.walked == 0)
        self.text = self.program[self.occupant]
        self.walked = 1

    @action(word=Word, place=Place)
    def install(self, word: int, place: int) -> None:
        """Copy a word of the image to a place and enter its address. Caches of other cores do not notice.

        Which place is the image's own number (published) or one that is reserved here (hardened): any that is not
        taken. The addresses are those of the kernel that the image comes from.
        """
        require(self.life == Life.INSTALLING and self.walked == word + 1)
        require(self.fits(word, place))
        require(self.owner[place] != self.occupant)
        require(word < self.last_word or self.has(Mechanism.RUNTIME_IN_CONTAINER))
        self.owner[place] = self.occupant
        self.data_of[place] = self.occupant
        self.data[place] = self.image[word]
        if word < self.last_word and self.foreign:
            self.table[word] = (place + 1) % (self.last_place + 1)
        else:
            self.table[word] = place
        self.walked = self.walked + 1

    @action
    def settle(self) -> None:
        """All that the image holds is installed; the runtime's words are wherever the kernel has them."""
        require(self.life == Life.INSTALLING)
        if self.has(Mechanism.RUNTIME_IN_CONTAINER):
            require(self.walked == self.words + 1)
        else:
            require(self.walked == self.words)
        self.life = Life.SETTLING
        self.walked = 0
        self.foreign = False
        self.table[self.last_word] = self.last_place

    @action(core=Slave, page=Page)
    def drop_translation(self, core: SlaveId, page: int) -> None:
        """tlb_shootdown: one page, at one core after the other."""
        require(self.has(Mechanism.TLB_SHOOTDOWN))
        require(self.life == Life.SETTLING)
        require(self.tlb[core, page] != NOWHERE)
        self.tlb[core, page] = NOWHERE

    @action(core=Slave)
    def drop_instructions(self, core: SlaveId) -> None:
        """The core drops its instruction lines."""
        require(self.has(Mechanism.ICACHE_SHOOTDOWN))
        require(self.life == Life.SETTLING)
        require(self.instructions[core] != NO_TEXT)
        self.instructions[core] = NO_TEXT

    @action(core=Slave)
    def thaw(self, core: SlaveId) -> None:
        """Let the user threads run; one of them, that of `core`, holds the mutex."""
        require(self.life == Life.SETTLING)
        if self.has(Mechanism.TLB_SHOOTDOWN):
            require(forall(Slave, lambda c: forall(Page, lambda p: self.tlb[c, p] == NOWHERE)))
        if self.has(Mechanism.ICACHE_SHOOTDOWN):
            require(forall(Slave, lambda c: self.instructions[c] == NO_TEXT))
        self.life = Life.RUNNING
        self.turn = core
        for word in range(self.words):
            self.image[word] = 0

    @action
    def freeze(self) -> None:
        """No user thread is scheduled any more."""
        require(self.life == Life.RUNNING)
        self.life = Life.FREEZING
        self.show_nothing()

    @action
    def pass_barrier(self) -> None:
        """Every slave core has left user code."""
        require(self.life == Life.FREEZING)
        require(not exists(Slave, lambda c: self.inside[c]))
        self.life = Life.SENDING
        self.turn = Slave.null

    @action(word=Word)
    def send(self, word: int) -> None:
        """The master copies the next word into the image, from memory: its own data lines are dropped."""
        require(self.life == Life.SENDING and self.walked == word)
        self.image[word] = self.data[self.table[word]]
        self.walked = self.walked + 1

    @action
    def depart(self) -> None:
        """The process lives elsewhere now."""
        require(self.life == Life.SENDING and self.walked == self.words)
        if self.has(Mechanism.SCRUBBING):
            self.life = Life.CLEARING
            self.occupant = Process.null
            self.walked = 0
            self.text = NO_TEXT
            for word in range(self.words):
                self.image[word] = 0
                self.table[word] = NOWHERE
        else:
            self.leave_vacant()

    @action(place=Place)
    def clear(self, place: int) -> None:
        """Overwrite a place and give it back."""
        require(self.has(Mechanism.SCRUBBING))
        require(self.life == Life.CLEARING and self.walked == place)
        self.owner[place] = Process.null
        self.data_of[place] = Process.null
        self.data[place] = 0
        if place < self.last_place:
            self.walked = self.walked + 1
        else:
            self.leave_vacant()

    def leave_vacant(self) -> None:
        """Nobody is here; what is not cleared stands where it stood."""
        self.life = Life.VACANT
        self.occupant = Process.null
        self.foreign = False
        self.walked = 0
        for word in range(self.words):
            self.image[word] = 0
        self.show_nothing()
