"""The formats by name: what `kmigrate export MODEL --format NAME` can write."""

from __future__ import annotations

from kmigrate.checker.errors import CheckerError
from kmigrate.checker.export import dot, promela, smtlib, tla
from kmigrate.spec.language import Model
from kmigrate.spec.language.trace import TracedModel

MODEL_FORMATS: dict[str, str] = {
    "promela": "Promela, for SPIN",
    "tla": "TLA+, for TLC",
    "smt2": "SMT-LIB: no invariant fails within so many steps",
    "dot": "DOT: the state graph of a small model",
}
TRACE_FORMATS: dict[str, str] = {
    "itf": "the Informal Trace Format: a counterexample for trace viewers",
    "mermaid": "a counterexample as a Mermaid sequence chart",
}


class UnknownFormat(CheckerError):
    """A format was asked for that does not exist."""

    def __init__(self, name: str) -> None:
        known = ", ".join([*MODEL_FORMATS, *TRACE_FORMATS])
        super().__init__(f"no format is called {name!r}; there are {known}")
        self.name = name


def export(model: Model, form: str, *, depth: int = 8) -> str:
    """A model as text in another language. `depth` is the bound of smt2, in steps."""
    match form:
        case "promela":
            return promela.text(TracedModel(model))
        case "tla":
            return tla.text(TracedModel(model))
        case "smt2":
            return smtlib.text(TracedModel(model), depth=depth)
        case "dot":
            return dot.text(model)
        case _:
            raise UnknownFormat(form)
