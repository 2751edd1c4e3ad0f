"""Misuse: every wrong use is told with the line of the specification and a way to mend it.

The cases are written as source text, so that the line at fault is the one that carries the mark `# <-`.
"""

import re
import textwrap
from dataclasses import dataclass
from typing import Any

import pytest

from kmigrate.spec.language import Model, Range, errors, forall, require
from kmigrate.spec.language import paths as tracing
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


# -- constructs that would decide silently ----------------------------------------------------------

SILENT = {
    "hash": condition("hash(self.phase) == 1", "index an array by its sort, or use one_of"),
    "hash of a flag": condition("hash(self.flag) == 1", "use one_of"),
    "hash of a number": condition("hash(self.small) == 1", "use one_of"),
    "dictionary key": condition("{Phase.IDLE: True}[self.phase]", "index an array by its sort"),
    "dictionary get": condition("{0: True}.get(self.small, False)", "index an array by its sort"),
    "made a key": condition("bool({self.phase: 1})", "index an array by its sort"),
    "in a set": condition("self.phase in {Phase.IDLE, Phase.BUSY}", "use one_of"),
    "in a frozenset": condition("self.small in frozenset((1, 2))", "use one_of"),
    "in a tuple": condition("self.phase in (Phase.IDLE, Phase.BUSY)", "write one_of(value, first, second)"),
    "not in a tuple": condition("self.phase not in (Phase.IDLE, Phase.BUSY)", "write one_of(value, first, second)"),
    "in a list": condition("self.phase in [Phase.IDLE, Phase.BUSY]", "write one_of(value, first, second)"),
    "a number in a list": condition("self.small in [1, 2]", "write one_of(value, first, second)"),
    "a number in a range": condition("self.small in range(2)", "write one_of(value, first, second)"),
    "a node in a list": condition("self.node in [self.owner[self.node]]", "write one_of"),
    "a flag in a tuple": condition("self.flag in (self.small == 1, self.small == 2)", "write one_of"),
    "a plain value in a list of traced ones": condition("1 in [self.small, self.wide]", "write one_of"),
    "f-string": condition("f'{self.phase}' == 'x'", "text has no place in a transition"),
    "format specification": condition("f'{self.small:03}' == '001'", "text has no place in a transition"),
    "format method": condition("'{}'.format(self.flag) == 'True'", "text has no place in a transition"),
    "str": condition("str(self.small) == '1'", "text has no place in a transition"),
    "percent": condition("'%s' % self.small == '1'", "text has no place in a transition"),
    "name of a member": condition("self.phase.name == 'IDLE'", "compare it with == to the members of its sort"),
    "value of a member": condition("self.phase.value == 'idle'", "compare it with =="),
    "number of an identity": condition("self.node.index == 0", "compare it with =="),
    "len": condition("len(self.small) == 1", "count over its sort with count(sort, condition)"),
    "iter": condition("any(x for x in self.phase)", "quantify over its sort with forall or exists"),
    "unpacking": Wrong("a, b = self.phase  # <-\nreturn a", errors.SilentDecision, "quantify over", "invariant"),
    "searched": condition("1 in self.small", "quantify over its sort with exists"),
    "int": condition("int(self.small) == 1", "compare it as it is"),
    "float": condition("float(self.small) == 1", "models have no fractions"),
    "truth of a member": condition("bool(self.phase)", "compare it with == to a member of its sort"),
    "bitwise and": condition("bool(self.small & 1)", "use a Range with +, -, *, // or % by a constant"),
    "and of flags": condition("(self.flag & self.flag)", "use a Range with"),
    "true division": condition("self.small / 2 == 1", "use a Range with"),
    "power": condition("self.small ** 2 == 1", "use a Range with"),
    "division by a traced number": condition("self.wide // self.small == 1", "rewrite the expression"),
    "modulus of a negative number": condition("(self.small - 1) % 2 == 0", "rewrite the expression"),
}


@pytest.mark.parametrize("wrong", SILENT.values(), ids=SILENT)
def test_a_traced_value_refuses_to_decide_silently(wrong: Wrong) -> None:
    generated = wrong.model
    with pytest.raises(wrong.error) as raised:
        assert TracedModel(generated.model).properties
    check_message(raised.value, generated, wrong.mend)


