"""The transfer of an image between two daemons, and what must be true of it.

Hardened: both walk a manifest of the page lists taken at the freeze, pieces are framed and summed, the system's
pages are no part of the image, and the sender ends when the receiver has installed. Published: none of this.

Source: thesis 4.5.1.2; nanvix-facts 7.4 to 7.7, 9 A, 9 B. Deviations: spec/README.md.
"""

from kmigrate.spec.language import eventually, forall, implies, invariant, recoverable, switches, terminal
from kmigrate.spec.mstate.network import Portals
from kmigrate.spec.mstate.pools import Copy, Pool, Slot
from kmigrate.spec.mstate.receiver import ReceiverTasks
from kmigrate.spec.mstate.sender import SenderTasks
from kmigrate.spec.mstate.walk import Parcel, Side, Task
from kmigrate.spec.vocabulary import MSTATE_MECHANISMS, Mechanism, Mstate

PAGE_BY_PAGE = (Mstate.KSTACKSPHYS, Mstate.FRAMES_PHYS)
"""The states that move the pages of a list; each of the others moves one element, a list or another structure."""


class Transfer(SenderTasks, ReceiverTasks, Portals):
    """Sender and receiver over the ten states, hardened unless mechanisms are switched off."""

    def ruled_out(self) -> frozenset[str]:
        """Faults and late threads of which there are none, and timeouts that are switched off."""
        out = set(super().ruled_out())
        if not self.faults:
            out |= {"stop", "lose", "repeat", "corrupt"}
        if not (self.has(Mechanism.SOURCE_TIMEOUT) or self.has(Mechanism.DESTINATION_TIMEOUT)):
            out.add("give_up")
        return frozenset(out)

    @invariant("I3")
    def walks_agree(self) -> bool:
        """A piece is taken only for what it is: both sides stand at the same state, index and piece."""
        return self.landing != Parcel.FOREIGN

    @invariant("I3")
    def image_intact(self) -> bool:
        """When the receiver has finished, all that it holds is what the source had at the freeze."""
        return implies(
            self.task[Side.RECEIVER] == Task.DONE,
            lambda: (
                forall(
                    Mstate,
                    lambda s: s in PAGE_BY_PAGE or s == Mstate.FINISH or self.whole[s] == Copy.RIGHT,
                )
                and self.pages_intact()
            ),
        )

    @invariant("I6")
    def no_system_page_written(self) -> bool:
        """No kernel page of the system is written at the destination."""
        return self.system_pages_kept(self.system)

    @invariant("I6")
    def one_system_page_written(self) -> bool:
        """Of the system's kernel pages at most the last is written: the dispatcher's stack."""
        return self.system_pages_kept(self.system - 1)

    @invariant("I7")
    def nothing_stale_is_mapped(self) -> bool:
        """When the receiver has finished, its lists name no page that was not written."""
        return implies(self.task[Side.RECEIVER] == Task.DONE, lambda: not self.stale_mapped())

    @invariant("I7")
    def nothing_half_is_mapped(self) -> bool:
        """When the receiver has given up, its lists name the system's pages alone."""
        return implies(
            self.task[Side.RECEIVER] == Task.GIVEN_UP,
            lambda: forall(
                Pool,
                lambda pool: forall(Slot, lambda slot: self.there[pool, slot] == self.system_owned(pool, slot)),
            ),
        )

    @invariant("I1")
    def source_is_last(self) -> bool:
        """The sender is done only when the receiver holds the whole image."""
        return implies(self.task[Side.SENDER] == Task.DONE, lambda: self.task[Side.RECEIVER] == Task.DONE)

    @terminal
    def both_ended(self) -> bool:
        """Both sides have finished, given up or stopped."""
        return self.ended(Side.SENDER) and self.ended(Side.RECEIVER)

    @recoverable("I4")
    def each_side_can_end(self) -> bool:
        """From every state one is reachable in which both sides have ended."""
        return self.both_ended()

    @eventually("I4")
    def each_side_ends(self) -> bool:
        """Both sides end at last, if their tasks and the network go on (weak fairness)."""
        return self.both_ended()


class PublishedTransfer(Transfer):
    """The same walks as published: live lists, bare pieces, a fixed lower bound, no timeout, no answer."""

    mechanisms: frozenset[Mechanism] = switches(
        frozenset(), "mechanisms added to the published transfer", available=MSTATE_MECHANISMS
    )
