"""The fewest mechanisms with which a claim is true: every smaller set has a counterexample, and these a proof.

Sets are tried by size. In the finite instances of the claim the explorer looks for a state that is reached in which
the claim is false; where it finds none, the claim is put to proof with this set. What contains a set that is proved
is not tried.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kmigrate.checker import Trace, Violated, interpret
from kmigrate.proofs.cache import Cache
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.errors import NoMechanisms
from kmigrate.proofs.proof import TIMEOUT_SECONDS, Proof, prove
from kmigrate.spec.language.variable import Switches
from kmigrate.spec.vocabulary import Mechanism


@dataclass(frozen=True, slots=True)
class Tried:
    """One set of mechanisms: a way to a state in which the claim is false, or a proof."""

    mechanisms: tuple[Mechanism, ...]
    trace: Trace | None
    proof: Proof | None

    @property
    def suffices(self) -> bool:
        """Whether the claim is proved with these."""
        return self.proof is not None and self.proof.verdict == "proved"

    @property
    def verdict(self) -> str:
        """What became of it, in a word."""
        return "refuted" if self.proof is None else self.proof.verdict


def fewest(claim: Claim, *, timeout: float = TIMEOUT_SECONDS, cache: Cache | None = None) -> Iterator[Tried]:
    """Try the sets of mechanisms that the claim's model can have, smallest first.

    Raises  NoMechanisms where the model has none to switch.
    """
    switch = next((s for s in claim.model.declared_parameters.values() if isinstance(s, Switches)), None)
    if switch is None:
        raise NoMechanisms(claim.name)
    ordered = sorted(switch.available, key=lambda mechanism: str(mechanism.value))
    proved: list[frozenset[Mechanism]] = []
    for many in range(len(ordered) + 1):
        for chosen in itertools.combinations(ordered, many):
            if any(smaller <= set(chosen) for smaller in proved):
                continue
            about = replace(claim, fixed={**claim.fixed, switch.name: frozenset(chosen)})
            trace = _refuted(about)
            if trace is not None:
                yield Tried(chosen, trace, None)
                continue
            tried = Tried(chosen, None, prove(about, timeout=timeout, cache=cache))
            if tried.suffices:
                proved.append(frozenset(chosen))
            yield tried


def _refuted(claim: Claim) -> Trace | None:
    """A shortest way, in the smallest instance that has one, to where something that is claimed is false."""
    for size in claim.sizes:
        model = claim.instance(size)
        for name in claim.safety:
            verdict = interpret.check(model, only=name).answer(name).verdict
            if isinstance(verdict, Violated):
                return verdict.trace
    return None
