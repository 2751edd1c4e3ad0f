"""The machine code of one model: successors of a state, and what is to be said against it.

`@successors` writes the packed successors of a state, counts the edges of each action instance and notes
what is wrong with the state; `@judge` only notes; `@truth` asks one condition. A noted condition keeps the
least state in which it was true: INDEX words of the area, a status and the state.
"""

from __future__ import annotations

from dataclasses import dataclass

from kmigrate.checker.native.canonical import canonical
from kmigrate.checker.native.code import Code
from kmigrate.checker.native.lower import Atoms, Literal, Lowering
from kmigrate.checker.native.pack import Layout, layout_of
from kmigrate.checker.native.tree import Item, Tree, item
from kmigrate.checker.symmetry import Symmetry
from kmigrate.spec.language.paths import Term
from kmigrate.spec.language.trace import TracedFault, TracedModel

FAULT, DEADLOCK, PROPERTIES = 0, 1, 2
"""Conditions: an action or `terminal` goes wrong; nothing is enabled; four for each property from here on."""
OPEN, FOUND, CLOSED = 0, 1, 2
"""The status of a condition: not met, met in the state that is kept, of no interest."""


def false_in(number: int, *, target: bool = False) -> int:
    """The condition that property `number` (or what a leads_to must lead to) is false."""
    return PROPERTIES + 4 * number + 2 * target


def wrong_in(number: int, *, target: bool = False) -> int:
    """The condition that the text of property `number` (or of what a leads_to must lead to) goes wrong."""
    return PROPERTIES + 4 * number + 2 * target + 1


def premise_in(properties: int, number: int, *, true: bool) -> int:
    """The condition that premise `number` is asked, or is true, in a model of so many properties."""
    return PROPERTIES + 4 * properties + 2 * number + true


@dataclass(frozen=True, slots=True)
class Program:
    """The text of one model's functions, and what the rest must know of them."""

    layout: Layout
    text: str
    instances: int
    """Action instances; no state has more successors."""
    conditions: int
    judged: tuple[int, ...]
    """The conditions that the search notes."""


