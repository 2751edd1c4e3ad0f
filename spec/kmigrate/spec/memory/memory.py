"""The memory of one cluster over the lives of several occupants, and what must be true of it.

Its parts stand in modules of their own: `places` (what the kernel knows), `cores` (TLBs and caches), `life` (how a
process comes and goes). One model is published and hardened, by its mechanisms.

Source: nanvix-facts 9, I3, I7 and I8. Deviations: spec/README.md.
"""

from kmigrate.spec.language import at_most_one, exists, forall, implies, invariant, switches
from kmigrate.spec.memory.cores import Slave
from kmigrate.spec.memory.life import Lives
from kmigrate.spec.memory.places import NO_TEXT, NOWHERE, Life, Page, Place, Word
from kmigrate.spec.protocol.clusters import Process
from kmigrate.spec.vocabulary import MEMORY_MECHANISMS, Mechanism


class Memory(Lives):
    """One cluster: what stands in its memory, and what its cores believe stands there."""

    def ruled_out(self) -> frozenset[str]:
        """What cannot happen without its mechanism, among kernels that are all alike, or on one core."""
        needed = {
            "drop_translation": Mechanism.TLB_SHOOTDOWN,
            "drop_instructions": Mechanism.ICACHE_SHOOTDOWN,
            "clear": Mechanism.SCRUBBING,
            "refuse": Mechanism.SAME_LAYOUT,
        }
        impossible = {name for name, mechanism in needed.items() if not self.has(mechanism)}
        impossible |= {"refuse"} if self.layouts == 1 else set()
        impossible |= {"hand_over"} if self.cores == 1 else set()
        return frozenset(impossible)

    def own_word(self, word: int) -> bool:
        """Whether the occupant's own word stands where its table says, with the value that the image gives it."""
        place = self.table[word]
        return (
            self.data_of[place] == self.occupant
            and implies(self.life == Life.SETTLING, lambda: self.data[place] == self.image[word])
            and implies(
                self.life == Life.SENDING and self.walked > word, lambda: self.data[place] == self.image[word]
            )
        )

    @invariant("I3")
    def image_intact(self) -> bool:
        """All words of a process that stands here are its own, as its image had them; and so it leaves."""
        return implies(self.standing(), lambda: forall(Word, lambda w: self.own_word(w)))

    @invariant("I3")
    def pages_intact(self) -> bool:
        """The same of its pages and stacks alone."""
        return implies(self.standing(), lambda: forall(Word, lambda w: w == self.last_word or self.own_word(w)))

    @invariant("I7")
    def mappings_reach_own_places(self) -> bool:
        """What the table names for pages and stacks is the occupant's, of the right kind, and named once."""
        return implies(
            self.standing(),
            lambda: (
                forall(
                    Word,
                    lambda w: (
                        w == self.last_word
                        or (self.owner[self.table[w]] == self.occupant and self.rightly_placed(w))
                    ),
                )
                and forall(Place, lambda place: at_most_one(Word, lambda w: self.table[w] == place))
            ),
        )

    def rightly_placed(self, word: int) -> bool:
        """Whether the table names a place of the right kind for a word."""
        return exists(Place, lambda place: self.table[word] == place and self.fits(word, place))

    @invariant("I7")
    def nothing_left_behind(self) -> bool:
        """Where nobody owns a place, nobody's word stands."""
        return forall(
            Place,
            lambda place: implies(self.owner[place] == Process.null, lambda: self.data_of[place] == Process.null),
        )

    @invariant("I7")
    def loads_give_own_words(self) -> bool:
        """A load gives a word of the process that loads."""
        return implies(0 <= self.accessed <= self.last_word, lambda: self.result_of == self.occupant)

    @invariant("I8")
    def translations_are_current(self) -> bool:
        """What the TLB of a core in user code holds is what the table says."""
        return forall(
            Slave,
            lambda c: forall(
                Page,
                lambda p: implies(
                    self.inside[c] and self.tlb[c, p] != NOWHERE, lambda: self.tlb[c, p] == self.table[p]
                ),
            ),
        )

    @invariant("I8")
    def data_lines_are_current(self) -> bool:
        """What the data cache of a core in user code holds is what stands in memory."""
        return forall(
            Slave,
            lambda c: forall(
                Place,
                lambda place: implies(
                    self.inside[c] and self.cached[c, place],
                    lambda: (
                        self.line_of[c, place] == self.data_of[place] and self.line[c, place] == self.data[place]
                    ),
                ),
            ),
        )

    @invariant("I8")
    def instructions_are_current(self) -> bool:
        """What the instruction cache of a core in user code holds is the text of the process that runs."""
        return forall(
            Slave,
            lambda c: implies(
                self.inside[c] and self.instructions[c] != NO_TEXT,
                lambda: self.instructions[c] == self.program[self.occupant],
            ),
        )


class PublishedMemory(Memory):
    """The memory as published: core 0 invalidates its own data cache, tlb_flush rewrites what is there, no more."""

    mechanisms: frozenset[Mechanism] = switches(
        frozenset(), "mechanisms added to the published memory", available=MEMORY_MECHANISMS
    )
