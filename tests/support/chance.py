"""What in a source could make two runs of a machine differ, found by reading it.

`choose` on the machine's choice source is the only chance there is. So nothing may come from a clock, from
`random`, from the host or from threads, and nothing may depend on the order of a set, of a folder, or of addresses.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

MODULES = (
    *("random", "secrets", "uuid", "time", "datetime", "threading", "_thread", "asyncio", "multiprocessing"),
    *("concurrent", "signal", "queue", "socket", "select", "os", "platform", "getpass", "locale", "tempfile"),
    *("subprocess", "weakref", "gc"),
)
"""What no module of the machine imports: chance, clocks, the host, threads, and what depends on addresses."""

CALLS = ("id", "hash", "input")

ATTRIBUTES = ("random", "urandom", "time", "perf_counter", "environ", "getpid", "cpu_count", "popitem")
"""Names that give the like wherever they stand."""

FOLDERS = ("iterdir", "glob", "rglob", "listdir", "scandir", "walk")
"""What lists a folder in an order of the host's."""

ORDERS = ("list", "tuple", "iter", "enumerate", "zip", "map", "filter", "reversed", "next", "deque", "bytes")
"""What keeps the order of what it is given; `sorted`, `len`, `sum`, `min`, `max`, `any` and `all` do not."""

SETS = ("set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet")
ALGEBRA = ("union", "intersection", "difference", "symmetric_difference", "copy")


def offences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and sentence of each thing that could differ from run to run."""
    reader = _Reader(tree)
    for node in ast.walk(tree):
        for sentence in reader.read(node):
            yield getattr(node, "lineno", 0), sentence


class _Reader:
    """One module: which of its names are sets, and what is sorted."""

    def __init__(self, tree: ast.Module) -> None:
        self._sets: list[str] = []
        self._sorted: list[ast.AST] = []
        before = -1
        while before != len(self._sets):
            before = len(self._sets)
            for node in ast.walk(tree):
                self._learn(node)

    def _learn(self, node: ast.AST) -> None:
        """Remember a name that is given a set, and what is given to `sorted`."""
        match node:
            case ast.AnnAssign(target=one, annotation=kind, value=value):
                if _names_a_set(kind) or (value is not None and self.is_set(value)):
                    self._add(one)
            case ast.Assign(targets=targets, value=value) if self.is_set(value):
                for target in targets:
                    self._add(target)
            case ast.NamedExpr(target=name, value=value) if self.is_set(value):
                self._add(name)
            case ast.arg(arg=word, annotation=ast.expr() as kind) if _names_a_set(kind):
                self._add_name(word)
            case ast.FunctionDef(name=word, returns=ast.expr() as kind) if _names_a_set(kind):
                self._add_name(word)
            case ast.Call(func=ast.Name(id="sorted"), args=[first, *_]):
                self._sorted.append(first)
                if isinstance(first, ast.GeneratorExp):
                    self._sorted += [one.iter for one in first.generators]
            case _:
                pass

    def _add(self, target: ast.expr) -> None:
        self._add_name(_last(target))

    def _add_name(self, name: str) -> None:
        if name and name not in self._sets:
            self._sets.append(name)

    def is_set(self, node: ast.expr) -> bool:
        """Whether an expression is a set as far as this module tells."""
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Call(func=ast.Name(id=name)):
                return name in SETS or name in self._sets
            case ast.Call(func=ast.Attribute(value=value, attr=name)):
                return (name in ALGEBRA and self.is_set(value)) or name in self._sets
            case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
                return self.is_set(left) or self.is_set(right)
            case ast.IfExp(body=body, orelse=other):
                return self.is_set(body) or self.is_set(other)
            case ast.Name() | ast.Attribute():
                return _last(node) in self._sets
        return False

    def read(self, node: ast.AST) -> Iterator[str]:
        """The sentences about one node."""
        match node:
            case ast.Import(names=names):
                yield from (f"imports {one.name}" for one in names if one.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str() as module) if module.split(".")[0] in MODULES:
                yield f"imports {module}"
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield f"calls {name}"
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in ORDERS:
                yield from (f"gives {name} a set" for one in arguments if self.is_set(one))
            case ast.Call(func=ast.Attribute(attr="join" | "extend" | "fromkeys"), args=arguments):
                yield from ("puts a set in some order" for one in arguments if self.is_set(one))
            case ast.Call(func=ast.Attribute(value=value, attr="pop"), args=[]) if self.is_set(value):
                yield "takes something out of a set"
            case ast.Call(func=ast.Attribute(attr=name)) if name in FOLDERS and node not in self._sorted:
                yield f"lists a folder with {name}, unsorted"
            case ast.Attribute(attr=name) if name in ATTRIBUTES:
                yield f"uses {name}"
            case ast.For(iter=over) | ast.AsyncFor(iter=over) | ast.comprehension(iter=over):
                if self.is_set(over) and over not in self._sorted:
                    yield "goes over a set"
            case ast.Starred(value=value) if self.is_set(value):
                yield "unpacks a set"
            case ast.keyword(arg="parallel", value=value) if not _is_false(value):
                yield "runs in threads"
            case _:
                pass


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _last(node: ast.expr) -> str:
    """The name that an expression ends in; empty for one that has none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _names_a_set(kind: ast.expr) -> bool:
    """Whether an annotation is that of a set."""
    match kind:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in SETS
        case ast.Subscript(value=value):
            return _names_a_set(value)
        case ast.BinOp(left=left, right=right):
            return _names_a_set(left) or _names_a_set(right)
        case ast.Constant(value=str() as text):
            return _names_a_set(ast.parse(text, mode="eval").body)
    return False