class _Writer:
    """Writes the functions of one model."""

    def __init__(self, traced: TracedModel, numbered: bool, symmetry: Symmetry | None) -> None:
        self.traced, self.numbered, self.symmetry = traced, numbered, symmetry
        self.layout = layout_of(traced.model)
        self.atoms = Atoms(traced)
        self.words = [f"%w{i}" for i in range(self.layout.words)]
        self.formal = ", ".join(f"i64 {word}" for word in self.words)
        self.faults: dict[str, list[TracedFault]] = {}
        for fault in traced.faults:
            self.faults.setdefault(fault.what, []).append(fault)

    def lowering(self, code: Code) -> Lowering:
        return Lowering(code, self.atoms, self.layout.fields, self.words)

    # -- properties ---------------------------------------------------------------------------------

    def judged(self) -> dict[int, Literal | list[TracedFault]]:
        """What is noted of every visited state."""
        found: dict[int, Literal | list[TracedFault]] = {}
        for number, asked in enumerate(self.traced.model.schema.properties):
            if asked.kind == "invariant":
                found[false_in(number)] = (self.traced.properties[asked.name], False)
            for target, name in ((False, asked.name), (True, f"{asked.name}:to")):
                if name in self.faults:
                    found[wrong_in(number, target=target)] = self.faults[name]
        return found

    def _condition(self, low: Lowering, asked: Literal | list[TracedFault]) -> str:
        if isinstance(asked, tuple):
            return low.all([asked])
        return self._any_fault(low, asked)

    def _any_fault(self, low: Lowering, faults: list[TracedFault]) -> str:
        """Whether the guard of some fault holds."""
        total = "false"
        for fault in faults:
            one = low.all((term, True) for term in fault.guard)
            total = one if total == "false" else low.code.value(f"or i1 {total}, {one}")
        return total

    def note(self, code: Code, condition: int, value: str) -> None:
        """Note the state where a value is true."""
        if value == "false":
            return
        with code.when(value):
            code.put(f"call void @note(ptr %area, i64 {condition}, {self.formal})")

    def judge(self) -> str:
        """`@judge`: note every condition that is true of the state."""
        code = Code()
        low = self.lowering(code)
        found = {number: self._condition(low, asked) for number, asked in self.judged().items()}
        some = [value for value in found.values() if value != "false"]
        if some:
            total = some[0]
            for value in some[1:]:
                total = code.value(f"or i1 {total}, {value}")
            with code.when(total):
                for number, value in found.items():
                    self.note(code, number, value)
        code.put("ret void")
        return _function(f"void @judge({self.formal}, ptr %area) alwaysinline", code)

    def truth(self) -> str:
        """`@truth`: whether one condition, asked by its number, is true of the state."""
        code = Code()
        asked: dict[int, Literal | list[TracedFault]] = dict(self.judged())
        for number, one in enumerate(self.traced.model.schema.properties):
            asked.setdefault(false_in(number), (self.traced.properties[one.name], False))
            if one.kind == "leads_to":
                asked[false_in(number, target=True)] = (self.traced.properties[one.target.name], False)
        count = len(self.traced.model.schema.properties)
        for number, premise in enumerate(self.traced.premises):
            asked[premise_in(count, number, true=False)] = (premise.asked, True)
            asked[premise_in(count, number, true=True)] = (premise.true, True)
        labels = {number: code.fresh("case") for number in asked}
        table = " ".join(f"i64 {number}, label %{label}" for number, label in labels.items())
        code.put(f"switch i64 %which, label %none [ {table} ]")
        for number, label in labels.items():
            code.block(label)
            with code.branch():
                code.put(f"ret i1 {self._condition(self.lowering(code), asked[number])}")
        code.block("none")
        code.put("ret i1 false")
        return _function(f"i1 @truth(i64 %which, {self.formal})", code)

    # -- actions ------------------------------------------------------------------------------------

    def successors(self) -> str:
        """`@successors`: write the successors that differ from the state, and return how many there are."""
        code = Code()
        code.put("%n = alloca i64")
        code.put("%edges = alloca i64")
        code.put("store i64 0, ptr %n")
        code.put("store i64 0, ptr %edges")
        code.put(f"call void @judge({self.formal}, ptr %area)")
        updates: list[dict[int, Term] | None] = []
        instances: list[int] = []
        items: list[Item] = []
        for number, action in enumerate(self.traced.actions):
            ways = [(path.guard, path.updates) for path in action.paths]
            wrong = [(fault.guard, None) for fault in self.faults.get(action.instance.label, ())]
            for guard, update in (*ways, *wrong):
                items.append(item(len(items), guard, self.atoms))
                updates.append(update)
                instances.append(number)
        low = self.lowering(code)
        leaves = _Leaves(low, self.formal, instances, updates, self.numbered)
        Tree(low, leaves.write).write(items)
        edges = code.value("load i64, ptr %edges")
        with code.when(code.value(f"icmp eq i64 {edges}, 0")):
            self._dead(code)
        code.put(f"ret i64 {code.value('load i64, ptr %n')}")
        name = "successors" if self.symmetry is None else "plain_successors"
        plain = _function(f"i64 @{name}({self.formal}, ptr %out, ptr %counts, ptr %area)", code)
        return plain if self.symmetry is None else plain + canonical(self.layout, self.symmetry, self.formal)

    def _dead(self, code: Code) -> None:
        low = self.lowering(code)
        terminal = self.traced.model.schema.terminal
        if terminal is not None and terminal.name in self.faults:
            self.note(code, FAULT, self._any_fault(low, self.faults[terminal.name]))
        self.note(code, DEADLOCK, low.all([(self.traced.terminal, False)]))

    # -- the whole ----------------------------------------------------------------------------------

    def program(self) -> Program:
        """All functions together."""
        judged = tuple(self.judged())
        conditions = PROPERTIES + 4 * len(self.traced.model.schema.properties)
        text = "\n".join((_note(self.layout.words), self.judge(), self.truth(), self.successors()))
        return Program(self.layout, text, len(self.traced.actions), conditions, (FAULT, DEADLOCK, *judged))


