"""Machine code that goes through states that were visited: questions, the way back, and sweeps."""

from __future__ import annotations

from kmigrate.checker.native.shape import Shape


def _over_states(head: str, text: Shape, body: str, result: str = "ret void") -> str:
    """A function that goes through `%n` states from `%states` on; `body` ends by jumping to %next."""
    return f"""define {head} {{
enter:
  br label %check
check:
  %i = phi i64 [ 0, %enter ], [ %after, %next ]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %loop, label %end
loop:
  %place = mul i64 %i, {text.words}
  %state = getelementptr i64, ptr %states, i64 %place
{text.load("%state")}
{body}
next:
  %after = add i64 %i, 1
  br label %check
end:
  {result}
}}
"""


def judge_all(text: Shape) -> str:
    """`@judge_all`: note what is true of each state, without expanding it."""
    body = f"  call void @judge({text.actual()}, ptr %area)\n  br label %next"
    return _over_states("void @judge_all(ptr %states, i64 %n, ptr %area)", text, body)


def truths(text: Shape) -> str:
    """`@truths`: one byte for each state, whether a condition is true of it."""
    body = f"""  %true = call i1 @truth(i64 %which, {text.actual()})
  %byte = zext i1 %true to i8
  %target = getelementptr i8, ptr %out, i64 %i
  store i8 %byte, ptr %target
  br label %next"""
    return _over_states("void @truths(ptr %states, i64 %n, i64 %which, ptr %out)", text, body)


def sources(text: Shape) -> str:
    """`@sources`: keep the least state that leads to a given one, or to one in which a condition is true.

    Condition -1 asks for the given state.
    """
    equal = "\n".join(
        f"""  %tp{i} = getelementptr i64, ptr %wanted, i64 {i}
  %t{i} = load i64, ptr %tp{i}
  %q{i} = icmp eq i64 %s{i}, %t{i}
  %all{i} = and i1 {f"%all{i - 1}" if i else "true"}, %q{i}"""
        for i in range(text.words)
    )
    body = f"""  %count = call i64 @successors({text.actual()}, ptr %buffer, ptr %counts, ptr %area)
  br label %ask
ask:
  %j = phi i64 [ 0, %loop ], [ %j.next, %asked ]
  %open = icmp ult i64 %j, %count
  br i1 %open, label %look, label %next
look:
  %j.place = mul i64 %j, {text.words}
  %successor = getelementptr i64, ptr %buffer, i64 %j.place
{text.load("%successor", "%s")}
  br i1 %by.state, label %compare, label %judge
compare:
{equal}
  br i1 %all{text.words - 1}, label %found, label %asked
judge:
  %true = call i1 @truth(i64 %which, {text.actual("%s")})
  br i1 %true, label %found, label %asked
asked:
  %j.next = add i64 %j, 1
  br label %ask
found:
  call void @note(ptr %best, i64 0, {text.actual()})
  br label %next"""
    head = """void @sources(ptr %states, i64 %n, i64 %which, ptr %wanted, ptr %buffer, ptr %counts, ptr %area,
    ptr %best)"""
    return _over_states(head, text, body).replace("enter:\n", "enter:\n  %by.state = icmp slt i64 %which, 0\n")


def edges_all(text: Shape) -> str:
    """`@edges_all`: every edge of each state, its target and its action, and the count for each state.

    For a program that is numbered; an edge back to the state itself is one too.
    """
    body = f"""  %so.far = load i64, ptr %total
  %first = mul i64 %so.far, {text.words}
  %target = getelementptr i64, ptr %targets, i64 %first
  %numbers = getelementptr i64, ptr %actions, i64 %so.far
  %count = call i64 @successors({text.actual()}, ptr %target, ptr %numbers, ptr %area)
  %sum = add i64 %so.far, %count
  store i64 %sum, ptr %total
  %slot = getelementptr i64, ptr %each, i64 %i
  store i64 %count, ptr %slot
  br label %next"""
    head = """void @edges_all(ptr %states, i64 %n, ptr %targets, ptr %actions, ptr %each, ptr %total, ptr %area)"""
    return _over_states(head, text, body)


def find_all(text: Shape) -> str:
    """`@find_all`: the table entry of each state."""
    body = f"""  %hash = call i64 @hash({text.actual()})
  %home = and i64 %hash, %mask
  %index = call i64 @find(ptr %table, i64 %mask, i64 %home, {text.actual()})
  %target = getelementptr i64, ptr %out, i64 %i
  store i64 %index, ptr %target
  br label %next"""
    return _over_states("void @find_all(ptr %states, i64 %n, ptr %table, i64 %mask, ptr %out)", text, body)


