"""The hash table in machine code: whole states, open addressing with linear probing.

Word 0 is zero where nothing is stored. States of one or two words are looked for by whole cache lines: a branch on
each entry would be mispredicted. With several workers a free entry is claimed by compare-and-swap on word 0; where
a state has more words, word 0 holds LOCKED until they are written.
"""

from __future__ import annotations

from kmigrate.checker.native.shape import Shape

LINE_WORDS = 8
"""Words in a cache line; the lines of a table are aligned."""
_LINE = f"<{LINE_WORDS} x i64>"
LOCKED = 1
"""Word 0 of an entry that is being written: not zero, not a state."""

_MIX = (0x9E3779B97F4A7C15, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3)


def hashing(text: Shape) -> str:
    """`@hash`: the hash of a state; each word is multiplied to 128 bits and folded."""
    lines = []
    last = "0"
    for i in range(text.words):
        lines.append(f"""  %x{i} = xor i64 %w{i}, {last}
  %a{i} = zext i64 %x{i} to i128
  %m{i} = mul i128 %a{i}, {_MIX[i % len(_MIX)]}
  %l{i} = trunc i128 %m{i} to i64
  %s{i} = lshr i128 %m{i}, 64
  %h{i} = trunc i128 %s{i} to i64
  %f{i} = xor i64 %l{i}, %h{i}""")
        last = f"%f{i}"
    body = "\n".join(lines)
    return f"define internal i64 @hash({text.formal}) alwaysinline {{\n{body}\n  ret i64 {last}\n}}\n"


def _rest_equal(text: Shape, entry: str, equal: str, differs: str) -> str:
    """Compare the words after word 0 of an entry with the state."""
    lines = []
    for i in range(1, text.words):
        label = f"same{i}" if i + 1 < text.words else equal
        lines.append(f"""  %ep{i} = getelementptr i64, ptr {entry}, i64 {i}
  %e{i} = load i64, ptr %ep{i}
  %c{i} = icmp eq i64 %e{i}, %w{i}
  br i1 %c{i}, label %{label}, label %{differs}""")
        if i + 1 < text.words:
            lines.append(f"same{i}:")
    return "\n".join(lines)


def _probe(text: Shape, name: str, result: str, free: str, present: str, shared: bool) -> str:
    """A function that walks from the home of a state to the state itself or to a free entry."""
    order = "load atomic i64, ptr %entry acquire, align 8" if shared else "load i64, ptr %entry"
    settle = ""
    if shared and text.words > 1:
        settle = f"""
  %locked = icmp eq i64 %found, {LOCKED}
  br i1 %locked, label %probe, label %compare
compare:"""
    equal = "label %present"
    rest = ""
    if text.words > 1:
        equal = "label %whole"
        rest = "whole:\n" + _rest_equal(text, "%entry", "present", "following")
    return f"""define internal {result} @{name}(ptr %table, i64 %mask, i64 %home, {text.formal}) alwaysinline {{
enter:
  br label %probe
probe:
  %at = phi i64 [ %home, %enter ], [ %next, %following ]{_again(shared, text)}
  %place = mul i64 %at, {text.words}
  %entry = getelementptr i64, ptr %table, i64 %place
  %found = {order}
  %free = icmp eq i64 %found, 0
  br i1 %free, label %empty, label %taken
taken:{settle}
  %same = icmp eq i64 %found, %w0
  br i1 %same, {equal}, label %following
{rest}
following:
  %step = add i64 %at, 1
  %next = and i64 %step, %mask
  br label %probe
present:
  {present}
empty:
{free}
}}
"""


def _again(shared: bool, text: Shape) -> str:
    """The further ways back to the same entry: it was locked, or another worker was faster."""
    if not shared:
        return ""
    return ", [ %at, %taken ], [ %at, %empty ]" if text.words > 1 else ", [ %at, %empty ]"


