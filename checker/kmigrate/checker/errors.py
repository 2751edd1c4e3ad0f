"""What can go wrong while a question about a model is being answered."""

from kmigrate.spec.language import SpecError


class CheckerError(Exception):
    """Base of every error of the checker: the question was not answered."""


class SpecificationFault(CheckerError):
    """The text of the model itself goes wrong in a state that can be reached."""

    def __init__(self, error: SpecError, steps: tuple[str, ...]) -> None:
        way = " → ".join(steps) if steps else "the initial state"
        super().__init__(f"{error}; reached by {way}")
        self.error, self.steps = error, steps


class UnknownEngine(CheckerError):
    """An engine was asked for that does not exist."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no engine is called {name!r}; there are {', '.join(known)}")
        self.name, self.known = name, known


class NotOffered(CheckerError):
    """Something was asked of an engine that another one does."""

    def __init__(self, engine: str, what: str, other: str) -> None:
        super().__init__(f"the {engine} engine does not offer {what}; --engine {other} does")
        self.engine, self.what, self.other = engine, what, other


class TooLargeForEngine(CheckerError):
    """The state graph has outgrown what an engine is meant for."""

    def __init__(self, engine: str, limit: int) -> None:
        super().__init__(
            f"the state graph has more than {limit:,} states, too many for the {engine} engine; "
            "use the interpreter, or lower the parameters"
        )
        self.engine, self.limit = engine, limit


class ReplayDiffers(CheckerError):
    """A counterexample of one engine could not be replayed by the interpreter: an engine is wrong."""

    def __init__(self, engine: str, step: int, label: str, difference: str) -> None:
        super().__init__(f"step {step} ({label}) of the {engine} engine's trace does not replay: {difference}")
        self.engine, self.step, self.label = engine, step, label
