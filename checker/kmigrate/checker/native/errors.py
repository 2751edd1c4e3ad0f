"""What can go wrong while a model is turned into machine code."""

from kmigrate.checker.errors import CheckerError


class UnsupportedOperator(CheckerError):
    """A traced term holds an operator that the code generator does not know."""

    def __init__(self, operator: str, term: str) -> None:
        super().__init__(
            f"the native engine cannot compile the operator {operator!r} in {term}; use the interpret engine"
        )
        self.operator, self.term = operator, term


class EnginesDisagree(CheckerError):
    """The machine code and the text say different things of one state: the engine is wrong."""

    def __init__(self, what: str, state: str) -> None:
        super().__init__(f"the native engine and the interpreter disagree on {what} in {state}")
        self.what, self.state = what, state


class BadCheckpoint(CheckerError):
    """A file cannot serve to resume this search."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"checkpoint {path}: {problem}; remove the file to start afresh")
        self.path, self.problem = path, problem