def _line_probe(text: Shape, name: str, result: str, found: str, free: str, again: str) -> str:
    """Like `_probe`, but whole cache lines are compared at once; a line is filled from its beginning."""
    per_line = LINE_WORDS // text.words
    splat = ", ".join(f"i32 {i % text.words}" for i in range(LINE_WORDS))
    key = "".join(
        f"  %k{i + 1} = insertelement {_LINE} {f'%k{i}' if i else 'poison'}, i64 %w{i}, i32 {i}\n"
        for i in range(text.words)
    )
    hit, zero = "%equal.bits", "%zero.bits"
    both = first = ""
    if text.words == 2:
        both = """  %neighbour = lshr i8 %equal.bits, 1
  %both = and i8 %equal.bits, %neighbour
  %hit = and i8 %both, 85
"""
        first = "  %zero.first = and i8 %zero.bits, 85\n"
        hit, zero = "%hit", "%zero.first"
    return f"""define internal {result} @{name}(ptr %table, i64 %mask, i64 %home, {text.formal}) alwaysinline {{
enter:
  %start = and i64 %home, {-per_line}
{key}  %key = shufflevector {_LINE} %k{text.words}, {_LINE} poison, <{LINE_WORDS} x i32> <{splat}>
  br label %probe
probe:
  %at = phi i64 [ %start, %enter ], [ %next, %following ]{again}
  %place = mul i64 %at, {text.words}
  %line = getelementptr i64, ptr %table, i64 %place
  %lanes = load {_LINE}, ptr %line, align 64
  %equal = icmp eq {_LINE} %lanes, %key
  %equal.bits = bitcast <{LINE_WORDS} x i1> %equal to i8
{both}  %present = icmp ne i8 {hit}, 0
  br i1 %present, label %found, label %vacant
vacant:
  %zeros = icmp eq {_LINE} %lanes, zeroinitializer
  %zero.bits = bitcast <{LINE_WORDS} x i1> %zeros to i8
{first}  %some = icmp ne i8 {zero}, 0
  br i1 %some, label %empty, label %following
following:
  %step = add i64 %at, {per_line}
  %next = and i64 %step, %mask
  br label %probe
found:
  %hit.lane = call i8 @llvm.cttz.i8(i8 {hit}, i1 true)
{found}
empty:
  %free.lane = call i8 @llvm.cttz.i8(i8 {zero}, i1 true)
  %free.word = zext i8 %free.lane to i64
  %entry = getelementptr i64, ptr %line, i64 %free.word
{free}
}}
"""


def _by_lines(text: Shape, shared: bool) -> bool:
    """Whether cache lines are compared whole; not where an entry of two words may be half written."""
    return text.words == 1 or (text.words == 2 and not shared)


def insert(text: Shape, shared: bool) -> str:
    """`@insert`: true if the state was not in the table before."""
    rest = "\n".join(
        f"  %tp{i} = getelementptr i64, ptr %entry, i64 {i}\n  store i64 %w{i}, ptr %tp{i}"
        for i in range(1, text.words)
    )
    if not shared:
        free = f"  store i64 %w0, ptr %entry\n{rest}\n  ret i1 true"
    elif text.words == 1:
        free = """  %swap = cmpxchg ptr %entry, i64 0, i64 %w0 acq_rel acquire
  %won = extractvalue { i64, i1 } %swap, 1
  br i1 %won, label %mine, label %probe
mine:
  ret i1 true"""
    else:
        free = f"""  %swap = cmpxchg ptr %entry, i64 0, i64 {LOCKED} acq_rel acquire
  %won = extractvalue {{ i64, i1 }} %swap, 1
  br i1 %won, label %mine, label %probe
mine:
{rest}
  store atomic i64 %w0, ptr %entry release, align 8
  ret i1 true"""
    if _by_lines(text, shared):
        return _line_probe(text, "insert", "i1", "  ret i1 false", free, ", [ %at, %empty ]" if shared else "")
    return _probe(text, "insert", "i1", free, "ret i1 false", shared)


def find(text: Shape, shared: bool) -> str:
    """`@find`: the entry of a state, or -1; asked only when nobody inserts."""
    if _by_lines(text, shared):
        found = f"""  %hit.word = zext i8 %hit.lane to i64
  %hit.entry = udiv i64 %hit.word, {text.words}
  %where = add i64 %at, %hit.entry
  ret i64 %where"""
        return _line_probe(text, "find", "i64", found, "  ret i64 -1", "")
    return _probe(text, "find", "i64", "  ret i64 -1", "ret i64 %at", shared=False)


