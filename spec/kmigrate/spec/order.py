"""In which orders may the nine states that move data be walked?

Both sides walk the same order, which is not known: any state that is not done may be next. A state is moved at
once, element by element, each side asking its own list which elements there are. Where the lists differ, the two
walks disagree from then on.

Source: thesis 4.5.1.2, task 4; nanvix-facts 7.6, 9 (H12, H14, H17, H19). Deviations: spec/README.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kmigrate.spec.language import (
    Map,
    action,
    array,
    count,
    each,
    exists,
    implies,
    invariant,
    parameter,
    require,
    switches,
    terminal,
    variable,
)
from kmigrate.spec.mstate.pools import Copy, Pool, Pools, Slot
from kmigrate.spec.vocabulary import DATA_STATES, MSTATE_MECHANISMS, Mechanism, Mstate


class Order(Pools):
    """A quick transfer in any order of its states, hardened unless mechanisms are switched off."""

    boards: int = parameter(0, "1: a system call lies unserved on a board of the source", low=0, high=1)

    done: Map[Mstate, bool] = array("the state has been moved", Mstate, of=bool, init=False)
    agreed: bool = variable("both walks have moved the same elements", of=bool, init=True)
    unserved: bool = variable("a system call lies unserved on a board of the destination", of=bool, init=False)
    asleep: bool = variable(
        "the destination's dispatcher waits for a call that is never served", of=bool, init=False
    )

    def all_done(self) -> bool:
        """Whether FINISH is next."""
        return count(Mstate, lambda state: self.done[state]) == len(DATA_STATES)

    def source_at_work(self) -> bool:
        """Whether a state is still to be moved by walks that agree."""
        return self.agreed and not self.asleep and not self.all_done()

    @action(state=Mstate)
    def exchange(self, state: Mstate) -> None:
        """Both sides walk one state from its lower to its upper bound."""
        require(state != Mstate.FINISH)
        require(not self.done[state] and self.agreed and not self.asleep)
        self.done[state] = True
        if state == Mstate.KSTACKSIDS:
            self._move_list(Pool.KERNEL_PAGES)
        elif state == Mstate.FRAMES_BITMAP:
            self._move_list(Pool.FRAMES)
        elif state == Mstate.KSTACKSPHYS:
            self._move_pages(Pool.KERNEL_PAGES)
        elif state == Mstate.FRAMES_PHYS:
            self._move_pages(Pool.FRAMES)
        else:
            self._move_piece()
        if state == Mstate.SYSBOARD and self.boards and not self.has(Mechanism.DRAIN_BOARDS):
            self.unserved = True

    def walked(self, pool: Pool, slot: int) -> bool:
        """Whether the walk over a pool comes by a page."""
        return self.lower_bound(pool) <= slot < self.upper_bound(pool)

    def sends(self, pool: Pool, slot: int) -> bool:
        """Whether the sender's walk moves a page."""
        return self.walked(pool, slot) and self.source_lists(pool, slot)

    def expects(self, pool: Pool, slot: int) -> bool:
        """Whether the receiver's walk moves a page."""
        return self.walked(pool, slot) and self.destination_lists(pool, slot)

    def _move_piece(self) -> None:
        if self.unserved:
            self.asleep = True

    def _move_list(self, pool: Pool) -> None:
        self._move_piece()
        for slot in each(Slot):
            self.there[pool, slot] = self.source_lists(pool, slot)

    def _move_pages(self, pool: Pool) -> None:
        if exists(Slot, lambda slot: self.sends(pool, slot) != self.expects(pool, slot)):
            self.agreed = False
        if exists(Slot, lambda slot: self.sends(pool, slot) and self.expects(pool, slot)):
            self._move_piece()
        for slot in each(Slot):
            if self.sends(pool, slot) and self.expects(pool, slot):
                self.placed[pool, slot] = Copy.WRONG if self.changed[pool, slot] else Copy.RIGHT

    @invariant("I3")
    def walks_agree(self) -> bool:
        """Both sides move the same elements."""
        return self.agreed

    @invariant("I3")
    def image_intact(self) -> bool:
        """At FINISH the destination's lists and pages are what the source had at the freeze."""
        return implies(self.all_done() and self.agreed, lambda: self.pages_intact())

    @invariant("I4")
    def receiver_awake(self) -> bool:
        """The destination's dispatcher is served."""
        return not self.asleep

    @invariant("I6")
    def no_system_page_written(self) -> bool:
        """No kernel page of the system is written at the destination."""
        return self.system_pages_kept(self.system)

    @terminal
    def finished(self) -> bool:
        """Every state is done."""
        return self.all_done()


class PublishedOrder(Order):
    """The same as published: live lists and a fixed lower bound."""

    mechanisms: frozenset[Mechanism] = switches(
        frozenset(), "mechanisms added to the published transfer", available=MSTATE_MECHANISMS
    )


@dataclass(frozen=True, slots=True)
class Regime:
    """One setting in which the orders are asked about, and what of them counts."""

    name: str
    meaning: str
    parameters: Mapping[str, int]
    added: frozenset[Mechanism] | None
    """Mechanisms added to the published transfer; None: the hardened one, with all of them."""
    properties: tuple[str, ...] | None
    """The invariants that count; None: all."""

    def model(self) -> Order:
        """The model of this setting."""
        if self.added is None:
            return Order(**self.parameters)
        return PublishedOrder(mechanisms=self.added, **self.parameters)


_TINY = {"system": 1, "pages": 1, "frames": 1}
_INTACT = ("walks_agree", "image_intact")
_NONE: frozenset[Mechanism] = frozenset()

REGIMES: tuple[Regime, ...] = (
    Regime("published, quiet", "nothing changes at the source after the freeze", _TINY, _NONE, _INTACT),
    Regime("published, quiet, system pages", "and no page of the system may be written", _TINY, _NONE, None),
    Regime(
        "published + owned-pages",
        "the same, with the page list derived from ownership",
        _TINY,
        frozenset({Mechanism.OWNED_PAGES}),
        None,
    ),
    Regime("published, late", "one allocation or release after the freeze", {**_TINY, "late": 1}, _NONE, _INTACT),
    Regime(
        "published, late + manifest",
        "the same, both sides walking the copied lists",
        {**_TINY, "late": 1},
        frozenset({Mechanism.MANIFEST}),
        _INTACT,
    ),
    Regime(
        "published, board pending",
        "a system call lies unserved on a board",
        {**_TINY, "boards": 1},
        _NONE,
        (*_INTACT, "receiver_awake"),
    ),
    Regime("hardened", "one allocation or release after the freeze", {**_TINY, "late": 1}, None, None),
)
"""The settings of the order theorem."""
