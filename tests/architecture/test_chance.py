"""`choose` is the only source of chance: nothing in the sources of the machine could make two runs differ."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kmigrate.impl
from support.chance import offences

SOURCES = Path(kmigrate.impl.__file__).parent

ON_THE_HOST = {
    "programs/toolchain.py": ("imports os", "imports subprocess", "imports tempfile", "uses environ"),
    "image/checkpoint.py": ("imports os", "uses getpid"),
}
"""What never runs inside a machine, the compiler and the checkpoint files, and what it may do."""


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCES)))
def test_nothing_in_a_source_could_make_two_runs_differ(path: Path) -> None:
    allowed = ON_THE_HOST.get(path.relative_to(SOURCES).as_posix(), ())
    found = offences(ast.parse(path.read_text(encoding="utf-8")))
    assert [(line, sentence) for line, sentence in found if sentence not in allowed] == []


def test_what_may_touch_the_host_does() -> None:
    for name, allowed in ON_THE_HOST.items():
        found = {sentence for _, sentence in offences(ast.parse((SOURCES / name).read_text(encoding="utf-8")))}
        assert found == set(allowed), name


PLANTED = [
    ("import random", "imports random"),
    ("from time import perf_counter", "imports time"),
    ("import threading", "imports threading"),
    ("import concurrent.futures", "imports concurrent.futures"),
    ("import numpy as np\nx = np.random.rand()", "uses random"),
    ("x = id(object())", "calls id"),
    ("x = hash('a')", "calls hash"),
    ("for x in {1, 2}: pass", "goes over a set"),
    ("y = [x for x in set((1, 2))]", "goes over a set"),
    ("z = list({1, 2})", "gives list a set"),
    ("s = {1, 2}\nfor x in s: pass", "goes over a set"),
    ("s = {1} | other\nt = s\ny = [x for x in t]", "goes over a set"),
    ("class A:\n    s: set[int]\n    def f(self):\n        return [*self.s]", "unpacks a set"),
    ("def f(s: frozenset[int] | None):\n    return tuple(s)", "gives tuple a set"),
    ("def f() -> 'set[int]': ...\nfor x in f(): pass", "goes over a set"),
    (
        "class A:\n    def f(self) -> set[int]: ...\n    def g(self): return {x: 0 for x in self.f()}",
        "goes over a set",
    ),
    ("s = frozenset('ab')\n','.join(s)", "puts a set in some order"),
    ("s = set(x)\nd = dict.fromkeys(s.union(y))", "puts a set in some order"),
    ("s = {1, 2}\nx = s.pop()", "takes something out of a set"),
    ("for p in folder.iterdir(): pass", "lists a folder with iterdir, unsorted"),
    ("from numba import njit\n@njit(parallel=True)\ndef f(): pass", "runs in threads"),
]


@pytest.mark.parametrize(("text", "sentence"), PLANTED, ids=[text.splitlines()[-1].strip() for text, _ in PLANTED])
def test_what_could_differ_is_found(text: str, sentence: str) -> None:
    assert sentence in [found for _, found in offences(ast.parse(text))]


HARMLESS = [
    "s = {1, 2}\nx = 1 in s",
    "s = set(x)\nn = len(s)\ny = sorted(s)\nz = max(s)",
    "s: frozenset[int] = frozenset()\nt = s | {1}\nok = s == t",
    "for p in sorted(folder.glob('*.elf')): pass",
    "d = {}\nfor x in d: pass\nl = [1]\nl.pop()",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_cannot_differ_is_not_reported(text: str) -> None:
    assert list(offences(ast.parse(text))) == []
