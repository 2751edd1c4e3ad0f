"""Obligations: what solvers have to refute for a claim to be proved, as SMT-LIB text.

All come from the traced text of the model. For an inductive invariant: it holds at the start, every path of every
action keeps every conjunct, it implies what is claimed, and where it holds the text itself does not go wrong.
For a ranking: an action that is due is enabled, and each of its paths changes the measure of its item.
Each is one text that is unsatisfiable if the obligation is met, and the same text goes to every solver.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import z3

from kmigrate.proofs.claim import Claim
from kmigrate.proofs.relevance import EFFORT, Relevance
from kmigrate.proofs.script import Named, Question, Script
from kmigrate.spec.language import SpecError
from kmigrate.spec.language.model import Model
from kmigrate.spec.language.stores import conjunction
from kmigrate.spec.language.unbounded import OpenAction, OpenFault, OpenPath, UnboundedModel
from kmigrate.spec.language.variable import Variable

Term: TypeAlias = Any
Kind = Literal["initiation", "consecution", "safety", "step", "soundness", "enabled", "progress"]


@dataclass(frozen=True, slots=True)
class Obligation:
    """One question to the solvers.

    action   the action by its label; empty where the obligation speaks of no step
    goal     the conjunct, the property, the step's claim, the action that is due, or where the text may go wrong
    path     which way through the action, from 1; 0 where the obligation speaks of no step
    text     SMT-LIB; unsatisfiable if the obligation is met. Empty: the step changes nothing that the goal reads
    """

    claim: str
    kind: Kind
    action: str
    goal: str
    path: int
    text: str
    place: str = ""
    """Of soundness: the line of the specification, and what it does there."""
    question: Question | None = field(default=None, compare=False, repr=False)
    """What the text was written from."""

    @property
    def name(self) -> str:
        """A name that is a file name, too."""
        parts = [self.kind, self.action, self.goal, str(self.path) if self.path else ""]
        joined = ".".join(part for part in parts if part)
        return "".join(c if c.isalnum() or c in "._-" else "-" for c in joined)

    @property
    def digest(self) -> str:
        """The hash of the text: what a verdict is remembered by."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass
