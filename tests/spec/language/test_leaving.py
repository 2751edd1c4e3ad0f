"""What leaves its sort is told with the line of the specification and a way to mend it.

The cases are written as source text, so that the line at fault is the one that carries the mark `# <-`.
"""

import pytest

from kmigrate.spec.language import errors
from spec.language.misuse import Wrong, case, check_message, run_plainly, trace_all

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
