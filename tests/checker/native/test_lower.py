"""Every operator of a term means in machine code what it means to z3."""

import ctypes
import itertools
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import pytest
import z3

from kmigrate.checker.native import machine
from kmigrate.checker.native.code import Code
from kmigrate.checker.native.errors import UnsupportedOperator
from kmigrate.checker.native.lower import Atoms, Lowering
from kmigrate.checker.native.pack import layout_of
from kmigrate.spec.language import Model, Range, variable
from kmigrate.spec.language.trace import TracedModel


class Two(Model):
    """Two numbers of three bits and a boolean."""

    a: int = variable("a number", of=Range(0, 7), init=0)
    b: int = variable("a number", of=Range(0, 7), init=0)
    c: bool = variable("a condition", of=bool, init=False)


TRACED = TracedModel(Two())
A, B, C = TRACED.variables
STATES = list(itertools.product(range(8), range(8), range(2)))


def compiled(terms: list[Any]) -> Callable[[int, int], int]:
    """A function of (number of the term, packed state)."""
    form = layout_of(TRACED.model)
    code = Code()
    labels = [code.fresh("case") for _ in terms]
    table = " ".join(f"i64 {n}, label %{label}" for n, label in enumerate(labels))
    code.put(f"switch i64 %which, label %none [ {table} ]")
    for label, term in zip(labels, terms, strict=True):
        code.block(label)
        with code.branch():
            low = Lowering(code, Atoms(TRACED), form.fields, ["%w0"])
            value = low.boolean(term) if z3.is_bool(term) else low.bits(term)
            kind = "i1" if z3.is_bool(term) else f"i{term.size()}"
            code.put(f"ret i64 {code.value(f'zext {kind} {value} to i64')}")
    code.block("none")
    code.put("ret i64 -1")
    text = f"define i64 @value(i64 %which, i64 %w0) {{\n{code}\n}}\n"
    signatures: machine.Signatures = {"value": (ctypes.c_int64, (ctypes.c_int64, ctypes.c_uint64))}
    engine, functions = machine._functions(text, 0, signatures)
    KEPT.append(engine)
    return functions["value"]


KEPT: list[Any] = []
"""The machine code lives as long as its engine."""


def expected(term: Any, state: tuple[int, ...]) -> int:
    """What z3 makes of the term in a state."""
    values = [TRACED.constant(slot, code) for slot, code in enumerate(state)]
    value = z3.simplify(z3.substitute(term, *zip(TRACED.variables, values, strict=True)))
    return int(z3.is_true(value)) if z3.is_bool(term) else int(value.as_long())


ONE = z3.BitVecVal(1, 3)
ONE_BIT = z3.Extract(0, 0, A)
TERMS = [
    *(op(A, B) for op in (z3.UDiv, z3.URem, z3.SRem, z3.LShR, z3.ULT, z3.ULE, z3.UGT, z3.UGE)),
    *(A + B, A - B, A * B, A / B, A % B, A & B, A | B, A ^ B, A << B, A >> B, -A, ~A),
    *(A < B, A <= B, A > B, A >= B, A == B, A != B, A == 3, A != 3, z3.BitVecVal(5, 3) == B),
    *(z3.UDiv(A, z3.BitVecVal(3, 3)), z3.URem(A, z3.BitVecVal(3, 3)), A + B + A, A * B * A),
    *(ONE_BIT << z3.Extract(0, 0, B), z3.UDiv(ONE_BIT, z3.Extract(0, 0, B)), ONE_BIT >> z3.Extract(1, 1, B)),
    *(z3.ZeroExt(4, A), z3.SignExt(4, A), z3.SignExt(0, A), z3.Extract(2, 1, A), z3.Concat(A, B, A)),
    *(
        z3.RotateLeft(A, 1),
        z3.RotateRight(A, 2),
        z3.RotateLeft(A, 3),
        z3.RotateLeft(A, B),
        z3.RotateRight(A, B),
        z3.simplify(z3.RotateLeft(A, 2)),
        z3.RepeatBitVec(3, A),
    ),
    *(z3.BVRedAnd(A), z3.BVRedOr(A), z3.If(C, A, B), z3.If(A == B, C, z3.Not(C))),
    *(z3.And(C, A == 3, B == 4), z3.Or(C, A == 3, B == 4), z3.Not(z3.Or(A == 1, A == 2, A == 5))),
    *(z3.Or(A == 1, A == 2, A == 5), z3.Or(A == 0, A == 1, A == 2), z3.Xor(C, A == B), z3.Implies(C, A == B)),
    *(z3.Not(z3.Implies(C, A == B)), (A == 1) == C, z3.Distinct(A, B, ONE), z3.And(A == 1, A == 2)),
    *(z3.And(A != 1, A != 2, B != 3, z3.Not(C)), z3.BoolVal(True), z3.And(C, z3.BoolVal(False))),
    *(z3.simplify(t) for t in (A + 3 < B, z3.SignExt(2, A) < z3.SignExt(2, B) + 1, z3.ZeroExt(1, A) + 1 <= 4)),
    *(~(A & B), ~(A | B), ~(A ^ B)),
]


def test_every_operator_means_what_z3_says() -> None:
    value = compiled(TERMS)
    form = layout_of(TRACED.model)
    for number, term in enumerate(TERMS):
        for state in STATES:
            (word,) = form.pack(state)
            assert value(number, word) == expected(term, state), f"{term} in {state}"


def test_an_operator_that_is_not_known_is_named() -> None:
    array = z3.K(z3.BitVecSort(3), z3.BitVecVal(0, 3))
    with pytest.raises(UnsupportedOperator, match="'select'"):
        compiled([z3.Store(array, A, B)[B]])
    told = z3.Function("told", z3.BitVecSort(3), z3.BoolSort())
    with pytest.raises(UnsupportedOperator, match=r"'told'.*use the interpret engine"):
        compiled([told(A)])


def test_machine_code_is_kept_and_a_damaged_file_is_made_again(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KMIGRATE_CACHE", str(tmp_path / "deep" / "cache"))
    compiled([A + B])
    (file,) = (tmp_path / "deep" / "cache").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    compiled([A + B])
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("KMIGRATE_CACHE", str(tmp_path / "file"))
    form = layout_of(TRACED.model)
    assert compiled([A + B])(0, form.pack((1, 2, 0))[0]) == 3
    assert llvm.llvm_version_info