def test_what_a_path_knows_may_be_used_as_any_python_value() -> None:
    generated = case(
        """
        if self.phase == Phase.IDLE:
            return self.phase in {Phase.IDLE} and f"{self.phase.name}" == "IDLE"
        return True
        """,
        "invariant",
    )
    assert str(TracedModel(generated.model).properties["act"]) == "True"


# -- identities -------------------------------------------------------------------------------------

ORDER = "have no order and no arithmetic"
IDENTITIES = {
    "less": "self.node < self.other",
    "less than a member": "self.node < Node.member(1)",
    "member less than it": "Node.member(1) <= self.node",
    "max": "max(self.node, self.other) == self.node",
    "plus": "self.node + 1 == 2",
    "minus": "self.node - self.other == 0",
    "two quantified": "forall(Node, lambda a: forall(Node, lambda b: a <= b))",
}


@pytest.mark.parametrize("expression", IDENTITIES.values(), ids=IDENTITIES)
def test_identities_are_not_ordered_or_added_on_values_or_on_terms(expression: str) -> None:
    generated = condition(expression, "").model
    model = generated.model
    with pytest.raises(errors.IdentitiesHaveNoOrder) as raised:
        assert TracedModel(model).properties
    check_message(raised.value, generated, "compare with == or !=, or declare a Range if the order is meant")
    with pytest.raises(errors.IdentitiesHaveNoOrder) as raised:
        evaluate(model, model.schema.properties[0], initial_states(model)[0])
    check_message(raised.value, generated, ORDER)


# -- `is` -------------------------------------------------------------------------------------------

IS = {
    "is": "return self.phase is Phase.IDLE  # <-",
    "is not": "return self.phase is not Phase.IDLE  # <-",
    "in a lambda": "return forall(Small, lambda i: self.phases[i] is Phase.IDLE)  # <-",
    "in a lambda in a lambda": """
        return forall(Node, lambda a: exists(
            Node, lambda b: a is b  # <-
        ))""",
    "in a nested function": """
        def idle(i):
            return self.phases[i] is Phase.IDLE  # <-
        return forall(Small, idle)""",
    "in a comprehension": "return all(p is Phase.IDLE for p in Phase)  # <-",
    "with None on the left": "return None is self.phase  # <-",
}


@pytest.mark.parametrize("text", IS.values(), ids=IS)
def test_is_is_found_when_the_class_is_made(text: str) -> None:
    with pytest.raises(errors.IdentityComparison) as raised:
        case(text, "invariant")
    assert raised.value.location.text.endswith("# <-")
    assert re.match(r"<generated \w+>:\d+ `.*# <-`: `is` compares .*; write == or != instead", str(raised.value))


def test_is_none_is_allowed() -> None:
    generated = case("x = None\nreturn x is None or x is not None", "invariant")
    assert issubclass(generated.kind, Model)


# -- leaving a sort ---------------------------------------------------------------------------------

INDEX, ASSIGNED = errors.IndexOutOfSort, errors.AssignmentOutsideDomain
KEEP_INDEX = "guard the action with a `require` that keeps the index in 0..2"
KEEP_VALUE = "widen the sort, or guard the action with a `require` that keeps the value in 0..2"

ALWAYS = {
    "a constant index": Wrong("self.table[3] = 0  # <-", INDEX, KEEP_INDEX),
    "an index of another sort": Wrong("self.table[Phase.IDLE] = 0  # <-", INDEX, KEEP_INDEX),
    "a boolean for a number": Wrong("self.table[True] = 0  # <-", INDEX, KEEP_INDEX),
    "too many indices": Wrong("self.table[0, 1] = 0  # <-", INDEX, KEEP_INDEX),
    "null as an index": Wrong("self.owner[Node.null] = Node.null  # <-", INDEX, "keeps the index in NodeId"),
    "a constant index that is read": Wrong("return self.table[3] == 0  # <-", INDEX, KEEP_INDEX, "invariant"),
    "a constant value": Wrong("self.small = 3  # <-", ASSIGNED, KEEP_VALUE),
    "a value of another sort": Wrong("self.small = Phase.IDLE  # <-", ASSIGNED, KEEP_VALUE),
    "a boolean as a number": Wrong("self.small = True  # <-", ASSIGNED, KEEP_VALUE),
    "None": Wrong("self.small = None  # <-", ASSIGNED, KEEP_VALUE),
    "null in a sort without null": Wrong("self.node = Node.null  # <-", ASSIGNED, "keeps the value in NodeId"),
}


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


