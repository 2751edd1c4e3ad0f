"""The two pools of pages, at the source and at the destination: which are used, and what has been copied.

Kernel pages are counted one by one, frames have a bit each; both are lists that a transfer sends before what they
list. The first kernel pages belong to the system on every cluster. The source may start with any lists, and the
destination with any that an earlier process has left behind.

Source: thesis 4.5.1.2, task 4; nanvix-facts 1 (kernel pages), 7.6, 9 B (H14, H19). Deviations: spec/README.md.
"""

from enum import Enum

from kmigrate.spec.language import (
    ANY,
    Map,
    Model,
    Range,
    action,
    array,
    each,
    exists,
    forall,
    implies,
    initial,
    parameter,
    require,
    switches,
    variable,
)
from kmigrate.spec.vocabulary import MSTATE_MECHANISMS, Mechanism


class Pool(Enum):
    """What a list lists."""

    KERNEL_PAGES = "kernel-pages"
    FRAMES = "frames"


class Copy(Enum):
    """What stands in a place at the destination."""

    OWN = "own"
    """What stood there before."""
    RIGHT = "right"
    """What the source had in this place at the freeze."""
    WRONG = "wrong"
    """Something else that came from the source."""


Slot = Range(0, "last_slot")


class Pools(Model):
    """Lists and contents of the pages, and threads that change them although they should be frozen."""

    mechanisms: frozenset[Mechanism] = switches(MSTATE_MECHANISMS, "mechanisms of the hardened transfer")

    system: int = parameter(2, "kernel pages that belong to the system, the first ones", low=1, high=4)
    pages: int = parameter(2, "kernel pages beyond the system's", low=1, high=36)
    frames: int = parameter(2, "frames for users' pages", low=1, high=128)
    late: int = parameter(0, "pages taken or given back at the source after the freeze", low=0, high=4)

    @property
    def last_slot(self) -> int:
        """The highest number that an index of either list may have."""
        return max(self.system + self.pages, self.frames) - 1

    def ruled_out(self) -> frozenset[str]:
        """What late threads do, where there are none."""
        return frozenset() if self.late else frozenset({"take_late", "give_back_late"})

    def free_choice(self, pool: Pool, slot: int) -> bool:
        """Whether there is such a page and it is not the system's."""
        if pool == Pool.KERNEL_PAGES:
            return self.system <= slot < self.system + self.pages
        return slot < self.frames

    def system_owned(self, pool: Pool, slot: int) -> bool:
        """Whether a page is the system's."""
        return pool == Pool.KERNEL_PAGES and slot < self.system

    used: Map[tuple[Pool, int], bool] = array(
        "the source's list now: the page is used",
        Pool,
        Slot,
        of=bool,
        init=lambda model, pool, slot: ANY if model.free_choice(pool, slot) else model.system_owned(pool, slot),
    )
    copied: Map[tuple[Pool, int], bool] = array(
        "the source's list as it stood at the freeze", Pool, Slot, of=bool, init=False
    )
    changed: Map[tuple[Pool, int], bool] = array(
        "the source's page is not what it was at the freeze", Pool, Slot, of=bool, init=False
    )
    there: Map[tuple[Pool, int], bool] = array(
        "the destination's list: at first an earlier process's",
        Pool,
        Slot,
        of=bool,
        init=lambda model, pool, slot: ANY if model.free_choice(pool, slot) else model.system_owned(pool, slot),
    )
    placed: Map[tuple[Pool, int], Copy] = array(
        "what stands in the destination's page", Pool, Slot, of=Copy, init=Copy.OWN
    )
    lately: int = variable("pages taken or given back since the freeze", of=Range(0, "late"), init=0)

    @initial
    def freeze(self) -> None:
        """The source freezes, with whatever it uses; the lists are copied."""
        for pool in Pool:
            for slot in each(Slot):
                self.copied[pool, slot] = self.used[pool, slot]

    def has(self, mechanism: Mechanism) -> bool:
        """Whether a mechanism is switched on."""
        return mechanism in self.mechanisms

    def lower_bound(self, pool: Pool) -> int:
        """The first index of the loop over a pool. The code's is the last of the system's kernel pages (H14)."""
        if pool == Pool.FRAMES:
            return 0
        return self.system if self.has(Mechanism.OWNED_PAGES) else self.system - 1

    def upper_bound(self, pool: Pool) -> int:
        """One more than the last index of the loop over a pool."""
        return self.frames if pool == Pool.FRAMES else self.system + self.pages

    def source_lists(self, pool: Pool, slot: int) -> bool:
        """What the sender's condition function reads: the source's list as it is now, or the manifest."""
        return self.copied[pool, slot] if self.has(Mechanism.MANIFEST) else self.used[pool, slot]

    def destination_lists(self, pool: Pool, slot: int) -> bool:
        """What the receiver's condition function reads: the destination's list as it is now, or the manifest."""
        return self.copied[pool, slot] if self.has(Mechanism.MANIFEST) else self.there[pool, slot]

    def source_at_work(self) -> bool:
        """Whether what a late thread does at the source still matters to the transfer."""
        return True

    @action(pool=Pool, slot=Slot)
    def take_late(self, pool: Pool, slot: int) -> None:
        """A thread that is not frozen takes a page, which is filled with zeros (H19)."""
        require(self.free_choice(pool, slot) and self.lately < self.late and self.source_at_work())
        require(not self.used[pool, slot])
        require(not (self.has(Mechanism.PINNED_PAGES) and self.copied[pool, slot]))
        self.lately = self.lately + 1
        self.used[pool, slot] = True
        self.changed[pool, slot] = True

    @action(pool=Pool, slot=Slot)
    def give_back_late(self, pool: Pool, slot: int) -> None:
        """A thread that is not frozen gives a page back; what stands in it stays until it is taken again."""
        require(self.free_choice(pool, slot) and self.lately < self.late and self.source_at_work())
        require(self.used[pool, slot])
        self.lately = self.lately + 1
        self.used[pool, slot] = False

    def pages_intact(self) -> bool:
        """Whether the destination's lists, and the pages that they list, are the source's at the freeze."""
        return forall(
            Pool,
            lambda pool: forall(
                Slot,
                lambda slot: (
                    self.there[pool, slot] == self.copied[pool, slot]
                    and implies(
                        self.copied[pool, slot] and not self.system_owned(pool, slot),
                        lambda: self.placed[pool, slot] == Copy.RIGHT,
                    )
                ),
            ),
        )

    def stale_mapped(self) -> bool:
        """Whether the destination's lists name a page in which still stands what stood there before."""
        return exists(
            Pool,
            lambda pool: exists(
                Slot,
                lambda slot: (
                    not self.system_owned(pool, slot)
                    and self.there[pool, slot]
                    and self.placed[pool, slot] == Copy.OWN
                ),
            ),
        )

    def system_pages_kept(self, below: int) -> bool:
        """Whether the system's pages below a number hold what stood there before."""
        return forall(Slot, lambda slot: slot >= below or self.placed[Pool.KERNEL_PAGES, slot] == Copy.OWN)