class _Leaves:
    """Writes what is done where the guard of a path or of a fault holds."""

    def __init__(
        self,
        low: Lowering,
        formal: str,
        instances: list[int],
        updates: list[dict[int, Term] | None],
        numbered: bool,
    ) -> None:
        self.low, self.code, self.formal = low, low.code, formal
        self.instances, self.updates, self.numbered = instances, updates, numbered

    def write(self, leaf: Item, condition: str | None) -> None:
        """One leaf, still to be done only where `condition` holds, if there is one."""
        if condition == "false":
            return
        if condition is None or condition == "true":
            self._do(leaf)
        elif self.numbered or self.updates[leaf.what] is None or not leaf.likely:
            with self.code.when(condition):
                self._do(leaf)
        else:
            self._do_where(leaf, condition)

    def _do_where(self, leaf: Item, condition: str) -> None:
        """A leaf without a branch: the successor is written in any case, and counted where it is one."""
        update = self.updates[leaf.what]
        assert update is not None
        once = self.code.value(f"zext i1 {condition} to i64")
        self._add("%edges", once)
        counter = self.code.value(f"getelementptr i64, ptr %counts, i64 {self.instances[leaf.what]}")
        self._add(counter, once)
        changed = self._next_words(update)
        if changed:
            count = self.code.value("load i64, ptr %n")
            self._store(count, changed)
            differs = self._differs(leaf, update, changed)
            counted = once
            if differs != "true":
                counted = self.code.value(f"zext i1 {self.code.value(f'and i1 {condition}, {differs}')} to i64")
            self.code.put(f"store i64 {self.code.value(f'add i64 {count}, {counted}')}, ptr %n")

    def _do(self, leaf: Item) -> None:
        update = self.updates[leaf.what]
        if update is None:
            self.code.put(f"call void @note(ptr %area, i64 {FAULT}, {self.formal})")
            return
        instance = self.instances[leaf.what]
        self._add("%edges", "1")
        if self.numbered:
            count = self.code.value("load i64, ptr %n")
            self.code.put(
                f"store i64 {instance}, ptr {self.code.value(f'getelementptr i64, ptr %counts, i64 {count}')}"
            )
            self._store(count, self._next_words(update))
            self.code.put(f"store i64 {self.code.value(f'add i64 {count}, 1')}, ptr %n")
            return
        self._add(self.code.value(f"getelementptr i64, ptr %counts, i64 {instance}"), "1")
        changed = self._next_words(update)
        if changed:
            count = self.code.value("load i64, ptr %n")
            self._store(count, changed)
            differs = self._differs(leaf, update, changed)
            one = "1" if differs == "true" else self.code.value(f"zext i1 {differs} to i64")
            self.code.put(f"store i64 {self.code.value(f'add i64 {count}, {one}')}, ptr %n")

    def _store(self, count: str, changed: dict[int, str]) -> None:
        """Write the successor that is `count` states after the beginning of the output."""
        words = len(self.low.words)
        first = self.code.value(f"mul i64 {count}, {words}") if words > 1 else count
        for number, word in enumerate(self.low.words):
            place = self.code.value(f"add i64 {first}, {number}") if number else first
            target = self.code.value(f"getelementptr i64, ptr %out, i64 {place}")
            self.code.put(f"store i64 {changed.get(number, word)}, ptr {target}")

    def _add(self, place: str, amount: str) -> None:
        before = self.code.value(f"load i64, ptr {place}")
        self.code.put(f"store i64 {self.code.value(f'add i64 {before}, {amount}')}, ptr {place}")

    def _next_words(self, update: dict[int, Term]) -> dict[int, str]:
        """Word number → its value after the update, for the words that it touches."""
        kept: dict[int, int] = {}
        constant: dict[int, int] = {}
        parts: dict[int, list[str]] = {}
        for slot, term in update.items():
            field = self.low.fields[slot]
            if field.bits == 0:
                continue
            kept[field.word] = kept.get(field.word, (1 << 64) - 1) & ~field.mask
            value = self._value(term, field.bits)
            if value.isdigit():
                constant[field.word] = constant.get(field.word, 0) | int(value) << field.shift
                continue
            wide = self.code.value(f"zext i{field.bits} {value} to i64") if field.bits < 64 else value
            parts.setdefault(field.word, []).append(self.code.value(f"shl i64 {wide}, {field.shift}"))
        after = {}
        for word, mask in kept.items():
            total = self.code.value(f"and i64 {self.low.words[word]}, {mask}")
            for part in parts.get(word, []):
                total = self.code.value(f"or i64 {total}, {part}")
            if constant.get(word):
                total = self.code.value(f"or i64 {total}, {constant[word]}")
            after[word] = total
        return after

    def _value(self, term: Term, bits: int) -> str:
        if not hasattr(term, "size"):
            value = self.low.boolean(term)
            return {"true": "1", "false": "0"}.get(value, value)
        return self.low.bits(term)

    def _differs(self, leaf: Item, update: dict[int, Term], changed: dict[int, str]) -> str:
        """Whether the successor is another state, as i1."""
        for slot, term in update.items():
            value = self._value(term, self.low.fields[slot].bits)
            if value.isdigit() and slot in leaf.certain and int(value) not in leaf.certain[slot]:
                return "true"
        differs = ""
        for word, value in changed.items():
            one = self.code.value(f"icmp ne i64 {value}, {self.low.words[word]}")
            differs = self.code.value(f"or i1 {differs}, {one}") if differs else one
        return differs


