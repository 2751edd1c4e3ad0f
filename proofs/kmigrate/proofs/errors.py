"""What can go wrong while something is being proved."""


class ProofError(Exception):
    """Base of every error of the proofs: the question was not answered."""


class UnknownClaim(ProofError):
    """A claim was asked for that does not exist."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no claim is called {name!r}; there are {', '.join(known)}")
        self.name, self.known = name, known


class UnknownConjunct(ProofError):
    """A claim names a property that its model does not have."""

    def __init__(self, claim: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"claim {claim}: no invariant is called {name!r}; there are {', '.join(known)}")
        self.claim, self.name, self.known = claim, name, known


class NotOpen(ProofError):
    """A parameter was to have one value in a claim that does not speak of all its values, or the value is none."""

    def __init__(self, claim: str, name: str, problem: str) -> None:
        super().__init__(f"claim {claim}: {name} {problem}")
        self.claim, self.name, self.problem = claim, name, problem


class BadDirectory(ProofError):
    """A directory holds no proof that could be checked again."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}; `kmigrate prove --write DIR` makes such a directory")
        self.path, self.problem = path, problem


class ReplayDiffers(ProofError):
    """A counterexample to induction is none by the plain meaning of the text: a tracer is wrong."""

    def __init__(self, claim: str, action: str, difference: str) -> None:
        super().__init__(f"claim {claim}, action {action}: the counterexample does not replay: {difference}")
        self.claim, self.action, self.difference = claim, action, difference


class NoSuchSolver(ProofError):
    """A solver was named that cannot be run."""

    def __init__(self, command: str, problem: str) -> None:
        super().__init__(
            f"--solver {command!r}: {problem}; name a program that reads SMT-LIB on its standard input"
        )
        self.command, self.problem = command, problem


class UnassignedAbove(ProofError):
    """An abstraction does not say what an element of the model above is, and something reads it."""

    def __init__(self, variable: str) -> None:
        super().__init__(
            f"the abstraction does not assign every element of {variable}, which the model above reads"
        )
        self.variable = variable


class NothingInferred(ProofError):
    """No inductive strengthening of a claim was found."""

    def __init__(self, claim: str, problem: str) -> None:
        super().__init__(f"claim {claim}: nothing was inferred: {problem}")
        self.claim, self.problem = claim, problem


class NoMechanisms(ProofError):
    """The fewest mechanisms were asked for of a model that has none to switch."""

    def __init__(self, claim: str) -> None:
        super().__init__(f"claim {claim}: its model has no mechanisms to add; `repaired` has")
        self.claim = claim
