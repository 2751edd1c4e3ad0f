"""Infection: in which runs a mutant can make a difference at all.

A run of a mutant is the run of the machine that is right, up to the first time that what was changed is reached,
or, where a value was changed that can be asked for without doing anything, up to the first time that the two values
are not the same. So one run of the right machine, with a probe at each point, tells of all mutants at once which of
them need to be run there; what the others would show is known. Nothing is told to drivers: their runs are what they
are.
"""

from __future__ import annotations
import __future__

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from kmigrate.conformance.mutations.mutation import Mutant, function_of, place_of, source_of

_ASKED = (
    ast.Name,
    ast.Attribute,
    ast.Constant,
    ast.Compare,
    ast.BoolOp,
    ast.UnaryOp,
    ast.BinOp,
    ast.IfExp,
    ast.Subscript,
    ast.Tuple,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
    ast.expr_context,
    ast.GeneratorExp,
    ast.comprehension,
)
"""What an expression may be made of that can be asked for once more. Attributes are, for the properties of daemons
and kernels do nothing; a test compares runs with and without probes."""

_QUESTIONS = frozenset(
    ("all", "any", "get", "is_idle", "previous", "range", "user_call_pending", "_system_threads")
)
"""Names of functions that answer and do nothing else."""

_PROBE, _MAKER = "_probe", "_made"


@dataclass(slots=True)
class Probe:
    """Collects the names of the mutants that a run may be another one for."""

    infected: set[str]

    def reached(self, name: str) -> None:
        """A statement that a mutant changes is about to be executed."""
        self.infected.add(name)

    def same(self, name: str, right: Callable[[], Any], wrong: Callable[[], Any]) -> Any:
        """The value of an expression; the mutant is noted where the changed one has another, or none."""
        value = right()
        if name not in self.infected:
            try:
                differs = wrong() != value
            except Exception:  # whatever the wrong machine would break down with
                differs = True
            if differs:
                self.infected.add(name)
        return value


@contextmanager
def watched(mutants: Sequence[Mutant]) -> Iterator[set[str]]:
    """Let the points of mutants tell, inside this block, which of them infect what runs there. Raises LostPoint.

    The set that is given out grows while the block runs. A changed constant counts from the beginning.
    """
    probe = Probe({mutant.name for mutant in mutants if not mutant.old})
    points: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        if mutant.old:
            points.setdefault(mutant.point, []).append(mutant)
    before: list[tuple[Any, str, Any]] = []
    try:
        for there in points.values():
            owner, name = place_of(there[0])
            before.append((owner, name, vars(owner)[name]))
            setattr(owner, name, _probed(there, name, function_of(vars(owner)[name]), probe))
        yield probe.infected
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _probed(mutants: Sequence[Mutant], name: str, function: FunctionType, probe: Probe) -> Any:
    """The function of one point, with a probe for each of its mutants."""
    text = source_of(mutants[0])
    tree = ast.parse(text)
    for mutant in mutants:
        source = source_of(mutant)
        where, wrong = _site(ast.parse(source), ast.parse(source.replace(mutant.old, mutant.new)))
        _Planting(mutant.name, where, wrong).visit(tree)
    maker = ast.parse(f"def {_MAKER}({_PROBE}):\n    return {name}")
    made = maker.body[0]
    assert isinstance(made, ast.FunctionDef)
    made.body[:0] = tree.body
    ast.fix_missing_locations(maker)
    names: dict[str, Any] = {}
    code = compile(maker, f"<probes of {name}>", "exec", flags=__future__.annotations.compiler_flag)
    exec(code, function.__globals__, names)  # noqa: S102 - our own text
    return names[_MAKER](probe)


_Site = tuple[int, int, int, int]
"""Where a node stands in the text, and so which node it is in any tree of it."""


def _position(node: ast.AST) -> _Site | None:
    if not isinstance(node, (ast.expr, ast.stmt)) or not hasattr(node, "lineno"):
        return None
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _site(right: ast.AST, wrong: ast.AST) -> tuple[tuple[type[ast.AST], _Site], ast.expr | None]:
    """The node that a mutant changes, by its type and place, and what stands there instead.

    The outermost expression around the change that can be asked for once more; else the innermost statement, of
    which nothing is said but that it is reached.
    """
    statement, found = right, None
    while True:
        if isinstance(right, ast.stmt):
            statement = right
        if found is None and isinstance(right, ast.expr) and isinstance(wrong, ast.expr):
            found = (right, wrong) if _askable(right) and _askable(wrong) else None
        pairs = _children(right, wrong)
        different = [(a, b) for a, b in pairs or () if ast.dump(a) != ast.dump(b)]
        if pairs is None or len(different) != 1:
            break
        ((right, wrong),) = different
    node, instead = found or (statement, None)
    where = _position(node)
    assert where is not None
    return (type(node), where), instead


def _askable(node: ast.expr) -> bool:
    return all(isinstance(part, _ASKED) or _question(part) for part in ast.walk(node))


def _question(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in _QUESTIONS


def _children(one: ast.AST, other: ast.AST) -> list[tuple[ast.AST, ast.AST]] | None:
    """The parts of two nodes, in pairs; None if the nodes themselves are different ones."""
    if type(one) is not type(other):
        return None
    pairs: list[tuple[ast.AST, ast.AST]] = []
    for field in one._fields:
        mine, theirs = getattr(one, field), getattr(other, field)
        mine, theirs = (part if isinstance(part, list) else [part] for part in (mine, theirs))
        if len(mine) != len(theirs):
            return None
        for a, b in zip(mine, theirs, strict=True):
            if isinstance(a, ast.AST) and isinstance(b, ast.AST):
                pairs.append((a, b))
            elif a != b:
                return None
    return pairs


class _Planting(ast.NodeTransformer):
    """Puts one probe at one node."""

    def __init__(self, name: str, where: tuple[type[ast.AST], _Site], wrong: ast.expr | None) -> None:
        self._name, self._where, self._wrong = name, where, wrong

    def visit(self, node: ast.AST) -> Any:
        """A node as it is, or with the probe around or before it."""
        here = (type(node), _position(node)) == self._where
        self.generic_visit(node)
        if not here:
            return node
        if self._wrong is not None:
            assert isinstance(node, ast.expr)
            for part in ast.walk(self._wrong):  # it stands at no place of this text
                for name in {"lineno", "col_offset", "end_lineno", "end_col_offset"} & set(vars(part)):
                    delattr(part, name)
            return self._call("same", _lambda(node), _lambda(self._wrong))
        reached = ast.Expr(self._call("reached"))
        if isinstance(node, ast.FunctionDef):
            node.body.insert(0, reached)
            return node
        return [reached, node]

    def _call(self, what: str, *others: ast.expr) -> ast.Call:
        probe = ast.Attribute(ast.Name(_PROBE, ast.Load()), what, ast.Load())
        return ast.Call(probe, [ast.Constant(self._name), *others], [])


def _lambda(body: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)