def _function(head: str, code: Code) -> str:
    return f"define internal {head} {{\nentry:\n{code}\n}}\n"


def _note(words: int) -> str:
    """`@note`: keep the state if it is the least so far in which the condition is true."""
    formal = ", ".join(f"i64 %w{i}" for i in range(words))
    code = Code()
    place = code.value(f"mul i64 %condition, {words + 1}")
    entry = code.value(f"getelementptr i64, ptr %area, i64 {place}")
    status = code.value(f"load i64, ptr {entry}")
    code.put(f"switch i64 {status}, label %done [ i64 {OPEN}, label %keep i64 {FOUND}, label %compare ]")
    code.block("compare")
    for word in range(words):
        kept = code.value(f"load i64, ptr {code.value(f'getelementptr i64, ptr {entry}, i64 {word + 1}')}")
        code.put(f"br i1 {code.value(f'icmp ult i64 %w{word}, {kept}')}, label %keep, label %equal{word}")
        code.block(f"equal{word}")
        following = f"next{word}" if word + 1 < words else "done"
        code.put(f"br i1 {code.value(f'icmp eq i64 %w{word}, {kept}')}, label %{following}, label %done")
        if word + 1 < words:
            code.block(following)
    code.block("keep")
    code.put(f"store i64 {FOUND}, ptr {entry}")
    for word in range(words):
        target = code.value(f"getelementptr i64, ptr {entry}, i64 {word + 1}")
        code.put(f"store i64 %w{word}, ptr {target}")
    code.put("br label %done")
    code.block("done")
    code.put("ret void")
    return _function(f"void @note(ptr %area, i64 %condition, {formal}) noinline", code)


def program(traced: TracedModel, *, numbered: bool = False, symmetry: Symmetry | None = None) -> Program:
    """The machine code of a traced model, as text.

    numbered    `@successors` writes every edge, also back to the state itself, and instead of counting
                writes the number of its action instance to `%counts`
    symmetry    every successor stands for its orbit
    """
    return _Writer(traced, numbered, symmetry).program()
