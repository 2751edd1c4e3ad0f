"""The order theorem for every size: what is right, that nothing else is, and what it rests on."""

from dataclasses import replace

import pytest

from kmigrate.checker import interpret
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.orders import CLAIM, FREE, NEEDED, Differing, ListsFirst, OrderLemmas
from kmigrate.proofs.proof import prove
from kmigrate.spec.language import action, each, require
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.mstate.pools import Copy, Pool, Slot
from kmigrate.spec.order import PublishedOrder
from kmigrate.spec.vocabulary import MSTATE_MECHANISMS, Mechanism, Mstate


@pytest.mark.parametrize("claim", [CLAIM, NEEDED, FREE], ids=lambda claim: claim.name)
def test_the_order_theorem_is_proved_by_both_solvers(claim: Claim) -> None:
    proof = prove(claim, timeout=30.0)
    assert proof.verdict == "proved", [*proof.hollow, *(outcome.why for outcome in proof.open_ones())]


@pytest.mark.parametrize("claim", [CLAIM, NEEDED, FREE], ids=lambda claim: claim.name)
def test_every_conjunct_holds_where_the_explorer_goes(claim: Claim) -> None:
    found = interpret.search(claim.instance(claim.sizes[-1]))
    for state in found.level:
        for name in (*claim.hypotheses, *claim.safety):
            assert found.interpreter.true(name, state), name


@pytest.mark.parametrize("size", NEEDED.sizes, ids=str)
def test_the_start_from_which_wrong_orders_fail_is_one_of_the_published_model(size: dict[str, int]) -> None:
    differing, published = Differing(**size), PublishedOrder(**size)
    (start,) = initial_states(differing)
    assert differing.schema.show(start) in [published.schema.show(state) for state in initial_states(published)]


# -- mutants --------------------------------------------------------------------------------------------


class FramesAtAnyTime(ListsFirst):
    @action(state=Mstate)
    def exchange(self, state: Mstate) -> None:
        """Frames may go before their bits."""
        require(state != Mstate.KSTACKSPHYS or self.done[Mstate.KSTACKSIDS])
        super(ListsFirst, self).exchange(state)


class ListKept(ListsFirst):
    def _move_list(self, pool: Pool) -> None:
        """The list is moved and not put in its place."""


class LastPageLeft(ListsFirst):
    def upper_bound(self, pool: Pool) -> int:
        """The loop ends one page too soon."""
        return super().upper_bound(pool) - 1


class OneList(Differing):
    def destination_lists(self, pool: Pool, slot: int) -> bool:
        """The receiver reads what the sender does."""
        return self.source_lists(pool, slot)


class EarlyList(Differing):
    @action(state=Mstate)
    def exchange(self, state: Mstate) -> None:
        """The UArea brings the lists with it."""
        super().exchange(state)
        if state == Mstate.UAREA:
            for slot in each(Slot):
                self.there[Pool.FRAMES, slot] = self.copied[Pool.FRAMES, slot]


class Quarrel(Differing):
    @action(state=Mstate)
    def exchange(self, state: Mstate) -> None:
        """The walks part at the sections, whatever the lists say."""
        super().exchange(state)
        if state == Mstate.SECTIONS:
            self.agreed = False


class Zeroed(OrderLemmas):
    @action(pool=Pool, slot=Slot)
    def give_back_late(self, pool: Pool, slot: int) -> None:
        """A page that is given back is filled with zeros."""
        super().give_back_late(pool, slot)
        self.changed[pool, slot] = True


class Overwritten(OrderLemmas):
    @action(state=Mstate)
    def exchange(self, state: Mstate) -> None:
        """The page tables are written over the frames."""
        super().exchange(state)
        if state == Mstate.PAGETAB:
            for slot in each(Slot):
                self.placed[Pool.FRAMES, slot] = Copy.WRONG


MUTANTS = [
    (CLAIM.about(FramesAtAnyTime), "exchange(frames_phys)", "walks_agree"),
    (CLAIM.about(ListKept), "exchange(kstacksids)", "lists_moved_are_the_freeze_s"),
    (CLAIM.about(LastPageLeft), "exchange(kstacksphys)", "pages_moved_have_come"),
    (NEEDED.about(OneList), "exchange(frames_phys)", "pages_before_their_list_part_the_walks"),
    (NEEDED.about(EarlyList), "exchange(uarea)", "lists_differ_until_moved"),
    (NEEDED.about(Quarrel), "exchange(sections)", "only_that_parts_the_walks"),
    (FREE.about(Zeroed), "give_back_late(frames)", "listed_pages_are_unchanged"),
    (FREE.about(Overwritten), "exchange(pagetab)", "pages_moved_have_come"),
    (
        replace(FREE, fixed={"mechanisms": MSTATE_MECHANISMS - {Mechanism.MANIFEST}}),
        "exchange(kstacksphys)",
        "walks_agree",
    ),
    (
        replace(FREE, fixed={"mechanisms": MSTATE_MECHANISMS - {Mechanism.OWNED_PAGES}}),
        "exchange(kstacksphys)",
        "no_system_page_written",
    ),
    (
        replace(FREE, fixed={"mechanisms": MSTATE_MECHANISMS - {Mechanism.PINNED_PAGES}}),
        "take_late(frames)",
        "listed_pages_are_unchanged",
    ),
]


@pytest.mark.parametrize(
    ("claim", "label", "broken"),
    MUTANTS,
    ids=lambda value: value.model.__name__ if isinstance(value, Claim) else "",
)
def test_mutants_are_refuted(claim: Claim, label: str, broken: str) -> None:
    proof = prove(claim, only=(label.partition("(")[0],), timeout=1.0, solvers=("z3",))
    found = {
        (one.obligation.action, one.counterexample.broken): one.counterexample.told()
        for one in proof.outcomes
        if one.counterexample is not None
    }
    assert (label, broken) in found, list(found)
    told = found[label, broken]
    assert f"  step    {label.partition('(')[0]}(" in told
    assert "\n  broken  " in told
    assert "\n  state   " in told