@pytest.mark.parametrize("wrong", ALWAYS.values(), ids=ALWAYS)
def test_what_leaves_its_sort_in_every_state_is_an_error_at_once(wrong: Wrong) -> None:
    generated = wrong.model
    for run in (run_plainly, trace_all):
        with pytest.raises(wrong.error) as raised:
            run(generated.model)
        check_message(raised.value, generated, wrong.mend)


SOMETIMES: dict[str, tuple[Wrong, dict[str, int]]] = {
    "a traced index": (Wrong("self.table[self.wide] = 0  # <-", INDEX, KEEP_INDEX), {"wide": 4}),
    "a traced index that is read": (
        Wrong("return self.table[self.wide] == 0  # <-", INDEX, KEEP_INDEX, "invariant"),
        {"wide": 4},
    ),
    "a computed index": (Wrong("self.table[self.small + 1] = 0  # <-", INDEX, KEEP_INDEX), {"small": 2}),
    "an index below the sort": (Wrong("self.table[self.small - 1] = 0  # <-", INDEX, KEEP_INDEX), {"small": 0}),
    "an index that the path knows": (
        Wrong("require(self.wide == 5)\nself.table[self.wide] = 0  # <-", INDEX, KEEP_INDEX),
        {"wide": 5},
    ),
    "null as a traced index": (
        Wrong("self.owner[self.other] = Node.null  # <-", INDEX, "keeps the index in NodeId"),
        {"other": 2},
    ),
    "an index in a quantifier": (
        Wrong(
            "return forall(Small, lambda i: self.table[self.table[i] + 1] == 0)  # <-",
            INDEX,
            KEEP_INDEX,
            "invariant",
        ),
        {"table[0]": 2},
    ),
    "a traced value": (Wrong("self.small = self.wide  # <-", ASSIGNED, KEEP_VALUE), {"wide": 3}),
    "a computed value": (Wrong("self.small = self.small + 1  # <-", ASSIGNED, KEEP_VALUE), {"small": 2}),
    "a value below the sort": (Wrong("self.small = self.small - 1  # <-", ASSIGNED, KEEP_VALUE), {"small": 0}),
    "a value that the path knows": (
        Wrong("require(self.wide == 5)\nself.small = self.wide  # <-", ASSIGNED, KEEP_VALUE),
        {"wide": 5},
    ),
    "null from a wider sort": (
        Wrong("self.node = self.other  # <-", ASSIGNED, "keeps the value in NodeId"),
        {"other": 2},
    ),
}


@pytest.mark.parametrize(("wrong", "codes"), SOMETIMES.values(), ids=SOMETIMES)
def test_what_leaves_its_sort_in_some_states_is_a_fault_there(wrong: Wrong, codes: dict[str, int]) -> None:
    generated = wrong.model
    with pytest.raises(wrong.error) as raised:
        run_plainly(generated.model, codes)
    check_message(raised.value, generated, wrong.mend)
    faults = trace_all(generated.model).faults
    assert faults
    assert {fault.what for fault in faults} == {"act()" if wrong.kind == "action" else "act"}
    for fault in faults:
        assert type(fault.error) is wrong.error
        check_message(fault.error, generated, wrong.mend)


GUARDED = {
    "index": "require(self.wide <= 2)\nself.table[self.wide] = 0",
    "value": "require(self.wide < 3)\nself.small = self.wide",
    "sum": "require(self.wide + self.small < 3)\nself.small = self.wide + self.small",
    "null": "require(self.other != Node.null)\nself.node = self.other",
    "branch": "if self.wide > 2:\n    self.wide = 0\nelse:\n    self.small = self.wide",
    "dead branch": "if self.small == 1 and self.small == 2:\n    self.table[7] = 0",
}


