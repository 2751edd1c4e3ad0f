"""Random small models: a model class and the readable source it was made from.

`models()` draws the text of a module with one `Model` subclass: two to four variables, scalar or array, over
bool, an Enum, ranges and identities; actions with guards, branches, loops, nested arrays, arithmetic and
quantifiers; one or two invariants. The text is executed as it stands, so a failing example is printed as
code that can be pasted into a file. `states(model)` draws any state of the sorts, reachable or not.

Constants of an identity sort are never drawn: every generated model is symmetric in its nodes.
"""

import linecache
import math
import textwrap
import zlib
from dataclasses import dataclass
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from kmigrate.spec.language import ANY, Model
from kmigrate.spec.language.model import State
from support.modeltext import Writer

MOST_INITIAL = 5_000
"""Initial states of a model at most; two indices over free nodes could make a hundred million."""


HEADER = """\
from enum import Enum

from kmigrate.spec.language import (
    ANY, Identity, Member, Model, Range, action, array, at_most_one, count, exists, forall, implies,
    initial, invariant, one_of, parameter, require, terminal, variable,
)


class Colour(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class NodeId(Member):
    letter = "n"


Node = Identity(NodeId, "nodes")
"""


@dataclass(frozen=True, slots=True)
class Generated:
    """A model class and the source it was made from."""

    source: str
    kind: type[Model]

    @property
    def model(self) -> Model:
        """The model with its default parameters."""
        return self.kind()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Shown by Hypothesis as the source itself."""
        printer.text("a model made from:\n" + self.source)


def from_source(source: str, name: str = "Generated") -> Generated:
    """Execute the text of a module; error messages can quote its lines."""
    text = textwrap.dedent(source).strip() + "\n"
    file = f"<generated {zlib.crc32(text.encode()):08x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    return Generated(text, namespace[name])


def states(model: Model) -> st.SearchStrategy[State]:
    """Any state of the model: each slot holds any code of its sort."""
    return st.tuples(*(st.integers(0, slot.domain.size - 1) for slot in model.schema.slots))


@st.composite
def models(draw: st.DrawFn, *, faults: bool = True) -> Generated:
    """A small random model.

    faults  whether its text may go wrong, by an index or an assignment that leaves its sort in some states
    """
    generated = from_source(HEADER + Writer(draw, faults).module())
    free = [slot.domain.size for slot in generated.model.schema.slots if slot.variable.init is ANY]
    assume(math.prod(free) <= MOST_INITIAL)
    return generated
