"""The order theorem, every size: a list goes before what it lists, and nothing else of the order matters.

The nine states that move data may be walked in any order. `order`: as published, with a source that stands still,
every order is right in which each list goes before its pages. `order-needed`: no other order is, whatever the
number of pages: there is a start from which pages that go before their list part the two walks. Each of the two
precedences is needed by itself. `order-free`: hardened, every order is right, also with late changes.
"""

from typing import Any

from kmigrate.proofs.claim import Claim
from kmigrate.proofs.walks import LISTS, PAGES
from kmigrate.spec.language import Map, action, array, forall, implies, invariant, require
from kmigrate.spec.mstate.pools import Copy, Pool, Slot
from kmigrate.spec.order import Order, PublishedOrder
from kmigrate.spec.vocabulary import Mstate


class OrderLemmas(Order):
    """A quick transfer in any order, and what it has moved."""

    @invariant("lemma")
    def no_call_comes_pending(self) -> bool:
        """No board comes with a call pending, the dispatcher is served, and FINISH moves nothing."""
        return not self.unserved and not self.asleep and not self.done[Mstate.FINISH]

    @invariant("lemma")
    def listed_pages_are_unchanged(self) -> bool:
        """A page that was in use at the freeze is as it was then."""
        return forall(
            Pool,
            lambda pool: forall(
                Slot, lambda slot: implies(self.changed[pool, slot], lambda: not self.copied[pool, slot])
            ),
        )

    @invariant("lemma")
    def the_system_s_pages_are_listed(self) -> bool:
        """Of the pages that are the system's, or that there are not, the source's list says just that."""
        return forall(
            Pool,
            lambda pool: forall(
                Slot,
                lambda slot: (
                    self.free_choice(pool, slot) or self.copied[pool, slot] == self.system_owned(pool, slot)
                ),
            ),
        )

    @invariant("lemma")
    def lists_moved_are_the_freeze_s(self) -> bool:
        """A list that has been moved is the one of the freeze."""
        return forall(
            Pool,
            lambda pool: implies(
                self.done[LISTS[pool]],
                lambda: forall(Slot, lambda slot: self.there[pool, slot] == self.copied[pool, slot]),
            ),
        )

    @invariant("lemma")
    def pages_moved_have_come(self) -> bool:
        """If both walks have moved the same, listed pages that have been moved stand there as at the freeze."""
        return forall(
            Pool,
            lambda pool: implies(
                self.done[PAGES[pool]] and self.agreed,
                lambda: forall(
                    Slot,
                    lambda slot: implies(
                        self.copied[pool, slot] and not self.system_owned(pool, slot),
                        lambda: self.placed[pool, slot] == Copy.RIGHT,
                    ),
                ),
            ),
        )


SHARED = (
    "no_call_comes_pending",
    "the_system_s_pages_are_listed",
    "lists_moved_are_the_freeze_s",
    "pages_moved_have_come",
    "walks_agree",
)
"""The conjuncts of every order that is right."""


class QuietOrder(OrderLemmas, PublishedOrder):
    """The published transfer of a source that stands still, in any order."""

    @invariant("lemma")
    def nothing_changes_at_the_source(self) -> bool:
        """The source's lists and pages are those of the freeze."""
        return forall(
            Pool,
            lambda pool: forall(
                Slot,
                lambda slot: self.used[pool, slot] == self.copied[pool, slot] and not self.changed[pool, slot],
            ),
        )


class ListsFirst(QuietOrder):
    """The same in every order in which each list goes before its pages, and in no other."""

    @action(state=Mstate)
    def exchange(self, state: Mstate) -> None:
        """Both sides walk one state; pages, only if their list has been moved."""
        for pool in Pool:
            require(state != PAGES[pool] or self.done[LISTS[pool]])
        super().exchange(state)


class Differing(QuietOrder):
    """Any order, from a start of each size: the source uses all its pages, and no earlier process was there."""

    used: Map[tuple[Pool, int], bool] = array(
        "the source's list now: the page is used",
        Pool,
        Slot,
        of=bool,
        init=lambda model, pool, slot: model.free_choice(pool, slot) or model.system_owned(pool, slot),
    )
    there: Map[tuple[Pool, int], bool] = array(
        "the destination's list: at first an earlier process's",
        Pool,
        Slot,
        of=bool,
        init=lambda model, pool, slot: model.system_owned(pool, slot),
    )

    def first_page(self, pool: Pool) -> int:
        """The first page of a pool that is not the system's; there always is one."""
        return self.system if pool == Pool.KERNEL_PAGES else 0

    @invariant("lemma")
    def lists_differ_until_moved(self) -> bool:
        """Until a list has been moved, the source's alone names the first page of its pool."""
        return forall(
            Pool,
            lambda pool: (
                self.copied[pool, self.first_page(pool)]
                and (self.done[LISTS[pool]] or not self.there[pool, self.first_page(pool)])
            ),
        )


def _moved(after: Any, before: Any, state: Mstate) -> bool:
    return after.done[state] and not before.done[state]


def pages_before_their_list_part_the_walks(after: Any, before: Any) -> bool:
    """When pages are moved and their list has not been, the two walks move different elements."""
    return forall(
        Pool,
        lambda pool: implies(
            _moved(after, before, PAGES[pool]) and not before.done[LISTS[pool]], lambda: not after.agreed
        ),
    )


def only_that_parts_the_walks(after: Any, before: Any) -> bool:
    """The walks part only where pages are moved before their list."""
    return implies(
        before.agreed and not after.agreed,
        lambda: not forall(Pool, lambda pool: not _moved(after, before, PAGES[pool]) or before.done[LISTS[pool]]),
    )


_SIZES = ({"system": 1, "pages": 1, "frames": 1}, {"system": 2, "pages": 1, "frames": 2})
_QUIET = (
    "the bounds of the loops are the code's, and each state is moved at once (task by task: see `quiet-transfer`)",
    "no thread of the source goes on after the freeze, and no system call lies unserved on a board",
)

CLAIM = Claim(
    name="order",
    title="published, every order is right in which each list goes before its pages",
    model=ListsFirst,
    open=frozenset({"system", "pages", "frames"}),
    conjuncts=(*SHARED, "nothing_changes_at_the_source"),
    safety=("walks_agree", "image_intact"),
    sizes=_SIZES,
    assumptions=_QUIET,
)

NEEDED = Claim(
    name="order-needed",
    title="published, no other order is right: pages that go before their list part the walks",
    model=Differing,
    open=frozenset({"system", "pages", "frames"}),
    conjuncts=(
        "no_call_comes_pending",
        "nothing_changes_at_the_source",
        "lists_moved_are_the_freeze_s",
        "lists_differ_until_moved",
    ),
    safety=("receiver_awake",),
    steps=(pages_before_their_list_part_the_walks, only_that_parts_the_walks),
    sizes=_SIZES,
    assumptions=_QUIET,
)

FREE = Claim(
    name="order-free",
    title="hardened, every order is right, whatever is taken and given back after the freeze",
    model=OrderLemmas,
    open=frozenset({"system", "pages", "frames", "late"}),
    conjuncts=(*SHARED, "listed_pages_are_unchanged", "no_system_page_written"),
    safety=("walks_agree", "image_intact", "receiver_awake", "no_system_page_written"),
    sizes=tuple({**size, "late": 1} for size in _SIZES[:1]),
    assumptions=("all mechanisms of the hardened transfer; both sides have the manifest",),
)
