"""The search in machine code, and the whole module of one model.

A worker takes states in segments from a shared cursor, collects the successors of a batch, hashes and prefetches
them, and inserts the batch before, whose cache lines have arrived meanwhile. It returns when no segment is left, or
when it needs room; what stands in its context then tells how to go on.
"""

from __future__ import annotations

from kmigrate.checker.native import lookup, passes
from kmigrate.checker.native.program import Program
from kmigrate.checker.native.shape import Shape

BATCH = 192
"""Successors collected before they are looked up."""
SEGMENT = 256
"""States that a worker takes at once."""

(
    TABLE,
    MASK,
    SEGMENTS,
    SEGMENT_COUNT,
    CURSOR,
    AT,
    LEFT,
    OUT,
    OUT_LEFT,
    BUDGET,
    COUNTS,
    AREA,
    BUFFERS,
) = range(13)
"""The words of a worker's context; AT and LEFT, OUT and OUT_LEFT, and BUDGET change as it goes."""
CONTEXT_WORDS = 16

DONE, MORE_ROOM = 0, 1
"""What `explore` returns: no segment is left; or it needs room in the output or the table."""


def buffer_states(program: Program) -> int:
    """The states that one buffer of a worker has to hold."""
    return BATCH + max(program.instances, 1)


def buffer_words(program: Program) -> int:
    """The words of both buffers of a worker: states, then the homes of those states."""
    return 2 * buffer_states(program) * (program.layout.words + 1)


def _context(name: str, index: int) -> str:
    return f"  %{name}.p = getelementptr i64, ptr %x, i64 {index}\n  %{name} = load i64, ptr %{name}.p\n"


def _pointer(name: str, index: int) -> str:
    return f"{_context(name + '.i', index)}  %{name} = inttoptr i64 %{name}.i to ptr\n"