def _bit(index: str) -> str:
    """The byte and the bit that belong to a table entry."""
    return f"""  %byte.i = lshr i64 {index}, 3
  %byte.p = getelementptr i8, ptr %marks, i64 %byte.i
  %bit.n = and i64 {index}, 7
  %bit.8 = trunc i64 %bit.n to i8
  %bit = shl i8 1, %bit.8
  %byte = load i8, ptr %byte.p"""


def marking(text: Shape) -> str:
    """`@mark_all`: mark given states. `@reach`: which states lead to a marked one; those are marked too."""
    mark = f"""  %hash = call i64 @hash({text.actual()})
  %home = and i64 %hash, %mask
  %index = call i64 @find(ptr %table, i64 %mask, i64 %home, {text.actual()})
{_bit("%index")}
  %marked = or i8 %byte, %bit
  store i8 %marked, ptr %byte.p
  br label %next"""
    marked = f"""define internal i1 @marked(ptr %table, i64 %mask, ptr %marks, i64 %home,
    {text.formal}) alwaysinline {{
  %index = call i64 @find(ptr %table, i64 %mask, i64 %home, {text.actual()})
  %outside = icmp eq i64 %index, -1
  br i1 %outside, label %no, label %look
look:
{_bit("%index")}
  %set = and i8 %byte, %bit
  %yes = icmp ne i8 %set, 0
  ret i1 %yes
no:
  ret i1 false
}}
"""
    head = "void @mark_all(ptr %states, i64 %n, ptr %table, i64 %mask, ptr %marks)"
    return marked + _over_states(head, text, mark) + _reach(text)


def _reach(text: Shape) -> str:
    """`@reach`: go through states in a direction, mark those that lead to a marked one, keep the others."""
    stores = "\n".join(
        f"  %kp{i} = getelementptr i64, ptr %target, i64 {i}\n  store i64 %w{i}, ptr %kp{i}"
        for i in range(text.words)
    )
    return f"""define i64 @reach(ptr %states, i64 %n, i64 %step, ptr %kept, ptr %table, i64 %mask, ptr %marks,
    ptr %buffer, ptr %homes, ptr %counts, ptr %area) {{
enter:
  %back = icmp slt i64 %step, 0
  %final = sub i64 %n, 1
  %start = select i1 %back, i64 %final, i64 0
  br label %check
check:
  %i = phi i64 [ 0, %enter ], [ %after, %next ]
  %at = phi i64 [ %start, %enter ], [ %at.next, %next ]
  %keeps = phi i64 [ 0, %enter ], [ %keeps.next, %next ]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %loop, label %end
loop:
  %place = mul i64 %at, {text.words}
  %state = getelementptr i64, ptr %states, i64 %place
{text.load("%state")}
  %count = call i64 @successors({text.actual()}, ptr %buffer, ptr %counts, ptr %area)
  call void @hash_all(ptr %buffer, ptr %homes, i64 %count, ptr %table, i64 %mask)
  br label %ask
ask:
  %j = phi i64 [ 0, %loop ], [ %j.next, %asked ]
  %open = icmp ult i64 %j, %count
  br i1 %open, label %look, label %keep
look:
  %j.place = mul i64 %j, {text.words}
  %successor = getelementptr i64, ptr %buffer, i64 %j.place
{text.load("%successor", "%s")}
  %home.p = getelementptr i64, ptr %homes, i64 %j
  %home = load i64, ptr %home.p
  %good = call i1 @marked(ptr %table, i64 %mask, ptr %marks, i64 %home, {text.actual("%s")})
  br i1 %good, label %save, label %asked
asked:
  %j.next = add i64 %j, 1
  br label %ask
save:
  %own = call i64 @hash({text.actual()})
  %own.home = and i64 %own, %mask
  %index = call i64 @find(ptr %table, i64 %mask, i64 %own.home, {text.actual()})
{_bit("%index")}
  %marked = or i8 %byte, %bit
  store i8 %marked, ptr %byte.p
  br label %next
keep:
  %k.place = mul i64 %keeps, {text.words}
  %target = getelementptr i64, ptr %kept, i64 %k.place
{stores}
  br label %next
next:
  %more.kept = phi i64 [ 0, %save ], [ 1, %keep ]
  %keeps.next = add i64 %keeps, %more.kept
  %after = add i64 %i, 1
  %at.next = add i64 %at, %step
  br label %check
end:
  ret i64 %keeps
}}
"""
