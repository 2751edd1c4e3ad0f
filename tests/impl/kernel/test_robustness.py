"""Whatever a program hands to a kernel call, the call is answered or the thread waits; the kernel lives on."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.syscall import Call
from support.cluster import Cluster
from support.scripts import Script, call
from support.world import MASTER, World

STEPS = 400
HEAP = Cluster().heap
LAST = MPPA256.memory_bytes - 4

words = st.one_of(
    st.sampled_from((0, 1, 2, 7, 8, 9, 18, 19, 24, 31, 32, 63, 64, 128, 129, 4096, 1 << 20, (1 << 20) + 1)),
    st.sampled_from((HEAP, HEAP + 1, HEAP + 64, 0x8000, LAST, LAST + 2, LAST + 4, 0x80000000, 0x80000FFE)),
    st.sampled_from((0x80001000, 0xF0000000, 0xFFFFFFFF, 0xFFFFFFFC, 0x7FFFFFFF)),
    st.integers(0, (1 << 32) - 1),
)
OF_CODE = (Call.THREAD_CREATE, Call.SIGCTL, Call.TASK_CREATE)
"""What is given an address of code: machine code that begins anywhere fails as code, which other tests show."""
calls = st.tuples(
    st.sampled_from([number for number in Call if number is not Call.FREEZE and number not in OF_CODE]),
    st.lists(words, max_size=5),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(calls, min_size=1, max_size=8), st.binary(min_size=256, max_size=256))
def test_any_calls_with_any_arguments_leave_a_kernel_that_serves_others(
    made: list[tuple[Call, list[int]]], content: bytes
) -> None:
    """The first thread makes the calls over a heap of any bytes; another one then asks for the node."""
    cluster = World(MASTER)[MASTER]
    kernel = cluster.kernel

    def other(_: int) -> Script:
        cluster.note((yield from call(Call.NODE_GET_NUM)))
        return 0

    def main(_: int) -> Script:
        for number, arguments in made:
            result = yield from call(number, *arguments)
            assert result >= -Errno.ETIMEDOUT, f"{number.name} {arguments} said {result}"
        return 0

    cluster.start(main)
    cluster.memory.write(HEAP, content)
    for _ in range(STEPS):
        if not cluster.step():
            break
    kernel.threads.create(cluster.scripts.routine(other), 0)
    for _ in range(STEPS):
        if cluster.results or not cluster.step():
            break
    assert cluster.results == [MASTER]


def test_a_lock_that_was_never_made_is_refused_at_once() -> None:
    """Whatever bytes stand there: a list of waiting threads cannot be longer than there are threads."""
    cluster = Cluster()
    numbers = (Call.MUTEX_UNLOCK, Call.SEMAPHORE_UP, Call.CONDITION_SIGNAL, Call.CONDITION_BROADCAST)

    def main(_: int) -> Script:
        cluster.memory.fill(HEAP, 256, 0x7F)
        for number in numbers:
            cluster.note((yield from call(number, HEAP)))
        return 0

    assert cluster.run(main, limit=200).names == ["EPERM", *["EINVAL"] * 3]


def test_the_tasks_of_the_kernel_are_out_of_reach() -> None:
    """Those that carry out transfers have ids, which a program can guess."""
    cluster = World(MASTER)[MASTER]
    tasks = range(1, 1 + len(cluster.kernel.tasks.graph))

    def main(_: int) -> Script:
        for identity in tasks:
            for number in (Call.TASK_DISPATCH, Call.TASK_WAIT, Call.TASK_UNLINK, Call.TASK_EMIT):
                cluster.note((yield from call(number, identity)))
        return 0

    assert cluster.run(main).names == ["EINVAL"] * 4 * len(tasks)
