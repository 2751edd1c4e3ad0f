"""Orbits in machine code: every successor is replaced by the least of its images under renaming.

One straight line of code for each renaming: the fields of a state are taken out, renamed by a small table in a
constant, and put together at their new places; the least of all images is kept.
"""

from __future__ import annotations

from kmigrate.checker.native.code import Code
from kmigrate.checker.native.pack import VALID, Field, Layout
from kmigrate.checker.symmetry import Renaming, Symmetry

MOST_CODE_BITS = 4
"""A table of codes of so many bits fits into one word; `Symmetry` refuses sorts that would need more."""


def canonical(layout: Layout, symmetry: Symmetry, formal: str) -> str:
    """`@canonical`, and `@successors` as `@plain_successors` with each of its states made canonical."""
    code = Code()
    words = []
    for number in range(layout.words):
        place = code.value(f"getelementptr i64, ptr %state, i64 {number}")
        words.append(code.value(f"load i64, ptr {place}"))
    taken = [_take(code, words, field) for field in layout.fields]
    best = list(words)
    for renaming in symmetry.renamings[1:]:
        image = _image(code, layout, taken, renaming)
        less = _less(code, image, best)
        best = [code.value(f"select i1 {less}, i64 {new}, i64 {old}") for new, old in zip(image, best, strict=True)]
    for number, word in enumerate(best):
        place = code.value(f"getelementptr i64, ptr %state, i64 {number}")
        code.put(f"store i64 {word}, ptr {place}")
    code.put("ret void")
    one = f"define internal void @canonical(ptr %state) noinline {{\nentry:\n{code}\n}}\n"
    arguments = f"{formal}, ptr %out, ptr %counts, ptr %area"
    every = "\n".join(
        (
            f"define internal i64 @successors({arguments}) {{",
            "entry:",
            f"  %n = call i64 @plain_successors({arguments})",
            "  br label %head",
            "head:",
            "  %i = phi i64 [ 0, %entry ], [ %next, %body ]",
            "  %more = icmp ult i64 %i, %n",
            "  br i1 %more, label %body, label %done",
            "body:",
            f"  %offset = mul i64 %i, {layout.words}",
            "  %place = getelementptr i64, ptr %out, i64 %offset",
            "  call void @canonical(ptr %place)",
            "  %next = add i64 %i, 1",
            "  br label %head",
            "done:",
            "  ret i64 %n",
            "}",
            "",
        )
    )
    return one + every


def _take(code: Code, words: list[str], field: Field) -> str:
    """The code that a field holds, as i64."""
    if field.bits == 0:
        return "0"
    low = code.value(f"lshr i64 {words[field.word]}, {field.shift}")
    return code.value(f"and i64 {low}, {(1 << field.bits) - 1}")


def _image(code: Code, layout: Layout, taken: list[str], renaming: Renaming) -> list[str]:
    """The words of a state's image."""
    image = [str(VALID), *["0"] * (layout.words - 1)]
    for field, slot, codes in zip(layout.fields, renaming.slots, renaming.codes, strict=True):
        if field.bits == 0:
            continue
        value = taken[slot]
        if codes is not None:
            assert field.bits <= MOST_CODE_BITS
            table = sum(new << (old * field.bits) for old, new in enumerate(codes))
            place = code.value(f"mul i64 {value}, {field.bits}")
            entry = code.value(f"lshr i64 {table}, {place}")
            value = code.value(f"and i64 {entry}, {(1 << field.bits) - 1}")
        shifted = code.value(f"shl i64 {value}, {field.shift}")
        image[field.word] = code.value(f"or i64 {image[field.word]}, {shifted}")
    return image


def _less(code: Code, left: list[str], right: list[str]) -> str:
    """Whether one state is less than another, as i1."""
    less = "false"
    for mine, theirs in reversed(list(zip(left, right, strict=True))):
        below = code.value(f"icmp ult i64 {mine}, {theirs}")
        equal = code.value(f"icmp eq i64 {mine}, {theirs}")
        rest = code.value(f"and i1 {equal}, {less}")
        less = code.value(f"or i1 {below}, {rest}")
    return less
