"""What must be true of a move in any mode, and the two variants.

Source: thesis 2.4.1; nanvix-facts 9 F, 10. Deviations: spec/README.md.
"""

from kmigrate.spec.language import (
    count,
    exists,
    forall,
    implies,
    invariant,
    leads_to,
    one_of,
    recoverable,
    switches,
    terminal,
)
from kmigrate.spec.modes.pages import NUMBERS, Arrival, Channel, Page, Side, Upkeep
from kmigrate.spec.modes.phases import Phases
from kmigrate.spec.vocabulary import MODES_MECHANISMS, Mechanism, Mode, MovePhase


class Modes(Phases):
    """A process that is moved in any of the five ways, with all mechanisms."""

    def ruled_out(self) -> frozenset[str]:
        """What the mode asked for does not do, faults without a budget, and what needs a mechanism that is off."""
        of_modes = {
            ("save", "seal"): (Mode.COLD,),
            ("next_round", "freeze"): (Mode.PRE_COPY, Mode.HYBRID),
            ("touch", "serve", "complete"): (Mode.POST_COPY, Mode.HYBRID),
        }
        of_mechanisms = {
            ("serve",): Mechanism.FAULT_ON_MISSING,
            ("next_round",): Mechanism.WRITE_PROTECT,
            ("resend",): Mechanism.RESEND,
            ("cancel", "wait", "fail", "clear", "declare_lost"): Mechanism.GIVE_UP,
        }
        out = {"lose", "resend"} if self.losses == 0 else set()
        if self.stops == 0:
            out |= {"stop", "fail", "declare_lost"}
        if self.rounds == 1:
            out |= {"next_round"}
        for actions, modes in of_modes.items():
            if self.mode != 0 and self.mode not in [NUMBERS[mode] for mode in modes]:
                out |= set(actions)
        for actions, mechanism in of_mechanisms.items():
            if not self.has(mechanism):
                out |= set(actions)
        return frozenset(out)

    def scattered(self) -> bool:
        """Whether each page, as it was written last, is at one of the nodes or on its way."""
        return forall(
            Page,
            lambda p: (
                self.content[Side.SOURCE, p] == self.current[p]
                or self.content[Side.DESTINATION, p] == self.current[p]
                or self.flight[Channel.STREAM, p] == self.current[p]
                or self.flight[Channel.REPLY, p] == self.current[p]
            ),
        )

    @invariant("I1")
    def no_process_lost(self) -> bool:
        """The process is whole at a node or in its checkpoint, or scattered after the switch; or its node stopped.

        While pages follow, its node is either: that is how much less post-copy and hybrid promise.
        """
        if self.phase == MovePhase.POSTCOPY_ACTIVE:
            return self.scattered() or exists(Side, lambda s: not self.up[s])
        return (
            self.whole_at(Side.SOURCE)
            or self.whole_at(Side.DESTINATION)
            or forall(Page, lambda p: self.saved[p] == self.current[p])
            or not self.up[self.owner]
            or self.phase == MovePhase.LOST_WITH_NODE
        )

    @invariant("I1")
    def lost_only_with_its_node(self) -> bool:
        """LOST_WITH_NODE is said when the owner has stopped; while pages follow, when either node has."""
        return implies(
            self.phase == MovePhase.LOST_WITH_NODE,
            lambda: (
                not self.up[self.owner]
                or (self.pages_follow() and self.owner == Side.DESTINATION and not self.up[Side.SOURCE])
            ),
        )

    @invariant("I1")
    def source_stays_whole(self) -> bool:
        """Until the switch a source that is up has the whole process, so that every failure can end there."""
        return implies(
            self.up[Side.SOURCE] and self.owner == Side.SOURCE and self.phase != MovePhase.LOST_WITH_NODE,
            lambda: self.whole_at(Side.SOURCE),
        )

    @invariant("I2")
    def one_live_copy(self) -> bool:
        """The process runs at one node at most."""
        return not (self.runs[Side.SOURCE] and self.runs[Side.DESTINATION])

    @invariant("I2")
    def staged_copy_waits(self) -> bool:
        """The destination runs nothing before the switch."""
        return implies(self.runs[Side.DESTINATION], lambda: self.owner == Side.DESTINATION)

    @invariant("I3")
    def image_intact(self) -> bool:
        """What the process finds in a page, where it runs, is what it wrote last."""
        return forall(
            Page,
            lambda p: (
                implies(self.runs[Side.SOURCE], lambda: self.content[Side.SOURCE, p] == self.current[p])
                and implies(
                    self.runs[Side.DESTINATION] and self.arrival[p] == Arrival.HERE,
                    lambda: self.content[Side.DESTINATION, p] == self.current[p],
                )
            ),
        )

    @invariant("I3")
    def checkpoint_intact(self) -> bool:
        """What is in the checkpoint is what the process wrote last."""
        return forall(Page, lambda p: implies(self.saved[p] != 0, lambda: self.saved[p] == self.current[p]))

    @invariant("I3")
    def completed_means_complete(self) -> bool:
        """When the move is complete, every page is in place."""
        return implies(
            self.phase == MovePhase.COMPLETED, lambda: forall(Page, lambda p: self.arrival[p] == Arrival.HERE)
        )

    @invariant("I5")
    def each_page_lands_once(self) -> bool:
        """Under a running process a page is put in place once."""
        return forall(Page, lambda p: self.landings[p] <= 1)

    def left_frozen(self) -> int:
        """Pages that a frozen process still waits for before it runs again."""
        unsaved = count(Page, lambda p: self.way == Mode.COLD and self.saved[p] == 0)
        return unsaved + count(Page, lambda p: not self.pages_follow() and self.upkeep[p] == Upkeep.OWED)

    def most_frozen(self) -> int:
        """Copies that a frozen process waits for at most, each loss aside: the order of the modes by downtime."""
        if self.pages_follow():
            return 0
        return 2 * self.pages if self.way == Mode.COLD else self.pages

    @invariant("downtime")
    def frozen_for_so_many_copies(self) -> bool:
        """Copies made and to be made while frozen: cold two a page, stop-and-copy and pre-copy one, others none."""
        return implies(
            self.frozen(),
            lambda: self.copied_frozen + self.left_frozen() <= self.most_frozen() + self.losses - self.losses_left,
        )

    @terminal
    def ended(self) -> bool:
        """The move has ended in one of its four ways."""
        return not self.under_way()

    @recoverable("I4")
    def every_request_ends(self) -> bool:
        """An end can always be reached."""
        return not self.under_way()

    @leads_to("I4", to=ended)
    def moves_end(self) -> bool:
        """A move ends at last, if the daemons and the network go on (weak fairness), however the process writes."""
        return self.under_way()

    def nothing_asked(self) -> bool:
        """Whether no thread waits for a page."""
        return forall(Page, lambda p: self.arrival[p] != Arrival.REQUESTED)

    @leads_to("I4", to=nothing_asked)
    def page_faults_end(self) -> bool:
        """Who waits for a page gets it, or is lost with a node."""
        return not self.nothing_asked()

    def given_back(self) -> bool:
        """Whether the destination holds no room."""
        return not self.reserved

    @leads_to("I6", to=given_back)
    def room_is_given_back(self) -> bool:
        """A move that ends at the source leaves no room taken at the destination."""
        return one_of(self.phase, MovePhase.FAILED, MovePhase.CANCELLED)


class PublishedModes(Modes):
    """The five ways as the thesis describes them, with no mechanism: both copies run on after the switch."""

    mechanisms: frozenset[Mechanism] = switches(
        frozenset(), "mechanisms added to the modes as published", available=MODES_MECHANISMS
    )