def _explore(text: Shape, size: int) -> str:
    """`@explore`: expand the states of the segments; see the module's docstring."""
    states, half = size * text.words, size * (text.words + 1)
    head = "".join(
        (
            _pointer("table", TABLE),
            _context("mask", MASK),
            _pointer("segments", SEGMENTS),
            _context("segment.count", SEGMENT_COUNT),
            _pointer("cursor", CURSOR),
            _context("at", AT),
            _context("left", LEFT),
            _context("out", OUT),
            _context("out.left", OUT_LEFT),
            _context("budget", BUDGET),
            _pointer("counts", COUNTS),
            _pointer("area", AREA),
            _pointer("buffers", BUFFERS),
        )
    )
    return f"""define i64 @explore(ptr %x) {{
enter:
{head}
  %buffer.b = getelementptr i64, ptr %buffers, i64 {half}
  %var.at = alloca i64
  %var.left = alloca i64
  %var.out = alloca i64
  %var.room = alloca i64
  %var.fresh = alloca i64
  %var.n = alloca i64
  %var.pending = alloca i64
  %var.now = alloca ptr
  %var.before = alloca ptr
  store i64 %at, ptr %var.at
  store i64 %left, ptr %var.left
  store i64 %out, ptr %var.out
  store i64 0, ptr %var.fresh
  store i64 0, ptr %var.pending
  store ptr %buffers, ptr %var.now
  store ptr %buffer.b, ptr %var.before
  %tight = icmp ult i64 %out.left, %budget
  %room0 = select i1 %tight, i64 %out.left, i64 %budget
  store i64 %room0, ptr %var.room
  br label %batch

batch:
  %room = load i64, ptr %var.room
  %narrow = icmp ult i64 %room, {2 * size}
  br i1 %narrow, label %drain.more, label %collect
collect:
  store i64 0, ptr %var.n
  br label %gather

gather:
  %g.left = load i64, ptr %var.left
  %dry = icmp eq i64 %g.left, 0
  br i1 %dry, label %fetch, label %take
fetch:
  %number = atomicrmw add ptr %cursor, i64 1 monotonic
  %some = icmp ult i64 %number, %segment.count
  br i1 %some, label %open, label %last
open:
  %pair = mul i64 %number, 2
  %segment = getelementptr i64, ptr %segments, i64 %pair
  %segment.at = load i64, ptr %segment
  %segment.n = getelementptr i64, ptr %segment, i64 1
  %segment.left = load i64, ptr %segment.n
  store i64 %segment.at, ptr %var.at
  store i64 %segment.left, ptr %var.left
  br label %gather
take:
  %t.at = load i64, ptr %var.at
  %source = inttoptr i64 %t.at to ptr
{text.load("%source")}
  %t.now = load ptr, ptr %var.now
  %t.n = load i64, ptr %var.n
  %t.place = mul i64 %t.n, {text.words}
  %t.out = getelementptr i64, ptr %t.now, i64 %t.place
  %t.count = call i64 @successors({text.actual()}, ptr %t.out, ptr %counts, ptr %area)
  %t.total = add i64 %t.n, %t.count
  store i64 %t.total, ptr %var.n
  %t.next = add i64 %t.at, {text.bytes}
  store i64 %t.next, ptr %var.at
  %t.left = sub i64 %g.left, 1
  store i64 %t.left, ptr %var.left
  %full = icmp uge i64 %t.total, {BATCH}
  br i1 %full, label %process, label %gather
last:
  br label %process

process:
  %ended = phi i1 [ false, %take ], [ true, %last ]
  %p.now = load ptr, ptr %var.now
  %p.before = load ptr, ptr %var.before
  %p.n = load i64, ptr %var.n
  %p.homes = getelementptr i64, ptr %p.now, i64 {states}
  call void @hash_all(ptr %p.now, ptr %p.homes, i64 %p.n, ptr %table, i64 %mask)
  call void @flush(ptr %p.before, ptr %var.pending, ptr %table, i64 %mask,
    ptr %var.out, ptr %var.fresh, ptr %var.room)
  store i64 %p.n, ptr %var.pending
  store ptr %p.now, ptr %var.before
  store ptr %p.before, ptr %var.now
  br i1 %ended, label %drain.done, label %batch

drain.more:
  br label %drain
drain.done:
  br label %drain
drain:
  %status = phi i64 [ {MORE_ROOM}, %drain.more ], [ {DONE}, %drain.done ]
  %d.before = load ptr, ptr %var.before
  call void @flush(ptr %d.before, ptr %var.pending, ptr %table, i64 %mask,
    ptr %var.out, ptr %var.fresh, ptr %var.room)
  %z.at = load i64, ptr %var.at
  store i64 %z.at, ptr %at.p
  %z.left = load i64, ptr %var.left
  store i64 %z.left, ptr %left.p
  %z.out = load i64, ptr %var.out
  store i64 %z.out, ptr %out.p
  %z.fresh = load i64, ptr %var.fresh
  %z.out.left = sub i64 %out.left, %z.fresh
  store i64 %z.out.left, ptr %out.left.p
  %z.budget = sub i64 %budget, %z.fresh
  store i64 %z.budget, ptr %budget.p
  ret i64 %status
}}

define internal void @flush(ptr %buffer, ptr %pending, ptr %table, i64 %mask,
    ptr %out, ptr %fresh, ptr %room) alwaysinline {{
  %n = load i64, ptr %pending
  %homes = getelementptr i64, ptr %buffer, i64 {states}
  %target.i = load i64, ptr %out
  %target = inttoptr i64 %target.i to ptr
  %new = call i64 @insert_all(ptr %buffer, ptr %homes, i64 %n, ptr %table, i64 %mask, ptr %target)
  %written = mul i64 %new, {text.bytes}
  %target.after = add i64 %target.i, %written
  store i64 %target.after, ptr %out
  %fresh.before = load i64, ptr %fresh
  %fresh.after = add i64 %fresh.before, %new
  store i64 %fresh.after, ptr %fresh
  %room.before = load i64, ptr %room
  %room.after = sub i64 %room.before, %new
  store i64 %room.after, ptr %room
  store i64 0, ptr %pending
  ret void
}}
"""


def text(program: Program, *, shared: bool) -> str:
    """The whole module: the model's functions and those that are the same for all of its width.

    shared  whether several workers insert into one table at once
    """
    pieces = Shape(program.layout.words)
    size = buffer_states(program)
    return "\n".join(
        (
            "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)\ndeclare i8 @llvm.cttz.i8(i8, i1)\n",
            program.text,
            lookup.hashing(pieces),
            lookup.insert(pieces, shared),
            lookup.find(pieces, shared),
            lookup.hash_all(pieces),
            lookup.insert_all(pieces),
            _explore(pieces, size),
            lookup.add_all(pieces, size, BATCH),
            passes.judge_all(pieces),
            passes.truths(pieces),
            passes.sources(pieces),
            passes.marking(pieces),
            passes.find_all(pieces),
        )
    )


def edges_text(program: Program) -> str:
    """A module with `@edges_all` alone, for a numbered program."""
    return "\n".join((program.text, passes.edges_all(Shape(program.layout.words))))
