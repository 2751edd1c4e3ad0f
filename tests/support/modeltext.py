"""The text of random small models: every choice is drawn, and the first of the options is the simplest."""

import textwrap
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

COLOURS = ("Colour.RED", "Colour.GREEN", "Colour.BLUE")
UNKNOWN = -1_000
"""Stands for `possibly negative` in the least value of an integer expression."""


@dataclass(frozen=True, slots=True)
class _Sort:
    """A sort as the source names it. `low` and `high` are the ends of a range."""

    name: str
    family: str
    low: int = 0
    high: int = 0


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    index: tuple[_Sort, ...]
    of: _Sort


@dataclass(frozen=True, slots=True)
class _Integer:
    """The text of an integer expression and the ends of what it can be."""

    text: str
    low: int
    high: int


BOOL = _Sort("bool", "bool")
COLOUR = _Sort("Colour", "colour")
NODE = _Sort("Node", "node")
NODE_OR_NONE = _Sort("Node.or_null", "node")


class Writer:
    """Writes one module but its imports, asking `draw` for every choice; the first option is the simplest."""

    def __init__(self, draw: st.DrawFn, faults: bool) -> None:
        self.draw, self.faults = draw, faults
        self.last = self.pick([1, 2, 1, 2, 0])
        self.short = _Sort("Short", "int", 0, self.last)
        low = self.number(-2, 1)
        self.wide = _Sort("Wide", "int", low, low + self.pick([1, 2, 3, 4, 0]))
        self.variables: list[_Variable] = []
        self.scope: list[tuple[str, _Sort]] = []
        """Names that may be used: parameters of the action, quantified variables, local names."""
        self.assigned = False
        self.names = 0

    # -- choices ------------------------------------------------------------------------------------

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def pick(self, options: list[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def sometimes(self, one_in: int) -> bool:
        return self.number(0, one_in - 1) == one_in - 1

    def fresh(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    # -- declarations -------------------------------------------------------------------------------

    def module(self) -> str:
        """The whole text."""
        for _ in range(self.number(2, 4)):
            self.declare()
        actions = [self.action(i) for i in range(self.number(1, 3))]
        conditions = [self.judgement("invariant", f"claim{i}") for i in range(self.number(1, 2))]
        if self.sometimes(3):
            conditions.append(self.judgement("terminal", "done"))
        if self.sometimes(4):
            actions.insert(0, self.starter())
        lines = [
            f"nodes: int = parameter({self.pick([2, 3, 2, 3, 1])}, 'nodes', low=1, high=3)",
            f"last: int = parameter({self.last}, 'the end of Short', low=0, high=2)",
            *(self.declaration(v) for v in self.variables),
        ]
        head = f'Short = Range(0, "last")\nWide = Range({self.wide.low}, {self.wide.high})\n\n\n'
        body = "\n\n".join(["\n".join(lines), *actions, *conditions])
        doc = '    """Drawn at random."""\n\n'
        return f"{head}class Generated(Model):\n{doc}{textwrap.indent(body, '    ')}\n"

    def declare(self) -> None:
        of = self.pick([BOOL, COLOUR, self.short, self.wide, NODE_OR_NONE, NODE])
        index = tuple(self.index_sort() for _ in range(self.pick([0, 1, 1, 2])))
        self.variables.append(_Variable(f"v{len(self.variables)}", index, of))

    def index_sort(self) -> _Sort:
        return self.pick([NODE, self.short, BOOL, COLOUR])  # type: ignore[no-any-return]

    def declaration(self, declared: _Variable) -> str:
        init = "ANY" if not declared.index and self.sometimes(3) else self.first_value(declared)
        if not declared.index:
            return f"{declared.name} = variable('a variable', of={declared.of.name}, init={init})"
        index = ", ".join(sort.name for sort in declared.index)
        return f"{declared.name} = array('an array', {index}, of={declared.of.name}, init={init})"

    def first_value(self, declared: _Variable) -> str:
        match declared.of:
            case _Sort("bool"):
                return self.boolean()
            case _Sort("Colour"):
                return str(self.pick(list(COLOURS)))
            case _Sort("Node.or_null"):
                return "Node.null"
            case _Sort("Node") if NODE in declared.index:
                names = ", ".join(f"i{position}" for position in range(len(declared.index)))
                return f"lambda model, {names}: i{declared.index.index(NODE)}"
            case _Sort("Node"):
                return "ANY"
            case sort:
                return str(self.number(sort.low, sort.high))

    def action(self, number: int) -> str:
        """One action: guards, then a block of statements."""
        parameters = [(f"p{i}", self.index_sort()) for i in range(self.number(0, 2))]
        self.scope, self.assigned = list(parameters), False
        decorator = ", ".join(f"{name}={sort.name}" for name, sort in parameters)
        lines = ['"""An action."""']
        for _ in range(self.number(0, 2)):
            if self.sometimes(4):
                lines += [f"if {self.condition(1)}:", f"    require({self.condition(1)})"]
            else:
                lines.append(f"require({self.condition(2)})")
        lines += self.block(2)
        takes = "".join(f", {name}" for name, _ in parameters)
        return f"@action({decorator})\ndef act{number}(self{takes}):\n{_indented(lines)}"

    def starter(self) -> str:
        """A method that makes an initial state of the declared values."""
        self.scope, self.assigned = [], False
        lines = ['"""An initial state."""', *self.assignment(1)]
        return f"@initial\ndef start(self):\n{_indented(lines)}"

    def judgement(self, decorator: str, name: str) -> str:
        """A property of states."""
        self.scope, self.assigned = [], False
        lines = ['"""A property."""', f"return {self.condition(3)}"]
        return f"@{decorator}\ndef {name}(self):\n{_indented(lines)}"

    # -- statements ---------------------------------------------------------------------------------

    def block(self, depth: int) -> list[str]:
        outer = list(self.scope)
        lines: list[str] = []
        for _ in range(self.number(1, 2)):
            lines += self.statement(depth)
        self.scope = outer
        return lines

    def statement(self, depth: int) -> list[str]:
        shape = self.pick(["assign", "assign", "if", "local", "loop"]) if depth else "assign"
        match shape:
            case "if":
                lines = [f"if {self.condition(1)}:", *_deeper(self.block(depth - 1))]
                if self.sometimes(2):
                    lines += ["else:", *_deeper(self.block(depth - 1))]
                return lines
            case "local":
                value = self.integer(1)
                name = self.fresh("t")
                self.scope.append((name, _Sort("", "int", value.low, value.high)))
                return [f"{name} = {value.text}", *self.assignment(1)]
            case "loop":
                name = self.fresh("k")
                outer = list(self.scope)
                self.scope.append((name, self.short))
                self.assigned = True  # the second time round something may have been assigned
                lines = [f"for {name} in range(self.last + 1):", *_deeper(self.assignment(1))]
                self.scope = outer
                return lines
            case _:
                return self.assignment(2)

    def assignment(self, depth: int) -> list[str]:
        reachable = [v for v in self.variables if self.can_index(v)]
        if not reachable:
            return ["pass"]
        target = self.pick(reachable)
        left = self.element(target, 1)
        right = self.value(target.of, depth)
        self.assigned = True
        return [f"{left} = {right}"]

    # -- values -------------------------------------------------------------------------------------

    def value(self, sort: _Sort, depth: int) -> str:
        """An expression of a sort; where faults are wanted it may leave the sort."""
        match sort.family:
            case "bool":
                return self.condition(depth)
            case "colour":
                return self.colour(depth)
            case "node":
                return self.node(sort)
        value = self.integer(depth)
        if sort.low <= value.low and value.high <= sort.high:
            return value.text
        match self.pick(["clip", "choose", "loose" if self.faults else "clip"]):
            case "clip":
                return f"min(max({value.text}, {sort.low}), {sort.high})"
            case "choose":
                other = self.number(sort.low, sort.high)
                return f"{value.text} if {sort.low} <= {value.text} <= {sort.high} else {other}"
            case _:
                return value.text

    def boolean(self) -> str:
        return str(self.pick(["False", "True"]))

    def named(self, *sorts: _Sort) -> list[str]:
        return [name for name, sort in self.scope if sort in sorts]

    def nodes(self, sort: _Sort) -> list[str]:
        """What may stand where a node of this sort is wanted, without any index."""
        loose = self.faults or sort == NODE_OR_NONE
        sorts = [NODE, NODE_OR_NONE] if loose else [NODE]
        plain = [f"self.{v.name}" for v in self.variables if not v.index and v.of in sorts]
        return self.named(*sorts) + plain

    def can_index(self, variable: _Variable) -> bool:
        """Whether something can stand for its index, and something be assigned to it."""
        if NODE in variable.index and not self.nodes(NODE):
            return False
        return variable.of != NODE or bool(self.nodes(NODE))

    def node(self, sort: _Sort) -> str:
        options = self.nodes(sort)
        if sort == NODE_OR_NONE:
            options = ["Node.null", *options]
        arrays = [v for v in self.variables if v.index and self.can_index(v) and v.of in (NODE, sort)]
        if arrays and self.sometimes(3):
            return self.element(self.pick(arrays), 0)
        chosen = str(self.pick(options))
        return f"({chosen} if {self.condition(0)} else {self.pick(options)})" if self.sometimes(5) else chosen

    def colour(self, depth: int) -> str:
        variables = [v for v in self.variables if v.of == COLOUR and self.can_index(v)]
        if depth and self.sometimes(5):
            return f"({self.colour(0)} if {self.condition(depth - 1)} else {self.colour(0)})"
        if variables and self.sometimes(2):
            return self.element(self.pick(variables), depth - 1)
        return str(self.pick(list(COLOURS) + self.named(COLOUR)))

    def element(self, variable: _Variable, depth: int) -> str:
        if not variable.index:
            return f"self.{variable.name}"
        return f"self.{variable.name}[{', '.join(self.index(sort, depth) for sort in variable.index)}]"

    def index(self, sort: _Sort, depth: int) -> str:
        """What may stand as an index over a sort."""
        nested = [v for v in self.variables if v.of == sort and self.can_index(v) and (depth > 0 or not v.index)]
        if nested and self.sometimes(3):
            return self.element(self.pick(nested), depth - 1)
        match sort.family:
            case "node":
                return str(self.pick(self.nodes(NODE)))
            case "bool":
                return self.condition(0) if depth > 0 else self.pick(["False", "True", *self.named(BOOL)])
            case "colour":
                return self.colour(0) if depth > 0 else self.pick(list(COLOURS) + self.named(COLOUR))
        if self.faults and depth > 0 and self.sometimes(4):
            return self.integer(1).text
        return str(self.pick([str(n) for n in range(self.last + 1)] + self.named(sort)))

    def integer(self, depth: int) -> _Integer:
        """An integer expression with its ends."""
        match self.pick(["leaf", "leaf", "+", "-", "*", "divide", "count", "if"]) if depth > 0 else "leaf":
            case "+" | "-" | "*" as operation:
                left, right = self.integer(depth - 1), self.integer(depth - 1)
                table = {
                    "+": (left.low + right.low, left.high + right.high),
                    "-": (left.low - right.high, left.high - right.low),
                }
                products = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
                low, high = table.get(operation, (min(products), max(products)))
                return _Integer(f"({left.text} {operation} {right.text})", low, high)
            case "divide":
                left, by = self.integer(depth - 1), self.number(1, 3)
                if left.low < 0:
                    return _Integer(f"(-{left.text})", -left.high, -left.low)
                if self.sometimes(2):
                    return _Integer(f"({left.text} // {by})", left.low // by, left.high // by)
                return _Integer(f"({left.text} % {by})", 0, by - 1)
            case "count":
                sort = self.index_sort()
                return _Integer(f"count({self.quantified(sort, depth - 1)})", 0, 3)
            case "if":
                yes, no = self.integer(0), self.integer(depth - 1)
                text = f"({yes.text} if {self.condition(0)} else {no.text})"
                return _Integer(text, min(yes.low, no.low), max(yes.high, no.high))
        return self.integer_leaf(depth)

    def integer_leaf(self, depth: int) -> _Integer:
        variables = [v for v in self.variables if v.of.family == "int" and self.can_index(v)]
        names = [(name, sort) for name, sort in self.scope if sort.family == "int"]
        if variables and self.sometimes(2):
            read = self.pick(variables)
            low = UNKNOWN if self.assigned else read.of.low
            return _Integer(self.element(read, depth - 1), low, read.of.high if low != UNKNOWN else -UNKNOWN)
        if names and self.sometimes(2):
            name, sort = self.pick(names)
            return _Integer(name, sort.low, sort.high)
        if self.sometimes(8):
            return _Integer("self.last", self.last, self.last)
        number = self.number(0, 3)
        return _Integer(str(number), number, number)

    # -- conditions ---------------------------------------------------------------------------------

    def quantified(self, sort: _Sort, depth: int) -> str:
        """`Sort, lambda q: condition`."""
        name = self.fresh("q")
        self.scope.append((name, sort))
        text = f"{sort.name}, lambda {name}: {self.condition(depth)}"
        self.scope.remove((name, sort))
        return text

    def condition(self, depth: int) -> str:
        """A boolean expression."""
        if depth <= 0:
            return self.literal(depth)
        match self.pick(["literal", "not", "and", "or", "equal", "quantify", "quantify", "implies", "if"]):
            case "not":
                return f"(not {self.condition(depth - 1)})"
            case "and" | "or" as word:
                return f"({self.condition(depth - 1)} {word} {self.condition(depth - 1)})"
            case "equal":
                sign = self.pick(["==", "!="])
                return f"(({self.condition(depth - 1)}) {sign} ({self.condition(depth - 1)}))"
            case "quantify":
                word = self.pick(["forall", "exists", "at_most_one"])
                return f"{word}({self.quantified(self.index_sort(), depth - 1)})"
            case "implies":
                return f"implies({self.condition(depth - 1)}, lambda: {self.condition(depth - 1)})"
            case "if":
                parts = (self.condition(0), self.condition(0), self.condition(depth - 1))
                return f"({parts[0]} if {parts[1]} else {parts[2]})"
        return self.literal(depth)

    def literal(self, depth: int) -> str:
        """A comparison, or a boolean variable."""
        readable = [v for v in self.variables if self.can_index(v)]
        families = sorted({v.of.family for v in readable} | {sort.family for _, sort in self.scope})
        match self.pick(families) if families else "":
            case "bool":
                variables = [self.element(v, depth - 1) for v in readable if v.of == BOOL]
                return str(self.pick(variables + self.named(BOOL)))
            case "colour":
                if self.sometimes(4):
                    return f"one_of({self.colour(0)}, {self.colour(0)}, {self.pick(list(COLOURS))})"
                return f"({self.colour(depth)} {self.pick(['==', '!='])} {self.colour(depth - 1)})"
            case "node":
                return f"({self.node_read()} {self.pick(['==', '!='])} {self.node_read()})"
            case "int":
                sign = self.pick(["==", "<=", "<", ">", ">=", "!="])
                left, right = self.integer(depth), self.integer(depth - 1)
                return f"({left.text} {sign} {right.text})"
        return self.boolean()

    def node_read(self) -> str:
        """A node or null, read where nothing can go wrong but an index."""
        plain = [f"self.{v.name}" for v in self.variables if not v.index and v.of.family == "node"]
        return str(self.pick(["Node.null", *self.named(NODE, NODE_OR_NONE), *plain]))


def _deeper(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _indented(lines: list[str]) -> str:
    return "\n".join(_deeper(lines))