@pytest.mark.parametrize("text", GUARDED.values(), ids=GUARDED)
def test_what_is_guarded_has_no_fault(text: str) -> None:
    assert trace_all(case(text).model).faults == ()


# -- words in the wrong place -----------------------------------------------------------------------

MISPLACED = {
    "guard after assignment": Wrong(
        "self.small = 1\nrequire(self.flag)  # <-",
        errors.GuardAfterAssignment,
        "write every `require` before the first assignment, or use `if` for a branch",
    ),
    "guard after assignment of an element": Wrong(
        "self.table[0] = 1\nrequire(self.flag)  # <-", errors.GuardAfterAssignment, "before the first assignment"
    ),
    "guard in a property": Wrong(
        "require(self.flag)  # <-\nreturn True", errors.GuardInProperty, "return the condition itself", "invariant"
    ),
    "guard in a quantifier": Wrong(
        "require(forall(Small, lambda i: require(self.flag)))  # <-", errors.GuardInProperty, "use `implies("
    ),
    "guard in one_of's neighbour": Wrong(
        "require(count(Small, lambda i: require(self.flag)) == 0)  # <-", errors.GuardInProperty, "use `implies("
    ),
    "assignment in a property": Wrong(
        "self.small = 1  # <-\nreturn True",
        errors.AssignmentInProperty,
        "only the body of an action or of an initial state may assign",
        "invariant",
    ),
    "assignment in a quantifier": Wrong(
        "require(exists(Small, lambda i: self.table.__setitem__(i, 1)))  # <-",
        errors.AssignmentInProperty,
        "only the body of an action",
    ),
    "assignment of a whole array": Wrong(
        "self.table = 0  # <-", errors.ArrayMisused, "assign its elements one by one"
    ),
}


@pytest.mark.parametrize("wrong", MISPLACED.values(), ids=MISPLACED)
def test_a_word_in_the_wrong_place_is_refused_on_values_and_on_terms(wrong: Wrong) -> None:
    generated = wrong.model
    for run in (run_plainly, trace_all):
        with pytest.raises(wrong.error) as raised:
            run(generated.model)
        check_message(raised.value, generated, wrong.mend)


def test_a_late_guard_names_the_line_of_the_assignment_as_well() -> None:
    generated = case("self.small = 1\nrequire(self.flag)  # <-")
    with pytest.raises(errors.GuardAfterAssignment, match=f"the assignment at line {marked(generated) - 1}"):
        run_plainly(generated.model)


OUTSIDE: dict[str, Any] = {
    "require": lambda model: require(True),
    "forall": lambda model: forall(Range(0, 1), lambda i: True),
    "flag": lambda model: model.flag,
    "table": lambda model: model.table[0],
    "small": lambda model: setattr(model, "small", 1),
}


@pytest.mark.parametrize("word", OUTSIDE)
def test_a_word_outside_a_run_is_refused_with_its_line(word: str) -> None:
    model = case("self.small = 1").model
    with pytest.raises(errors.OutsideARun, match=rf"test_misuse\.py:\d+ .*: {word} has a meaning only while"):
        OUTSIDE[word](model)


def test_a_run_that_failed_leaves_no_run_behind() -> None:
    with pytest.raises(errors.AssignmentOutsideDomain):
        run_plainly(case("self.small = 3").model)
    with pytest.raises(errors.IndexOutOfSort):
        trace_all(case("self.table[3] = 1").model)
    with pytest.raises(errors.OutsideARun):
        require(True)


# -- too many paths ---------------------------------------------------------------------------------


def test_too_many_paths_are_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "PATH_LIMIT", 20)
    text = "for i in range(3):\n    if self.table[i] == self.small:\n        self.phases[i] = Phase.GONE\n"
    assert len(trace_all(case(text).model).actions[0].paths) > 1
    monkeypatch.setattr(tracing, "PATH_LIMIT", 4)
    with pytest.raises(
        errors.TooManyPaths, match=r"act\(\) forks into more than 4 paths; .*quantify with forall or exists"
    ):
        trace_all(case(text).model)
