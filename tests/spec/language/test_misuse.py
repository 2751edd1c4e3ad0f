"""Misuse: every wrong use is told with the line of the specification and a way to mend it.

The cases are written as source text, so that the line at fault is the one that carries the mark `# <-`.
"""

import re
from typing import Any

import pytest

from kmigrate.spec.language import Model, Range, errors, forall, require
from kmigrate.spec.language import paths as tracing
from kmigrate.spec.language.plain import evaluate, initial_states
from kmigrate.spec.language.trace import TracedModel
from spec.language.misuse import Wrong, case, check_message, condition, marked, run_plainly, trace_all

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