def hash_all(text: Shape) -> str:
    """`@hash_all`: the homes of a batch of states, prefetched."""
    return f"""define internal void @hash_all(ptr %states, ptr %homes, i64 %n, ptr %table, i64 %mask) {{
enter:
  %any = icmp ne i64 %n, 0
  br i1 %any, label %loop, label %end
loop:
  %i = phi i64 [ 0, %enter ], [ %after, %loop ]
  %place = mul i64 %i, {text.words}
  %state = getelementptr i64, ptr %states, i64 %place
{text.load("%state")}
  %hash = call i64 @hash({text.actual()})
  %home = and i64 %hash, %mask
  %slot = getelementptr i64, ptr %homes, i64 %i
  store i64 %home, ptr %slot
  %first = mul i64 %home, {text.words}
  %entry = getelementptr i64, ptr %table, i64 %first
  call void @llvm.prefetch.p0(ptr %entry, i32 0, i32 3, i32 1)
  %after = add i64 %i, 1
  %more = icmp ult i64 %after, %n
  br i1 %more, label %loop, label %end
end:
  ret void
}}
"""


def insert_all(text: Shape) -> str:
    """`@insert_all`: insert a batch; write the new states out one after the other, and return their count."""
    stores = "\n".join(
        f"  %op{i} = getelementptr i64, ptr %target, i64 {i}\n  store i64 %w{i}, ptr %op{i}"
        for i in range(text.words)
    )
    return f"""define internal i64 @insert_all(ptr %states, ptr %homes, i64 %n, ptr %table, i64 %mask, ptr %out) {{
enter:
  %any = icmp ne i64 %n, 0
  br i1 %any, label %loop, label %end
loop:
  %i = phi i64 [ 0, %enter ], [ %after, %next ]
  %count = phi i64 [ 0, %enter ], [ %total, %next ]
  %place = mul i64 %i, {text.words}
  %state = getelementptr i64, ptr %states, i64 %place
{text.load("%state")}
  %slot = getelementptr i64, ptr %homes, i64 %i
  %home = load i64, ptr %slot
  %fresh = call i1 @insert(ptr %table, i64 %mask, i64 %home, {text.actual()})
  br i1 %fresh, label %write, label %next
write:
  %written = mul i64 %count, {text.words}
  %target = getelementptr i64, ptr %out, i64 %written
{stores}
  br label %next
next:
  %one = zext i1 %fresh to i64
  %total = add i64 %count, %one
  %after = add i64 %i, 1
  %more = icmp ult i64 %after, %n
  br i1 %more, label %loop, label %end
end:
  %result = phi i64 [ 0, %enter ], [ %total, %next ]
  ret i64 %result
}}
"""


def add_all(text: Shape, size: int, batch: int) -> str:
    """`@add_all`: insert given states, a batch at a time; returns how many were new.

    size, batch     the states that a buffer holds, and that are prefetched together
    """
    states = size * text.words
    return f"""define i64 @add_all(ptr %states, i64 %n, ptr %table, i64 %mask, ptr %buffer) {{
enter:
  %homes = getelementptr i64, ptr %buffer, i64 {states}
  br label %check
check:
  %i = phi i64 [ 0, %enter ], [ %after, %loop ]
  %total = phi i64 [ 0, %enter ], [ %sum, %loop ]
  %left = sub i64 %n, %i
  %more = icmp ne i64 %left, 0
  br i1 %more, label %loop, label %end
loop:
  %short = icmp ult i64 %left, {batch}
  %count = select i1 %short, i64 %left, i64 {batch}
  %place = mul i64 %i, {text.words}
  %from = getelementptr i64, ptr %states, i64 %place
  call void @hash_all(ptr %from, ptr %homes, i64 %count, ptr %table, i64 %mask)
  %new = call i64 @insert_all(ptr %from, ptr %homes, i64 %count, ptr %table, i64 %mask, ptr %buffer)
  %sum = add i64 %total, %new
  %after = add i64 %i, %count
  br label %check
end:
  ret i64 %total
}}
"""