class Obligations:
    """All obligations of a claim."""

    claim: Claim
    effort: int = EFFORT
    """How hard it is tried to find the hypotheses that an obligation needs (see `relevance`)."""
    model: Model = field(init=False)
    traced: UnboundedModel = field(init=False)

    def __post_init__(self) -> None:
        self.model = self.claim.instance(self.claim.sizes[0])
        self.traced = UnboundedModel(self.model, self.claim.open)
        self._script = Script(self.traced, self.claim.name)
        self._relevance = Relevance(self.traced, self.effort)
        self._variables = {v.name: v for v in self.traced.variables}

    @cached_property
    def conjuncts(self) -> dict[str, tuple[Term, tuple[OpenFault, ...]]]:
        """The inductive invariant, conjunct by conjunct."""
        return {name: self._traced(name) for name in self.claim.conjuncts}

    @cached_property
    def steps(self) -> dict[str, tuple[Term, tuple[OpenFault, ...]]]:
        """What is claimed of steps."""
        return {claim.__name__: self.traced.step(claim) for claim in self.claim.all_steps}

    @cached_property
    def given(self) -> dict[str, Term]:
        """The conjuncts of the claim on which this one rests."""
        names = () if self.claim.given is None else self.claim.given.hypotheses
        return {name: self._traced(name)[0] for name in names}

    def _traced(self, name: str) -> tuple[Term, tuple[OpenFault, ...]]:
        return self.traced.property(self.claim.property(self.model, name))

    @cached_property
    def hypotheses(self) -> list[Named]:
        """What is known of a state in which the invariant holds."""
        return [*self._known, *self.given.items(), *((name, term) for name, (term, _) in self.conjuncts.items())]

    @cached_property
    def _known(self) -> list[Named]:
        """What is known of every state: the sizes, and the sorts of the variables."""
        sizes = [("size", term) for term in self.traced.sizes]
        return [*sizes, *((f"sort of {name}", term) for name, term in self.traced.typing)]

    def listed(self, only: Collection[str] = ()) -> Iterator[Obligation]:
        """All obligations, or those of the actions named in `only`."""
        if only:
            for action in self.traced.actions_called(only):
                yield from self.of_action(action)
            yield from (one for one in self.progress() if one.goal.partition(".")[0] in only)
            return
        yield from self.initiation()
        for action in self.traced.actions:
            yield from self.of_action(action)
        yield from self.progress()
        yield from self.safety()
        yield from self.soundness()

    def about(self, goals: Collection[str]) -> Iterator[Obligation]:
        """The obligations of some conjuncts, and of what is claimed if it is named."""
        yield from self.initiation(goals)
        for action in self.traced.actions:
            for number, path in enumerate(action.paths, 1):
                yield from self._consecution(action, number, path, goals)
        yield from (one for one in self.safety() if one.goal in goals)

    def _among(self, goals: Collection[str] | None) -> list[tuple[str, tuple[Term, tuple[OpenFault, ...]]]]:
        """The conjuncts, or those that are named."""
        return [one for one in self.conjuncts.items() if goals is None or one[0] in goals]

    def initiation(self, goals: Collection[str] | None = None) -> Iterator[Obligation]:
        """Every conjunct holds at the start, or those that are named do."""
        known = [*self._known, *(("number", term) for term in self.traced.numbering)]
        for name, (term, _) in self._among(goals):
            for number, path in enumerate(self.traced.start.paths, 1):
                yield self._after("initiation", self.traced.start, name, number, path, known, term)
        for number, fault in enumerate(self.traced.start.faults, 1):
            yield self._fault(f"initially.{number}", fault, known)

    def of_action(self, action: OpenAction) -> Iterator[Obligation]:
        """Every path of an action keeps every conjunct and does what is claimed of steps."""
        for number, path in enumerate(action.paths, 1):
            yield from self._consecution(action, number, path)
            kept = [v for v in self.traced.variables if v.name not in path.written]
            for name, (told, _) in self.steps.items():
                yield self._step(action, name, number, path, _as_before(self.traced, told, kept))

    def _consecution(
        self, action: OpenAction, number: int, path: OpenPath, goals: Collection[str] | None = None
    ) -> Iterator[Obligation]:
        for name, (term, _) in self._among(goals):
            yield self._after("consecution", action, name, number, path, self.hypotheses, term)

    def progress(self) -> Iterator[Obligation]:
        """Every action that is due is enabled, and brings its item on by each of its paths."""
        ranking = self.claim.ranking
        if ranking is None:
            return
        name = f"the.{ranking.parameter}"
        changed = z3.Not(self.traced.step_of_one(ranking.item, name, ranking.unchanged))
        for due in ranking.due:
            when = self.traced.of_one(ranking.item, name, due.when)
            found = self.traced.actions_called((due.action,))
            paths = [(action, path) for action in found for path in action.paths]
            asserted: list[Named] = [
                *((f"the {ranking.parameter}", term) for term in self.traced.some_within(ranking.item, name)),
                (f"{due.action} is due", when),
                *((f"path {n} is not enabled", z3.Not(conjunction(p.guard))) for n, (_, p) in enumerate(paths, 1)),
            ]
            question = Question(f"{due.action} is enabled when it is due", tuple(self.hypotheses), tuple(asserted))
            yield self._asked("enabled", "", due.name, 0, question)
            for number, (action, path) in enumerate(paths, 1):
                known = [*self.hypotheses, (f"{due.action} is due", when)]
                kept = [v for v in self.traced.variables if v.name not in path.written]
                told = _as_before(self.traced, changed, kept)
                yield self._stepping("progress", action, due.name, number, path, known, told)

    def safety(self) -> Iterator[Obligation]:
        """What is claimed follows, where it is not a conjunct itself."""
        for name in self.claim.safety:
            if name not in self.conjuncts:
                term, _ = self._traced(name)
                question = Question("safety", tuple(self.hypotheses), ((f"not {name}", z3.Not(term)),))
                yield self._asked("safety", "", name, 0, question)

    def soundness(self) -> Iterator[Obligation]:
        """Where the invariant holds, no index and no assignment leaves its sort."""
        for action in self.traced.actions:
            for number, fault in enumerate(action.faults, 1):
                yield self._fault(f"{action.label}.{number}", fault, self.hypotheses, action.within)
        for name in (*self.claim.conjuncts, *(n for n in self.claim.safety if n not in self.conjuncts)):
            _, faults = self.conjuncts.get(name) or self._traced(name)
            for number, fault in enumerate(faults, 1):
                yield self._fault(f"{name}.{number}", fault, self.hypotheses)
        both = [*self.hypotheses, *((f"{n} afterwards", self._afterwards(t)) for n, t in self.hypotheses)]
        for name, (_, faults) in self.steps.items():
            for number, fault in enumerate(faults, 1):
                yield self._fault(f"{name}.{number}", fault, both)

    def _afterwards(self, term: Term) -> Term:
        return self.traced.told_after(term, self.traced.variables)

    # -- one obligation -----------------------------------------------------------------------------

    def _after(
        self,
        kind: Kind,
        action: OpenAction,
        goal: str,
        number: int,
        path: OpenPath,
        known: list[Named],
        term: Term,
    ) -> Obligation:
        changed = [self._variables[name] for name in path.written]
        told = self.traced.told_after(term, changed)
        if told.eq(term) and kind != "initiation":  # what reads nothing that is set must hold at the start, too
            return Obligation(self.claim.name, kind, action.label, goal, number, "")
        return self._stepping(kind, action, goal, number, path, known, told)

    def _step(self, action: OpenAction, goal: str, number: int, path: OpenPath, told: Term) -> Obligation:
        return self._stepping("step", action, goal, number, path, self.hypotheses, told)

    def _stepping(
        self,
        kind: Kind,
        action: OpenAction,
        goal: str,
        number: int,
        path: OpenPath,
        known: list[Named],
        told: Term,
    ) -> Obligation:
        asserted = (
            *((f"{action.label}: its parameters", term) for term in action.within),
            *((f"{action.label}: guard", term) for term in path.guard),
            (f"not {goal} afterwards", z3.Not(told)),
        )
        defined = tuple((self._variables[name], path) for name in path.written)
        question = Question(f"{kind} of {goal} by {action.label}", tuple(known), asserted, defined)
        return self._asked(kind, action.label, goal, number, question)

    def _fault(self, where: str, fault: OpenFault, known: list[Named], within: Iterable[Term] = ()) -> Obligation:
        asserted = (*(("within", t) for t in within), *(("goes wrong", t) for t in fault.guard))
        question = Question(f"soundness at {where}", tuple(known), asserted)
        return self._asked("soundness", "", where, 0, question, place=place_of(fault.error))

    def _asked(
        self, kind: Kind, action: str, goal: str, number: int, question: Question, *, place: str = ""
    ) -> Obligation:
        text = self._script.text(question)
        return Obligation(self.claim.name, kind, action, goal, number, text, place, question)

    def narrowed(self, obligation: Obligation) -> str:
        """The text of an obligation with those hypotheses alone that a refutation needs.

        Empty where no refutation was found; the whole text is then the one to ask.
        """
        if obligation.question is None:
            return ""
        needed = self._relevance.needed(obligation.question)
        return "" if needed is None else self._script.text(obligation.question, needed)

    def needed(self, obligation: Obligation) -> tuple[str, ...] | None:
        """The names of the hypotheses that a refutation needs; None where none was found."""
        assert obligation.question is not None, "what changes nothing that its goal reads needs no hypothesis"
        places = self._relevance.needed(obligation.question)
        return None if places is None else tuple(obligation.question.known[place][0] for place in places)


def place_of(error: SpecError) -> str:
    """Where a text goes wrong, in words that are the same for every instance of an action."""
    return f"{getattr(error, 'location', '')} {type(error).__name__} {getattr(error, 'variable', '')}"


def _as_before(traced: UnboundedModel, told: Term, kept: list[Variable]) -> Term:
    """A claim about a step that leaves some variables as they are: those are the same functions after it."""
    constants = [(traced.function(v, after=True)(), traced.function(v)()) for v in kept if not v.index]
    functions = []
    for variable in (v for v in kept if v.index):
        old = traced.function(variable)
        places = (z3.Var(n, old.domain(n)) for n in range(old.arity()))
        functions.append((traced.function(variable, after=True), old(*places)))
    told = z3.substitute(told, *constants) if constants else told
    return z3.substitute_funs(told, *functions) if functions else told
