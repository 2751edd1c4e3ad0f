"""Wrong texts of models, and what is said of them: the line at fault carries the mark `# <-`."""

import textwrap
from dataclasses import dataclass

from kmigrate.spec.language import Model, errors
from kmigrate.spec.language.plain import evaluate, execute, initial_states
from kmigrate.spec.language.trace import TracedModel
from support.models import Generated, from_source

HEADER = """\
from enum import Enum
from kmigrate.spec.language import *

class Phase(Enum):
    IDLE = "idle"
    BUSY = "busy"
    GONE = "gone"

class NodeId(Member):
    letter = "n"

Node = Identity(NodeId, 2)
Small = Range(0, 2)
Wide = Range(0, 5)

class Case(Model):
    phase = variable("a phase", of=Phase, init=Phase.IDLE)
    phases = array("phases", Small, of=Phase, init=Phase.IDLE)
    small = variable("a small number", of=Small, init=0)
    wide = variable("a wide number", of=Wide, init=0)
    table = array("a table", Small, of=Small, init=0)
    node = variable("a node", of=Node, init=ANY)
    other = variable("a node or none", of=Node.or_null, init=Node.null)
    owner = array("an owner", Node, of=Node.or_null, init=Node.null)
    flag = variable("a flag", of=bool, init=False)
"""


def case(text: str, kind: str = "action") -> Generated:
    """A model with one action or property whose body is `text`."""
    head = f"\n@{kind}\ndef act(self):\n    'What is tried.'\n"
    return from_source(
        HEADER + textwrap.indent(head + textwrap.indent(textwrap.dedent(text), "    "), "    "), "Case"
    )


def marked(generated: Generated) -> int:
    (line,) = [n for n, text in enumerate(generated.source.splitlines(), 1) if text.endswith("# <-")]
    return line


def check_message(error: BaseException, generated: Generated, mend: str) -> None:
    """The message names the marked line and the mend."""
    file = generated.kind.act.__code__.co_filename  # type: ignore[attr-defined]
    assert f"{file}:{marked(generated)} `" in str(error)
    assert mend in str(error)


@dataclass(frozen=True)
class Wrong:
    """A wrong text, and what is said of it."""

    text: str
    error: type[errors.SpecError]
    mend: str
    kind: str = "action"

    @property
    def model(self) -> Generated:
        return case(self.text, self.kind)


def condition(expression: str, mend: str, error: type[errors.SpecError] = errors.SilentDecision) -> Wrong:
    return Wrong(f"return {expression}  # <-", error, mend, "invariant")


def run_plainly(model: Model, codes: dict[str, int] | None = None) -> None:
    """Run the only action, or ask the only property, in the first initial state with some slots changed."""
    state = list(initial_states(model)[0])
    names = [slot.name for slot in model.schema.slots]
    for name, code in (codes or {}).items():
        state[names.index(name)] = code
    for instance in model.schema.actions:
        execute(model, instance, tuple(state))
    for asked in model.schema.properties:
        evaluate(model, asked, tuple(state))


def trace_all(model: Model) -> TracedModel:
    traced = TracedModel(model)
    assert isinstance(traced.faults, tuple)
    return traced
