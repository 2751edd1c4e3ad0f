"""Proofs: what the solvers say of a claim's obligations, and what that makes of the claim.

An obligation is met when both solvers refute one text. It is asked with the hypotheses that it seems to need, and
where that does not do, with all. One that is not met is answered with a counterexample to induction from a finite
instance, or it stays open: no answer, too late an answer and two answers are shown as such. A claim is proved if
all its obligations are met; one in ten may have been refuted by one solver alone, and is then listed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from kmigrate.proofs.cache import Cache
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.fragment import Fragment
from kmigrate.proofs.induction import Counterexample, Search
from kmigrate.proofs.obligation import Obligation, Obligations
from kmigrate.proofs.solvers import SOLVERS, Reply
from kmigrate.proofs.substance import hollow_parts

Word = Literal["proved", "refuted", "unknown"]
Progress: TypeAlias = Callable[[int, int], None]
"""Told after each obligation: how many are done, how many there are."""

TIMEOUT_SECONDS = 10.0
"""What each solver gets for one obligation unless told otherwise."""

FORMAT = "kmigrate-proof"
VERSION = 1


ALONE_IN = 10
"""One in so many obligations may be refuted by one solver alone, the other giving no answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one obligation.

    text  what the solvers were asked: the obligation's own text, or fewer hypotheses
    """

    obligation: Obligation
    replies: tuple[Reply, ...]
    counterexample: Counterexample | None = None
    text: str = ""

    @property
    def verdict(self) -> Word:
        """Proved if both solvers refute it or nothing that it reads is changed; refuted with a counterexample."""
        if self.counterexample is not None:
            return "refuted"
        if not self.obligation.text:
            return "proved"
        answered = len(self.replies) == len(SOLVERS)
        return "proved" if answered and all(reply.result == "unsat" for reply in self.replies) else "unknown"

    @property
    def alone(self) -> str:
        """The one solver that refutes it while the others do not answer; empty if there is none such."""
        refuting = [reply.solver for reply in self.replies if reply.result == "unsat"]
        silent = all(reply.result in ("unsat", "unknown") for reply in self.replies)
        return refuting[0] if self.verdict == "unknown" and len(refuting) == 1 and silent else ""

    @property
    def why(self) -> str:
        """Why it is not proved by both, in words."""
        results = {reply.result for reply in self.replies}
        shown = ", ".join(f"{r.solver}: {r.result}" + (f" ({r.reason})" if r.reason else "") for r in self.replies)
        if {"sat", "unsat"} <= results:
            return f"the solvers disagree: {shown}"
        if self.alone:
            silent = [r for r in self.replies if r.solver != self.alone]
            said = ", ".join(f"{r.solver}: {r.reason or r.result}" for r in silent) or "no other was asked"
            return f"refuted by {self.alone} alone; {said}"
        return f"{shown}; no counterexample in the finite instances"

    @property
    def seconds(self) -> float:
        """How long the solvers took; nothing for what was remembered."""
        return sum(reply.seconds for reply in self.replies)


@dataclass(frozen=True, slots=True)
class Proof:
    """The answer to one claim."""

    claim: Claim
    outcomes: tuple[Outcome, ...]
    hollow: tuple[str, ...]
    """What would make the proof say nothing: an action that is never enabled, a conjunct that is always true."""
    fragment: Fragment
    seconds: float

    @property
    def verdict(self) -> Word:
        """Refuted if any obligation is; otherwise unknown if any is or the proof is hollow; otherwise proved."""
        if any(outcome.verdict == "refuted" for outcome in self.outcomes):
            return "refuted"
        return "unknown" if self.open_ones() or self.hollow else "proved"

    @property
    def exit_code(self) -> int:
        """0 proved, 1 a counterexample to induction, 3 unknown."""
        return {"proved": 0, "refuted": 1, "unknown": 3}[self.verdict]

    @property
    def asked(self) -> int:
        """How many obligations went to the solvers."""
        return sum(1 for outcome in self.outcomes if outcome.obligation.text)

    @property
    def counts(self) -> dict[str, int]:
        """Obligations by kind."""
        found: dict[str, int] = {}
        for outcome in self.outcomes:
            found[outcome.obligation.kind] = found.get(outcome.obligation.kind, 0) + 1
        return found

    def alone_ones(self) -> list[Outcome]:
        """The outcomes of which one solver says nothing, if they are few enough to be let pass."""
        found = [outcome for outcome in self.outcomes if outcome.alone]
        return found if len(found) * ALONE_IN <= self.asked else []

    def open_ones(self) -> list[Outcome]:
        """The outcomes that are not proved, without those that are let pass."""
        passed = {id(outcome) for outcome in self.alone_ones()}
        return [o for o in self.outcomes if o.verdict != "proved" and id(o) not in passed]

    def as_json(self) -> dict[str, Any]:
        """The proof in the form that `prove --json` prints."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "claim": self.claim.name,
            "title": self.claim.title,
            "verdict": self.verdict,
            "open": sorted(self.claim.open),
            "conjuncts": list(self.claim.conjuncts),
            "safety": [*self.claim.safety, *(step.__name__ for step in self.claim.all_steps)],
            "assumptions": list(self.claim.assumptions),
            "obligations": len(self.outcomes),
            "asked": self.asked,
            "kinds": self.counts,
            "hollow": list(self.hollow),
            "fragment": self.fragment.sentence,
            "seconds": round(self.seconds, 3),
            "alone": {outcome.obligation.name: outcome.why for outcome in self.alone_ones()},
            "open_obligations": [
                {
                    "name": outcome.obligation.name,
                    "verdict": outcome.verdict,
                    "why": outcome.why if outcome.verdict == "unknown" else "",
                    "counterexample": None if outcome.counterexample is None else outcome.counterexample.as_json(),
                }
                for outcome in self.open_ones()
            ],
        }


