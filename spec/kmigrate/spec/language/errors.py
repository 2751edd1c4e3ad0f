"""What a specification can get wrong, said in one line each: what, where, and what would be right."""

import linecache
import sys
from dataclasses import dataclass

_LANGUAGE = "kmigrate.spec.language"


@dataclass(frozen=True, slots=True)
class Location:
    """One line of a specification."""

    file: str
    line: int

    @property
    def text(self) -> str:
        """The line itself, without its indentation; empty if the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        shown = f"{self.file}:{self.line}"
        return f"{shown} `{self.text}`" if self.text else shown


def calling_line() -> Location:
    """The innermost line that is not part of the language itself: the specification's own."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_LANGUAGE):
        frame = frame.f_back
    return Location(frame.f_code.co_filename, frame.f_lineno)


class SpecError(Exception):
    """Base of every error of the specification language."""


class BadDeclaration(SpecError):
    """A model class declares something that cannot be understood."""

    def __init__(self, owner: str, problem: str, mend: str) -> None:
        super().__init__(f"{owner}: {problem}; {mend}")
        self.owner, self.problem, self.mend = owner, problem, mend


class BadParameter(SpecError):
    """A model was asked for with a parameter that it does not have, or a value out of range."""

    def __init__(self, model: str, parameter: str, problem: str) -> None:
        super().__init__(f"{model}: parameter {parameter} {problem}")
        self.model, self.parameter, self.problem = model, parameter, problem


class OutsideARun(SpecError):
    """A word of the language was used where no action, property or initial state is being evaluated."""

    def __init__(self, word: str) -> None:
        super().__init__(
            f"{calling_line()}: {word} has a meaning only while a model is evaluated; "
            "call it inside an action, an invariant or another property of a Model"
        )
        self.word = word


class IndexOutOfSort(SpecError):
    """A variable was indexed with a value that is not in the sort of its index."""

    def __init__(self, variable: str, value: object, sort: str) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: {variable} is indexed with {value!r}, which is not in {sort}; "
            f"guard the action with a `require` that keeps the index in {sort}"
        )
        self.variable, self.value, self.sort = variable, value, sort


class AssignmentOutsideDomain(SpecError):
    """A variable was assigned a value that is not in its sort."""

    def __init__(self, variable: str, value: object, sort: str) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: {variable} is assigned {value!r}, which is not in {sort}; "
            f"widen the sort, or guard the action with a `require` that keeps the value in {sort}"
        )
        self.variable, self.value, self.sort = variable, value, sort


class GuardAfterAssignment(SpecError):
    """A `require` came after an assignment of the same action, so it would read the new state."""

    def __init__(self, assigned: Location) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: this guard comes after the assignment at line {assigned.line} and would judge "
            "the new state; write every `require` before the first assignment, or use `if` for a branch"
        )
        self.assigned = assigned


class AssignmentInProperty(SpecError):
    """A property or a quantified condition assigned to a variable."""

    def __init__(self, variable: str) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: {variable} is assigned inside a condition; "
            "only the body of an action or of an initial state may assign"
        )
        self.variable = variable


class GuardInProperty(SpecError):
    """A `require` stood inside a property or a quantified condition."""

    def __init__(self) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: `require` stands inside a condition; return the condition itself, "
            "or use `implies(premise, conclusion)`"
        )


class NoOrder(SpecError):
    """Two members of an enumeration were ordered or counted with; only a Range has an order."""

    def __init__(self, sort: str, operation: str) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: {sort} is an enumeration, without order and arithmetic ({operation}); "
            "compare with == or one_of, or declare a Range if the order is meant"
        )
        self.sort, self.operation = sort, operation


class ArrayMisused(SpecError):
    """An array was used as a whole; only its elements have values."""

    def __init__(self, variable: str, construct: str, mend: str) -> None:
        self.location = calling_line()
        super().__init__(f"{self.location}: the array {variable} {construct}; {mend}")
        self.variable, self.construct, self.mend = variable, construct, mend


class AssignmentToNoVariable(SpecError):
    """An attribute that is no variable of the model was assigned during a run."""

    def __init__(self, model: str, name: str, known: str) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: {model} has no variable called {name!r}, so the assignment would be forgotten; "
            f"its variables are {known}"
        )
        self.model, self.name = model, name


class IdentitiesHaveNoOrder(SpecError):
    """Two identities were ordered, counted with or used as numbers; that would break their symmetry."""

    def __init__(self, sort: str, operation: str) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: {sort} is a sort of identities, which have no order and no arithmetic "
            f"({operation}); compare with == or !=, or declare a Range if the order is meant"
        )
        self.sort, self.operation = sort, operation


class SilentDecision(SpecError):
    """A traced value met a Python construct that would decide its value without leaving a trace."""

    def __init__(self, value: str, construct: str, mend: str) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: the traced value {value} is {construct}, which would decide it silently; {mend}"
        )
        self.value, self.construct, self.mend = value, construct, mend


class LoopWithoutBound(SpecError):
    """A Python loop or index met a number that is left open when every size is meant."""

    def __init__(self, number: str) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: {number} is left open here, so nothing can be done that many times; "
            "write `for x in each(Sort)`, or quantify with forall or exists"
        )
        self.number = number


class LoopNotPointwise(SpecError):
    """The passes of a loop over a sort of open size are not all made, or touch what others touch."""

    def __init__(self, location: Location, deed: str, sort: str) -> None:
        super().__init__(
            f"{location}: a loop over {sort} {deed}; where the size is open, every pass is made, and each may only "
            "assign and read back elements that its own value indexes"
        )
        self.location, self.deed, self.sort = location, deed, sort


class GuardInLoop(SpecError):
    """A guard stands in a loop over a sort of open size."""

    def __init__(self) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: this guard is asked in each pass of a loop over a sort of open size; "
            "write `require(forall(sort, condition))` before the loop"
        )


class CountNotOpen(SpecError):
    """A count stands in a property or under a quantifier, where an open size gives it no term."""

    def __init__(self, sort: str) -> None:
        self.location = calling_line()
        super().__init__(
            f"{self.location}: how many values of {sort} is asked in a property or a quantified condition, and "
            f"{sort} has an open size; say it with forall, exists or at_most_one"
        )
        self.sort = sort


class IdentityComparison(SpecError):
    """A specification compared with `is`, which Python decides without asking the values."""

    def __init__(self, location: Location) -> None:
        super().__init__(
            f"{location}: `is` compares Python objects, not values of the model; write == or != instead"
        )
        self.location = location


class TooManyPaths(SpecError):
    """Tracing one action or property forked into more paths than anyone could want."""

    def __init__(self, what: str, limit: int, location: Location) -> None:
        super().__init__(
            f"{location}: {what} forks into more than {limit} paths; loop over a sort rather than `while`, "
            "and quantify with forall or exists rather than a Python loop with `and`"
        )
        self.what, self.limit, self.location = what, limit, location
