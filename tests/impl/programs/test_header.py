"""The C header says what the kernel's tables say, and what is compiled with it has the kernel's sizes."""

from __future__ import annotations

import re

from kmigrate.impl.chip import MPPA256, TINY
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.mutex import mutex_bytes
from kmigrate.impl.kernel.placement import thread_slots
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.programs.header import kernel_constants, kernel_header


def defined(text: str) -> dict[str, int]:
    found = re.findall(r"^#define (\w+) (\w+?)u?$", text, flags=re.MULTILINE)
    assert len(found) == len(dict(found)), "a name is defined twice"
    return {name: int(value, 0) for name, value in found}


def test_every_call_and_every_error_has_its_number() -> None:
    numbers = defined(kernel_header(MPPA256))
    calls = {name.removeprefix("KCALL_"): value for name, value in numbers.items() if name.startswith("KCALL_")}
    assert calls == {call.name: call.value for call in Call}
    assert {name: value for name, value in numbers.items() if name in Errno.__members__} == {
        error.name: error.value for error in Errno
    }


def test_the_text_says_all_constants() -> None:
    for geometry in (MPPA256, TINY):
        assert defined(kernel_header(geometry)) == kernel_constants(geometry)


def test_sizes_are_those_of_the_geometry() -> None:
    numbers = kernel_constants(MPPA256)
    assert (numbers["THREAD_MAX"], numbers["LEADER_TID"], numbers["NODES_NUM"]) == (18, 18, 24)
    assert (numbers["FIRST_COMPUTE_NODE"], numbers["PAGE_SIZE"], numbers["USER_PAGES"]) == (8, 4096, 128)
    for geometry in (MPPA256, TINY):
        assert kernel_constants(geometry)["MUTEX_SIZE"] == mutex_bytes(thread_slots(geometry))