def prove(
    claim: Claim,
    *,
    timeout: float = TIMEOUT_SECONDS,
    cache: Cache | None = None,
    solvers: Iterable[str] = tuple(SOLVERS),
    only: Collection[str] = (),
    one_per_action: bool = False,
    established: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> Proof:
    """Ask the solvers for every obligation of a claim, and look for a counterexample where they do not refute it.

    timeout         seconds for each solver and obligation
    cache           verdicts remembered from earlier runs
    only            the actions to be asked about; the proof is then of them alone. None named: everything
    one_per_action  once a step of an action is refuted, ask no more about that action
    established     claims that are proved already; one that is given and not among them is proved first
    """
    started = time.monotonic()
    obligations = Obligations(claim)
    listed = list(obligations.listed(only))
    judge = Judge(obligations, timeout, cache or Cache(), tuple(solvers))
    outcomes: list[Outcome] = []
    refuted: set[str] = set()
    for done, obligation in enumerate(listed, 1):
        if one_per_action and obligation.action in refuted:
            continue
        outcomes.append(judge.outcome(obligation))
        if outcomes[-1].counterexample is not None and obligation.action:
            refuted.add(obligation.action)
        if progress is not None:
            progress(done, len(listed))
    hollow: tuple[str, ...] = ()
    if not only and not judge.refuted:
        hollow = tuple(hollow_parts(obligations))
        if claim.given is not None and claim.given.name not in established:
            base = prove(claim.given, timeout=timeout, cache=judge.cache, solvers=judge.solvers, progress=progress)
            if base.verdict != "proved":
                hollow += (f"it rests on {claim.given.name}, which is {base.verdict}",)
    fragment = Fragment.of(obligations)
    return Proof(claim, tuple(outcomes), hollow, fragment, time.monotonic() - started)


class Judge:
    """Puts obligations to the solvers, then to the finite instances."""

    def __init__(self, obligations: Obligations, timeout: float, cache: Cache, solvers: tuple[str, ...]) -> None:
        self.obligations, self.timeout, self.cache, self.solvers = obligations, timeout, cache, solvers
        self.refuted = False
        self._search = Search(obligations.claim)

    def outcome(self, obligation: Obligation) -> Outcome:
        """What becomes of one obligation. The second solver is not asked once a counterexample is found."""
        if not obligation.text:
            return Outcome(obligation, ())
        known = [self.cache.recall(obligation.text, name) for name in self.solvers]
        if all(reply is not None for reply in known):
            return Outcome(obligation, tuple(reply for reply in known if reply is not None), None, obligation.text)
        text = self.obligations.narrowed(obligation)
        narrow = self._asked(text) if text else ()
        if narrow and all(reply.result == "unsat" for reply in narrow):
            for reply in narrow:
                self.cache.remember(obligation.text, reply)
            return Outcome(obligation, narrow, None, text)
        return self._whole(obligation)

    def _asked(self, text: str) -> tuple[Reply, ...]:
        """What the solvers say of a text; the first that does not refute it is the last to be asked."""
        replies: list[Reply] = []
        for name in self.solvers:
            replies.append(self._reply(text, name))
            if replies[-1].result != "unsat":
                break
        return tuple(replies)

    def _reply(self, text: str, name: str) -> Reply:
        reply = self.cache.recall(text, name) or SOLVERS[name](text, self.timeout)
        self.cache.remember(text, reply)
        return reply

    def _whole(self, obligation: Obligation) -> Outcome:
        replies: list[Reply] = []
        searched = False
        for name in self.solvers:
            replies.append(self._reply(obligation.text, name))
            refuted = any(reply.result == "unsat" for reply in replies)
            if not refuted and not searched:
                searched = True
                found = self._search.find(obligation)
                if found is not None:
                    self.refuted = True
                    return Outcome(obligation, tuple(replies), found, obligation.text)
        return Outcome(obligation, tuple(replies), None, obligation.text)
